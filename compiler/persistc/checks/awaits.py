"""Coroutines of steps that nobody awaits: the step would never run, and nobody would miss it."""

from collections.abc import Iterator, Mapping, Sequence

from persistc.checks.calls import is_wait
from persistc.checks.flow_class import FlowClass, described
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.references import Reference, Through, references
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Argument,
    Assign,
    Branch,
    Call,
    Comprehension,
    Conditional,
    Display,
    Do,
    Lambda,
    Name,
    NestedFunction,
    Operation,
    Return,
    Unary,
    WhileLoop,
    bound_names,
    dotted,
    walk,
)
from persistc.model import Kind

COROUTINES = frozenset({"asyncio.sleep", "asyncio.wait", "asyncio.wait_for", "asyncio.to_thread"})


def check_awaits(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST106 for coroutines that are dropped, asked for their truth, or handed to a step as if they were values."""
    for body in bodies:
        if body.only_in_plain_flows:
            continue
        steps = {id(found.call): found for found in references(flow_class, body) if found.call is not None}
        for located in body.nodes:
            if not isinstance(located.node, Call):
                continue
            reference = steps.get(id(located.node))
            if reference is not None and reference.through in {Through.SELF, Through.OBJECT}:
                method = reference.owned.method
                if method.is_async and not method.is_generator and method.kind in {Kind.STEP, Kind.OTHER}:
                    yield from _lost(steps, body, located, described(method))
            elif is_wait(body, located.node):
                if _waits_async(flow_class, body, located.node):
                    yield from _lost(steps, body, located, "`wait_for_signal`")
            elif (origin := body.origin(located.node.function)) in COROUTINES:
                yield from _lost(steps, body, located, f"`{origin}`")


def _waits_async(flow_class: FlowClass, body: FlowBody, call: Call) -> bool:
    for node in walk(*call.arguments[:1]):
        name = getattr(node, "name", None)
        member = flow_class.members.get(name) if isinstance(name, str) else None
        if member is not None and member.method.kind is Kind.SIGNAL:
            return member.method.is_async
    return False


def _lost(steps: Mapping[int, Reference], body: FlowBody, located: Located, what: str) -> Iterator[Diagnostic]:
    label = _how(steps, body, located)
    if label is not None:
        assert isinstance(located.node, Call)
        yield Diagnostic(
            code=Code.NEVER_AWAITED,
            message=f"the coroutine of {what} is never awaited, so it never runs",
            file=body.module.file,
            span=located.node.function.span,
            label=label,
            help=_remedy(body, located, located.node),
        )


def _remedy(body: FlowBody, located: Located, call: Call) -> str:
    if not body.colour_at(located):
        return "return the coroutine to the async flow, and `await` it there"
    shown = f"{dotted(call.function) or 'it'}{'(...)' if call.arguments else '()'}"
    return f"write `await {shown}`; several at once: `await asyncio.gather(...)`"


def _how(steps: Mapping[int, Reference], body: FlowBody, located: Located) -> str | None:
    """How the value of an expression gets lost; None when something may still await it."""
    above = list(reversed(located.around))
    inner = located.node
    for index, node in enumerate(above):
        match node:
            case Do():
                return "dropped here"
            case Conditional(test=test):
                if inner is test:
                    return "a coroutine is always true"
            case Operation(operator="and" | "or"):
                if inner is node.left:
                    return "a coroutine is always true"
            case Operation():
                return "compared or combined as a coroutine, not as its result"
            case Unary():
                return "a coroutine is always true" if node.operator == "not" else "a coroutine is no number"
            case Branch(test=test) | WhileLoop(test=test):
                return "a coroutine is always true" if inner is test else None
            case Display() | Comprehension():
                # Only a statement that is nothing but the list drops what is in it.
                return "dropped here" if isinstance(above[index + 1], Do) and _is_element(node, inner) else None
            case Assign(value=value, targets=targets) if inner is value:
                names = {name for target in targets for name in bound_names(target)}
                only_names = all(isinstance(target, Name) for target in targets)
                return "kept, and never looked at" if only_names and not names & _read(body) else None
            case Return():
                is_flow = body.method.kind is Kind.FLOW and not _in_nested(above)
                return "returned as a coroutine, not as its result" if is_flow and body.method.is_async else None
            case Argument():
                return _handed_to_step(steps, above[index + 1])
            case _:
                return None
        inner = node
    return None


def _is_element(holder: Display | Comprehension, inner: object) -> bool:
    return isinstance(holder, Display) or any(inner is element for element in holder.elements)


def _in_nested(around: Sequence[object]) -> bool:
    return any(isinstance(node, NestedFunction | Lambda) for node in around)


def _handed_to_step(steps: Mapping[int, Reference], call: object) -> str | None:
    reference = steps.get(id(call))
    if reference is None or reference.owned.method.kind is not Kind.STEP:
        return None
    return f"handed to `{reference.attribute.name}` as a coroutine, not as its result"


def _read(body: FlowBody) -> frozenset[str]:
    """The names whose value is looked at somewhere in the body."""
    return frozenset(
        located.node.name
        for located in body.nodes
        if isinstance(located.node, Name)
        and not (isinstance(located.parent, Assign) and any(located.node is each for each in located.parent.targets))
    )
