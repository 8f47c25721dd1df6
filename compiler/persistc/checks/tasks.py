"""Tasks that a flow begins and does not wait for: what of them is not done when it returns is cancelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.lost_values import is_lost, is_lost_in_container, names_in_use
from persistc.checks.task_values import begins_task
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Argument,
    Assign,
    Call,
    Comprehension,
    Conditional,
    Display,
    Do,
    dotted,
)

_KEPT = "kept, and never awaited"


def check_tasks(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST212 for tasks that are dropped, or kept under a name that nobody waits for."""
    for body in bodies:
        made = [located for located in body.nodes if begins_task(body, located.node)]
        if not made:
            continue
        waited = names_in_use(body)
        for located in made:
            label = _how(body, located, waited)
            if label is not None and isinstance(located.node, Call):
                yield _never_awaited(body, located.node, label)


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
                return _KEPT if is_lost(targets, waited) else None
            case Argument():
                return _KEPT if is_lost_in_container(body, around[index + 1], waited) else None
            case _:
                return None
        inner = node
    return None


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
