"""Waits for signals: for a signal of this class, of the colour of the flow that waits."""

from collections.abc import Iterator, Sequence

from persistc.checks.calls import is_wait
from persistc.checks.flow_class import FlowClass, defined_here, described
from persistc.checks.flow_code import FlowBody, Located
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Attribute, Call, Conditional, Expression, Name, dotted
from persistc.model import Kind
from persistc.project import Owned


def check_waits(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST104 for waits for anything but a signal of the class, PST105 for a signal of the other colour."""
    for body in bodies:
        for located in body.nodes:
            if isinstance(located.node, Call) and is_wait(body, located.node):
                for named in _alternatives(_first(located.node)):
                    yield from _waited_for(flow_class, body, located, named)


def _first(call: Call) -> Expression | None:
    for argument in call.arguments:
        if argument.keyword in {None, "signal"}:
            return None if argument.star else argument.value
    return None


def _alternatives(expression: Expression | None) -> Iterator[Expression]:
    match expression:
        case None:
            return
        case Conditional(body=body, orelse=orelse):
            yield from _alternatives(body)
            yield from _alternatives(orelse)
        case _:
            yield expression


def _waited_for(flow_class: FlowClass, body: FlowBody, located: Located, named: Expression) -> Iterator[Diagnostic]:
    if isinstance(named, Name) and named.name in body.local_names:
        return  # a variable: what it holds is looked at when the flow waits
    if isinstance(named, Call) and isinstance(named.function, Attribute) and body.is_self(named.function.value):
        called = flow_class.members.get(named.function.name)
        if called is not None and called.method.kind is Kind.SIGNAL:
            yield _called(body, named, called)
            return
    if isinstance(named, Attribute) and body.is_self(named.value):
        member = flow_class.members.get(named.name)
        if member is not None and member.method.kind is Kind.SIGNAL:
            yield from _colour(body, located, named, member)
        else:
            yield _no_signal(flow_class, body, named, member)
        return
    yield _not_of_this_class(flow_class, body, named)


def _called(body: FlowBody, named: Call, signal: Owned) -> Diagnostic:
    return Diagnostic(
        code=Code.WAIT_FOR_NO_SIGNAL,
        message=f"{described(signal.method)} is called here, not named: its arguments come from outside",
        file=body.module.file,
        span=named.span,
        label="a call, whose result is no signal",
        help=f"name the signal without brackets: `wait_for_signal({body.self_name}.{signal.method.name})`",
        notes=(defined_here(signal),),
    )


def _no_signal(flow_class: FlowClass, body: FlowBody, named: Attribute, member: Owned | None) -> Diagnostic:
    what = described(member.method) if member is not None else f"`{body.self_name}.{named.name}`"
    notes: tuple[Note, ...] = () if member is None else (defined_here(member),)
    return Diagnostic(
        code=Code.WAIT_FOR_NO_SIGNAL,
        message=f"{what} is not a signal of `{flow_class.cls.name}`: nobody could send it",
        file=body.module.file,
        span=named.span,
        label="the flow would wait for ever",
        help=(
            _signals(flow_class, body)
            if member is None or member.method.kind is not Kind.OTHER
            else f"write `@signal` above `{named.name}`"
        ),
        notes=notes,
    )


def _not_of_this_class(flow_class: FlowClass, body: FlowBody, named: Expression) -> Diagnostic:
    shown = dotted(named)
    name = named.name if isinstance(named, Attribute) else None
    own = flow_class.members.get(name or "")
    is_own_signal = own is not None and own.method.kind is Kind.SIGNAL
    return Diagnostic(
        code=Code.WAIT_FOR_NO_SIGNAL,
        message=(
            f"`{shown}` is not a signal of this flow" if shown is not None else "this is not a signal of this flow"
        ),
        file=body.module.file,
        span=named.span,
        label=f"not reached through `{body.self_name}`",
        help=f"write `wait_for_signal({body.self_name}.{name})`" if is_own_signal else _signals(flow_class, body),
    )


def _signals(flow_class: FlowClass, body: FlowBody) -> str:
    signals = [
        f"`{body.self_name}.{name}`" for name, owned in flow_class.members.items() if owned.method.kind is Kind.SIGNAL
    ]
    if not signals:
        return f"mark a method of `{flow_class.cls.name}` with `@signal`, and wait for that"
    return f"the signals of `{flow_class.cls.name}` are {', '.join(signals)}"


def _colour(body: FlowBody, located: Located, named: Attribute, signal: Owned) -> Iterator[Diagnostic]:
    waits_async = body.colour_at(located)
    if waits_async == signal.method.is_async or (not waits_async and not body.only_in_plain_flows):
        return
    flow = body.flows[0].name
    here, there = ("async", "plain") if waits_async else ("plain", "async")
    yield Diagnostic(
        code=Code.WAIT_ACROSS_COLOURS,
        message=f"{here} flow `{flow}` waits for {there} {described(signal.method)}",
        file=body.module.file,
        span=named.span,
        label="gives back a value, which cannot be awaited"
        if waits_async
        else "gives back a coroutine that never runs",
        help=(
            f"write `async def {signal.method.name}`"
            if waits_async
            else f"write `def {signal.method.name}`, or make the flow `async def`"
        ),
        notes=(defined_here(signal),),
    )
