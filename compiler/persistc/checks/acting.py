"""What an expression does while a set is gone over: whether it matters for which element it is done first."""

from __future__ import annotations

from collections.abc import Set

from persistc.checks.flow_code import FlowBody
from persistc.flow_tree import (
    Assigned,
    Attribute,
    Await,
    Call,
    Constant,
    Expression,
    Lambda,
    Name,
    Node,
    Subscript,
    Yield,
    walk,
)
from persistc.model import PACKAGE

_VALUES = frozenset(
    f"builtins.{name}"
    for name in ("abs", "all", "any", "bool", "float", "int", "isinstance", "len", "max", "min", "round", "sorted")
) | {"builtins.str", "builtins.sum", "builtins.tuple"}
"""Builtins that give the same for the same argument, whenever they are called."""
_ACTING = (f"{PACKAGE}.", "asyncio.", "builtins.next", "builtins.setattr")


def acts(body: FlowBody, value: Expression, names: Set[str]) -> bool:
    """Whether it may do something, or draw something, so that it matters for which element it is done first."""
    return any(_acts_itself(body, node, names) for node in walk(value))


def _acts_itself(body: FlowBody, node: Node, names: Set[str]) -> bool:
    match node:
        case Await() | Yield() | Assigned() | Lambda():
            return True
        case Call(function=function):
            origin = body.origin(function)
            if origin is None:
                return not _is_method_of(function, names)
            return origin.startswith(_ACTING) or _is_of_object(body, function)
        case _:
            return False


def _is_of_object(body: FlowBody, function: Expression) -> bool:
    """Whether it is a method of what a module has made, which may be anything: `BILLING.charge`."""
    owner = body.origin(function.value) if isinstance(function, Attribute) else None
    found = body.project.binding(owner) if owner is not None else None
    return found is not None and found[0].value is not None


def is_value(body: FlowBody, value: Expression, names: Set[str]) -> bool:
    """Whether it depends on the element alone, and on what does not change meanwhile."""
    return not any(
        _acts_itself(body, node, names)
        or (
            isinstance(node, Call)
            and not _is_method_of(node.function, names)
            and body.origin(node.function) not in _VALUES
        )
        for node in walk(value)
    )


def _is_method_of(function: Expression, names: Set[str]) -> bool:
    """Whether it is a method of an element, or of what one of its methods gives, or of a text that is written out."""
    match function:
        case Attribute(value=Name(name=name)):
            return name in names
        case Attribute(value=Constant()):
            return True
        case Attribute(value=Call(function=inner) | Subscript(value=inner)):
            return _is_method_of(inner, names)
        case Attribute(value=Attribute() as inner):
            return _is_method_of(inner, names)
        case _:
            return False
