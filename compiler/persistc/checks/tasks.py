"""Tasks that a flow begins and does not wait for: what of them is not done when it returns is cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.task_values import begins_task
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Argument,
    Assign,
    Attribute,
    Call,
    Comprehension,
    Conditional,
    Display,
    Do,
    Expression,
    Name,
    Subscript,
    bound_names,
    dotted,
)

# What may be asked of a task without waiting for it, and what only puts it into a container.
_QUESTIONS = frozenset({"cancelled", "done", "get_coro", "get_name", "set_name"})
_KEEPING = frozenset({"add", "append", "appendleft", "discard", "insert", "remove"})


def check_tasks(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST212 for tasks that are dropped, or kept under a name that nobody waits for."""
    for body in bodies:
        made = [located for located in body.nodes if begins_task(body, located.node)]
        if not made:
            continue
        waited = _waited(body)
        for located in made:
            label = _how(body, located, waited)
            if label is not None and isinstance(located.node, Call):
                yield _never_awaited(body, located.node, label)


def _waited(body: FlowBody) -> frozenset[str]:
    """The names whose value is used for more than to ask a task how it is, or to put another into a container."""
    return frozenset(located.node.name for located in body.nodes if isinstance(located.node, Name) and _is_use(located))


def _is_use(located: Located) -> bool:
    parent = located.parent
    above = located.around[-2] if len(located.around) > 1 else None
    match parent:
        case Assign(targets=targets):
            return not any(located.node is target for target in targets)
        case Attribute(name=name) if isinstance(above, Call) and above.function is parent:
            return name not in _QUESTIONS | _KEEPING
        case Subscript(value=value) if value is located.node and isinstance(above, Assign):
            return not any(parent is target for target in above.targets)
        case _:
            return True


def _how(body: FlowBody, located: Located, waited: frozenset[str]) -> str | None:
    """How a task gets lost; None when something may wait for it."""
    inner = located.node
    around = list(reversed(located.around))
    for index, node in enumerate(around):
        match node:
            case Do():
                return "dropped here"
            case Conditional() if inner is not node.test:
                pass
            case Display() | Comprehension():
                pass
            case Assign(value=value, targets=targets) if inner is value:
                return _kept(targets, waited)
            case Argument():
                call = around[index + 1]
                match call:
                    case Call(function=Attribute(value=Name(name=holder), name=name)) if name in _KEEPING:
                        kept_here = body.assigned.get(holder)
                        return "kept, and never awaited" if kept_here and holder not in waited else None
                    case _:
                        return None
            case _:
                return None
        inner = node
    return None


def _kept(targets: Sequence[Expression], waited: frozenset[str]) -> str | None:
    holders: set[str] = set()
    for target in targets:
        match target:
            case Subscript(value=Name(name=name)):
                holders.add(name)
            case Subscript() | Attribute():
                return None
            case _:
                holders.update(bound_names(target))
    return "kept, and never awaited" if holders and not holders & waited else None


def _never_awaited(body: FlowBody, call: Call, label: str) -> Diagnostic:
    shown = dotted(call.function) or "create_task"
    return Diagnostic(
        code=Code.TASK_NEVER_AWAITED,
        message=f"nobody waits for what `{shown}` begins: unless it is done by then, the end of the flow cancels it",
        file=body.module.file,
        span=call.function.span,
        label=label,
        help="`await` it before the flow returns, or begin it in `async with asyncio.TaskGroup() as group:`",
    )
