"""Calls in flow code that go round the proxy, or that a flow cannot make."""

from collections.abc import Iterator, Sequence

from persistc.checks.flow_class import FlowClass, defined_here, described
from persistc.checks.flow_code import FlowBody, reached_step
from persistc.checks.modules import import_for_annotations
from persistc.checks.references import Reference, Through, references
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import Argument, Attribute, Call, Expression, dotted
from persistc.model import PACKAGE, Kind, Method
from persistc.versions import kept_of, version


def check_calls(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST100, PST101 and PST102 for steps not called on `self`; PST103, PST107 and PST108 for those that are."""
    for body in bodies:
        for reference in references(flow_class, body):
            if reference.is_kept and not _waited_for(body, reference):
                yield from _of_reference(flow_class, body, reference)


def _of_reference(flow_class: FlowClass, body: FlowBody, reference: Reference) -> Iterator[Diagnostic]:
    kind = reference.owned.method.kind
    if kind is Kind.SIGNAL:
        if reference.call is not None:
            yield _signal_called(body, reference)
    elif kind is Kind.FLOW:
        if reference.is_used and not _goes_on(body, reference):
            yield _flow_called(body, reference)
    elif kind is Kind.STEP:
        match reference.through:
            case Through.SUPER:
                yield _through_super(body, reference)
            case Through.CLASS:
                yield _through_class(body, reference)
            case Through.OBJECT:
                yield _of_unproxied(body, reference)
            case Through.SELF:
                yield from _colour(body, reference)
    elif reference.through is Through.SELF and reference.call is not None:
        yield from _colour(body, reference)
    elif reference.through is Through.OBJECT:
        step = reached_step(flow_class.project, reference.owned)
        if step is not None:
            yield _of_unproxied(body, reference, step)


def is_wait(body: FlowBody, expression: Expression) -> bool:
    """Whether a call is one of `wait_for_signal`."""
    return isinstance(expression, Call) and body.origin(expression.function) == f"{PACKAGE}.wait_for_signal"


def _waited_for(body: FlowBody, reference: Reference) -> bool:
    """Named, or called by mistake, as what `wait_for_signal` waits for: `waits` has the word on that."""
    calls = (
        node for node in reversed(reference.located.around) if isinstance(node, Call) and node is not reference.call
    )
    nearest = next(calls, None)
    return nearest is not None and is_wait(body, nearest)


def _goes_on(body: FlowBody, reference: Reference) -> bool:
    """`super().place_order()` in an override of it, or in one that keeps what the class ran when it had no override:
    the same flow, in the base class's words."""
    names = {body.method.name, kept_of(body.method)}
    return reference.through is Through.SUPER and reference.attribute.name in names


def _arguments(reference: Reference, skip: int = 0) -> str:
    call = reference.call
    if call is None:
        return ""
    return "(...)" if len(call.arguments) > skip else "()"


def _on_self(body: FlowBody, reference: Reference, skip: int = 0) -> str:
    return f"{body.self_name}.{reference.attribute.name}{_arguments(reference, skip)}"


def _through_super(body: FlowBody, reference: Reference) -> Diagnostic:
    return Diagnostic(
        code=Code.STEP_THROUGH_SUPER,
        message=f"{described(reference.owned.method)} is called through `super()`, past the proxy and past the log",
        file=body.module.file,
        span=reference.attribute.span,
        label="runs again at every replay",
        help=f"call it on the instance: `{_on_self(body, reference)}`",
        notes=(defined_here(reference.owned),),
    )


def _through_class(body: FlowBody, reference: Reference) -> Diagnostic:
    return Diagnostic(
        code=Code.STEP_THROUGH_CLASS,
        message=f"{described(reference.owned.method)} is called through its class, past the proxy and past the log",
        file=body.module.file,
        span=reference.attribute.span,
        label="runs again at every replay",
        help=f"call it on the instance: `{_on_self(body, reference, 1)}`",
        notes=(defined_here(reference.owned),),
    )


def _of_unproxied(body: FlowBody, reference: Reference, step: Method | None = None) -> Diagnostic:
    """`step` is the one that the method called here leads to, when it is none itself."""
    cls = reference.on.name
    what = described(reference.owned.method)
    by_way_of = "" if step is None else f", and calls {described(step)}"
    shown = dotted(reference.attribute.value) or f"{cls}(...)"
    remedy = (
        f"declare it as the proxy, `{shown.rpartition('.')[2]}: Durable{cls}`, and hand one in"
        if isinstance(reference.attribute.value, Attribute)
        else f"hand a proxy to `__init__`, `def __init__(self, {cls.lower()}: Durable{cls})`, and use that"
    )
    if reference.on.qualified == f"{body.module.name}.{cls}":
        only_annotations = import_for_annotations(body.module, f"Durable{cls}")
        remedy += f"; it is generated from this file, so import it for annotations only:\n\n{only_annotations}"
    return Diagnostic(
        code=Code.STEP_OF_UNPROXIED_OBJECT,
        message=f"{what} is called on a `{cls}`, which is not a proxy{by_way_of}: it is not logged",
        file=body.module.file,
        span=reference.attribute.span,
        label=f"`{shown}` is a `{cls}`, so this runs again at every replay",
        help=remedy,
        notes=(defined_here(reference.owned),),
    )


def _signal_called(body: FlowBody, reference: Reference) -> Diagnostic:
    awaited = "await " if reference.owned.method.is_async else ""
    return Diagnostic(
        code=Code.SIGNAL_CALLED,
        message=f"{described(reference.owned.method)} is called by the flow; its arguments come from outside",
        file=body.module.file,
        span=reference.attribute.span,
        label="nothing is waited for here",
        help=f"wait for it: `{awaited}wait_for_signal({body.self_name}.{reference.attribute.name})`",
        notes=(defined_here(reference.owned),),
    )


def _flow_called(body: FlowBody, reference: Reference) -> Diagnostic:
    name = reference.attribute.name
    caller = body.flows[0].name
    message = (
        f"flow `{name}` calls itself"
        if name == caller and body.method.kind is Kind.FLOW
        else f"flow `{caller}` calls flow `{name}`, which would run under no flow id"
    )
    label = "a flow is started through an engine"
    if (kept := kept_of(reference.owned.method)) is not None and name != caller:
        message = f"flow `{caller}` calls `{name}`, the kept version {version(reference.owned.method)} of `{kept}`"
        label = "only flows that started on that version run it"
    return Diagnostic(
        code=Code.FLOW_CALLS_FLOW,
        message=message,
        file=body.module.file,
        span=reference.attribute.span,
        label=label,
        help=f"move what both do into a method without a mark, `async def _{name}(self, ...)`, and call that in both"
        if reference.owned.method.is_async
        else f"move what both do into a method without a mark, `def _{name}(self, ...)`, and call that in both",
        notes=(defined_here(reference.owned),),
    )


def _colour(body: FlowBody, reference: Reference) -> Iterator[Diagnostic]:
    """A plain flow cannot await; a plain helper of an async flow may well hand the coroutine to it."""
    method = reference.owned.method
    if not method.is_async or method.is_generator or not body.only_in_plain_flows or body.colour_at(reference.located):
        return
    flow = body.flows[0]
    if reference.call is None and not _is_branch(reference):
        return
    yield Diagnostic(
        code=Code.ASYNC_STEP_IN_PLAIN_FLOW,
        message=f"plain flow `{flow.name}` calls async {described(method)}, and cannot await it",
        file=body.module.file,
        span=reference.attribute.span,
        label="makes a coroutine that never runs",
        help=f"write `async def {flow.name}` and `await` the call, or make `{method.name}` a plain `def`",
        notes=(defined_here(reference.owned),),
    )


def _is_branch(reference: Reference) -> bool:
    """Handed to `branches.start(...)`."""
    around = reference.located.around
    holder = around[-2] if len(around) > 1 else None
    return (
        isinstance(around[-1], Argument)
        and isinstance(holder, Call)
        and isinstance(holder.function, Attribute)
        and holder.function.name == "start"
    )
