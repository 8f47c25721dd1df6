"""What belongs into plain flows, in async ones: plain steps that are awaited, branches and sleeps of plain flows."""

from collections.abc import Iterator, Sequence

from persistc.checks.flow_class import FlowClass, defined_here, described
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.references import Reference, Through, references
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Argument,
    Attribute,
    Await,
    Call,
    Comprehension,
    Conditional,
    Display,
    Lambda,
    Name,
    NestedFunction,
    Node,
    Starred,
    WithItem,
    dotted,
)
from persistc.model import PACKAGE, Kind, Method

_TAKE_ALL = frozenset({"asyncio.gather"})
_TAKE_FIRST = frozenset(
    f"asyncio.{name}" for name in ("as_completed", "create_task", "ensure_future", "shield", "wait", "wait_for")
)
_FIRST = frozenset({None, "arg", "coro", "coro_or_future", "fs", "fut"})
_TASK_GROUPS = frozenset({"asyncio.TaskGroup", "asyncio.taskgroups.TaskGroup"})

_INSTEAD = {
    f"{PACKAGE}.parallel": "`await asyncio.gather(...)`, or `async with asyncio.TaskGroup() as group:`",
    f"{PACKAGE}.sleep": "`await asyncio.sleep(seconds)`",
}


def check_plain_in_async(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST109 for plain steps taken for coroutines, and for `parallel()` and `sleep` of plain flows."""
    for body in bodies:
        flow = next((flow for flow in body.flows if flow.is_async), None)
        if flow is None:
            continue
        for reference in references(flow_class, body):
            method = reference.owned.method
            if reference.through is Through.SELF and method.kind is Kind.STEP and not method.is_async:
                yield from _taken_for_coroutine(body, reference)
        for located in body.nodes:
            if isinstance(located.node, Call):
                yield from _of_plain_flows(body, flow, located, located.node)


def _taken_for_coroutine(body: FlowBody, reference: Reference) -> Iterator[Diagnostic]:
    taker = _taker(body, reference.located.around[:-1], reference.call) if reference.call is not None else None
    if taker is None or reference.call is None:
        return
    called = f"{body.self_name}.{reference.attribute.name}"
    branch = f"asyncio.to_thread({called}{', ...' if reference.call.arguments else ''})"
    is_awaited = isinstance(taker, Await)
    yield Diagnostic(
        code=Code.PLAIN_IN_ASYNC_FLOW,
        message=(
            f"the result of plain {described(reference.owned.method)} is awaited"
            if is_awaited
            else f"the result of plain {described(reference.owned.method)} is handed to `{_shown(taker)}`"
        ),
        file=body.module.file,
        span=reference.attribute.span,
        label="gives back a value, not a coroutine",
        help=(
            f"call it without `await`, or make it a branch of its own: `await {branch}`"
            if is_awaited
            else f"make it a branch of its own: `{branch}`"
        ),
        notes=(defined_here(reference.owned),),
    )


def _shown(taker: Node) -> str | None:
    return dotted(taker.function) if isinstance(taker, Call) else None


def _taker(body: FlowBody, around: Sequence[Node], value: Node) -> Await | Call | None:
    """What awaits a value: an `await`, or the call of asyncio it is handed to."""
    inner = value
    for index in range(len(around) - 1, -1, -1):
        match around[index]:
            case Await() as awaiting:
                return awaiting
            case Argument() as argument:
                call = around[index - 1]
                is_unpacked = argument.star and inner is value
                return call if isinstance(call, Call) and _awaits(body, call, argument) and not is_unpacked else None
            case Conditional(test=test):
                if inner is test:
                    return None
            case Comprehension(elements=elements):
                if not any(inner is element for element in elements):
                    return None
            case Starred():
                if inner is value:
                    return None
            case Display():
                pass
            case _:
                return None
        inner = around[index]
    return None


def _awaits(body: FlowBody, call: Call, argument: Argument) -> bool:
    origin = body.origin(call.function)
    if origin in _TAKE_ALL:
        return argument.keyword is None
    is_first = argument is call.arguments[0] if argument.keyword is None else argument.keyword in _FIRST
    return is_first and (origin in _TAKE_FIRST or _makes_task_of_group(body, call))


def _makes_task_of_group(body: FlowBody, call: Call) -> bool:
    match call.function:
        case Attribute(value=Name(name=group), name="create_task"):
            return group in _task_groups(body)
        case _:
            return False


def _task_groups(body: FlowBody) -> frozenset[str]:
    """The names of task groups: those of `async with asyncio.TaskGroup() as group`, and parameters declared as one."""
    opened = (
        located.node.target.name
        for located in body.nodes
        if isinstance(located.node, WithItem)
        and isinstance(located.node.target, Name)
        and isinstance(located.node.value, Call)
        and body.origin(located.node.value.function) in _TASK_GROUPS
    )
    handed_in = (
        parameter.name
        for parameter in body.method.parameters
        if parameter.annotation is not None and body.origin(parameter.annotation.expression) in _TASK_GROUPS
    )
    return frozenset((*opened, *handed_in))


def _of_plain_flows(body: FlowBody, flow: Method, located: Located, call: Call) -> Iterator[Diagnostic]:
    origin = body.origin(call.function)
    instead = _INSTEAD.get(origin or "")
    if origin is None or instead is None or not _runs_in_async(body, located):
        return
    name = origin.rpartition(".")[2]
    shown = "`parallel()`" if name == "parallel" else "`persistasaurus.sleep`"
    in_async = "" if body.colour_at(located) else f"`async def {body.method.name}`, and in it "
    yield Diagnostic(
        code=Code.PLAIN_IN_ASYNC_FLOW,
        message=f"{shown} is for plain flows, and `{flow.name}` is an async one",
        file=body.module.file,
        span=call.function.span,
        label="raises `NotInFlow` here",
        help=f"write {in_async}{instead}",
    )


def _runs_in_async(body: FlowBody, located: Located) -> bool:
    """Whether only async flows run a node: in an `async def`, or in a plain method that no plain flow calls."""
    if body.colour_at(located):
        return True
    nested = any(isinstance(node, NestedFunction | Lambda) for node in located.around)
    return not nested and all(flow.is_async for flow in body.flows)
