"""Exceptions that cross a replay: classes the generated module can import, and that a step can raise."""

from collections.abc import Iterator, Mapping, Sequence

from persistc.checks.calls import is_wait
from persistc.checks.exception_classes import Problem, Resolved, Resolver
from persistc.checks.exception_scope import inside, leaves_only_as_group, only_makes_tasks
from persistc.checks.flow_class import FlowClass, described
from persistc.checks.flow_code import FlowBody
from persistc.checks.references import Reference, references
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import (
    Attribute,
    Await,
    Call,
    Display,
    Expression,
    ForLoop,
    Handler,
    Starred,
    Try,
    With,
    dotted,
)
from persistc.model import Kind
from persistc.spans import Span

NO_OUTCOME = {
    "builtins.KeyboardInterrupt": "stops the process, and the step runs again after the restart",
    "builtins.SystemExit": "stops the process, and the step runs again after the restart",
    "builtins.GeneratorExit": "does not pass out of a step",
}
# Only where nothing else in the `try` could raise it: `next(...)` in flow code may.
NO_OUTCOME_OF_CALLS = {
    "builtins.StopIteration": "does not pass out of a step",
    "builtins.StopAsyncIteration": "does not pass out of a step",
}


def check_exceptions(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST110 for exceptions that cannot be rebuilt, PST111 for `except` clauses that never match."""
    yield from _listed(flow_class)
    for body in bodies:
        tries = [located.node for located in body.nodes if isinstance(located.node, Try)]
        if not tries:
            continue
        resolver = Resolver(flow_class.project, body.module, body)
        called = {id(found.call): found for found in references(flow_class, body) if found.call is not None}
        for node in tries:
            if _has_step(called, body, node):
                yield from _caught(body, node, resolver)
                yield from _out_of_reach(called, body, node, resolver)


def _listed(flow_class: FlowClass) -> Iterator[Diagnostic]:
    resolver = Resolver(flow_class.project, flow_class.module, None, flow_class.cls)
    for method in flow_class.own_marked:
        raises = method.mark.argument("raises") if method.mark is not None and method.kind is Kind.STEP else None
        if raises is None or not isinstance(raises.expression, Display):
            continue
        for item in raises.expression.items:
            if not isinstance(item, Starred):
                found = resolver.resolve(item)
                if isinstance(found, Problem):
                    yield _not_rebuilt(flow_class.module.file, item, found, f"`raises=` of {described(method)}")


def _caught(body: FlowBody, node: Try, resolver: Resolver) -> Iterator[Diagnostic]:
    earlier: list[tuple[Expression | Handler, Resolved]] = []
    alone = _only_steps(body, node)
    for handler in node.handlers:
        here: list[tuple[Expression | Handler, Resolved]] = []
        if not handler.types:
            here.append((handler, Resolved("builtins.BaseException", ("builtins.BaseException",))))
        for expression in handler.types:
            found = resolver.resolve(expression)
            if isinstance(found, Problem):
                yield _not_rebuilt(body.module.file, expression, found, "this `except` around a step")
                continue
            if found is None:
                continue
            reason = NO_OUTCOME.get(found.origin) or (NO_OUTCOME_OF_CALLS.get(found.origin) if alone else None)
            wider = next((each for each, known in earlier if known.origin in found.ancestors), None)
            if reason is not None:
                yield _never(body, expression, reason)
            elif wider is not None and not node.is_group:
                yield _shadowed(body, expression, wider)
            here.append((expression, found))
        earlier += here


def _not_rebuilt(file: str, expression: Expression, problem: Problem, where: str) -> Diagnostic:
    shown = dotted(expression)
    return Diagnostic(
        code=Code.EXCEPTION_NOT_REBUILT,
        message=(
            f"{where} names `{shown}`, which cannot be rebuilt at replay: {problem.reason}"
            if shown is not None
            else f"{where} names an exception that cannot be rebuilt at replay: {problem.reason}"
        ),
        file=file,
        span=expression.span,
        label=problem.label,
        help=problem.remedy,
        notes=problem.notes,
    )


def _never(body: FlowBody, expression: Expression, reason: str) -> Diagnostic:
    shown = dotted(expression) or "it"
    return Diagnostic(
        code=Code.EXCEPT_NEVER_MATCHES,
        message=f"no step ends with `{shown}`: this clause never runs",
        file=body.module.file,
        span=expression.span,
        label=reason,
        help="remove the clause; cleanup belongs into `finally`, or into the body of the step",
    )


def _shadowed(body: FlowBody, expression: Expression, wider: Expression | Handler) -> Diagnostic:
    shown = dotted(expression) or "it"
    label = "catches everything first" if isinstance(wider, Handler) else f"`{dotted(wider)}` is caught here first"
    return Diagnostic(
        code=Code.EXCEPT_NEVER_MATCHES,
        message=f"`{shown}` is caught by a clause above: this one never runs",
        file=body.module.file,
        span=expression.span,
        label="never reached",
        help=f"put `except {shown}` before the wider clause",
        notes=(Note(body.module.file, _head(wider), label),),
    )


def _out_of_reach(
    called: Mapping[int, Reference], body: FlowBody, node: Try, resolver: Resolver
) -> Iterator[Diagnostic]:
    """Clauses for what is raised elsewhere, or arrives in a group."""
    if node.is_group:
        return
    if (awaited := only_makes_tasks(called, node)) is not None:
        for handler in node.handlers[:1]:
            yield Diagnostic(
                code=Code.EXCEPT_NEVER_MATCHES,
                message=f"no exception of `{awaited}` gets here: this clause never runs",
                file=body.module.file,
                span=handler.types[0].span if handler.types else _head(handler),
                label="the step is only begun in this `try`; what it raises comes out where it is awaited",
                help="put the `await`, or the `result()`, inside the `try`",
            )
    elif (group := leaves_only_as_group(body, node)) is not None:
        for expression in (each for handler in node.handlers for each in handler.types):
            found = resolver.resolve(expression)
            if isinstance(found, Resolved) and found.origin not in PASSES_A_GROUP and not _is_group(found):
                shown = dotted(expression)
                yield Diagnostic(
                    code=Code.EXCEPT_NEVER_MATCHES,
                    message=f"a task group raises `{shown}` inside an `ExceptionGroup`: this clause never runs",
                    file=body.module.file,
                    span=expression.span,
                    label="not what leaves the `async with`",
                    help=f"write `except* {shown}:`",
                    notes=(Note(body.module.file, group.span, "puts what its tasks raise into a group"),),
                )


PASSES_A_GROUP = frozenset({"builtins.BaseException", "builtins.Exception", *NO_OUTCOME})


def _is_group(found: Resolved) -> bool:
    return "builtins.BaseExceptionGroup" in found.ancestors


def _head(wider: Expression | Handler) -> Span:
    if not isinstance(wider, Handler):
        return wider.span
    start = wider.span.start
    return Span.within_line(start.line, start.column, start.column + len("except"))


def _has_step(called: Mapping[int, Reference], body: FlowBody, node: Try) -> bool:
    """Whether a step's exception can come out of it: something is awaited, called on `self`, or asked its result."""
    for inner in inside(node.body):
        match inner:
            case Await():
                return True
            case ForLoop(is_async=True) | With(is_async=True):
                return True
            case Call(function=function):
                if id(inner) in called or is_wait(body, inner):
                    return True
                if isinstance(function, Attribute) and function.name == "result":
                    return True
            case With():
                return True
            case _:
                pass
    return False


def _only_steps(body: FlowBody, node: Try) -> bool:
    """Whether every call in the `try` is one on `self`."""
    calls = [inner for inner in inside(node.body) if isinstance(inner, Call)]
    return all(isinstance(call.function, Attribute) and body.is_self(call.function.value) for call in calls)
