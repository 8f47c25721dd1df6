"""Names under which a body keeps what nobody waits for: a task or a coroutine in a variable, or in a list."""

from __future__ import annotations

from collections.abc import Sequence

from persistc.checks.flow_code import FlowBody, Located
from persistc.flow_tree import Assign, Attribute, Call, Expression, Name, Node, Subscript, bound_names

# What may be asked of a task without waiting for it, and what only puts it into a container.
_QUESTIONS = frozenset({"cancelled", "done", "get_coro", "get_name", "set_name"})
_KEEPING = frozenset({"add", "append", "appendleft", "discard", "insert", "remove"})


def names_in_use(body: FlowBody) -> frozenset[str]:
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


def is_lost(targets: Sequence[Expression], used: frozenset[str]) -> bool:
    """Whether what is assigned to these is under names only that nobody makes use of."""
    holders: set[str] = set()
    for target in targets:
        match target:
            case Subscript(value=Name(name=name)):
                holders.add(name)
            case Subscript() | Attribute():
                return False
            case _:
                holders.update(bound_names(target))
    return bool(holders) and not holders & used


def is_lost_in_container(body: FlowBody, call: Node, used: frozenset[str]) -> bool:
    """Whether a call puts its argument into a container that the body has made, and that nobody makes use of."""
    match call:
        case Call(function=Attribute(value=Name(name=holder), name=name)) if name in _KEEPING:
            return bool(body.assigned.get(holder)) and holder not in used
        case _:
            return False
