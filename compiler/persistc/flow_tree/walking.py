"""Going over the tree, and the small questions about names in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TypeAlias, get_args

from persistc.flow_tree.expressions import Argument, Attribute, Clause, Display, Expression, Name, Quoted, Starred
from persistc.flow_tree.statements import Case, Handler, Statement, WithItem

Node: TypeAlias = Expression | Statement | Argument | Clause | Handler | WithItem | Case

NODES = (
    *get_args(Expression),
    *get_args(Statement),
    Argument,
    Clause,
    Handler,
    WithItem,
    Case,
)

_LEAVES = frozenset({"span", "name", "text", "operator", "kind", "keyword", "star", "is_async", "is_from", "is_group"})
_PARTS: Mapping[type, tuple[str, ...]] = {
    node: tuple(field.name for field in fields(node) if field.name not in _LEAVES) for node in NODES
}
"""The fields of each kind of node that may hold nodes."""


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below one, in the order they are written."""
    for name in _PARTS[type(node)]:
        value = getattr(node, name)
        if isinstance(value, tuple):
            yield from (part for part in value if isinstance(part, NODES))
        elif isinstance(value, NODES):
            yield value


def walk(*roots: Node) -> Iterator[Node]:
    """The nodes given and all below them, each before its children."""
    for root in roots:
        yield root
        yield from walk(*children(root))


def dotted(expression: Expression) -> str | None:
    """`a.b.c` as text when the expression is nothing but a name and attributes of it."""
    match expression:
        case Name(name=name):
            return name
        case Attribute(value=value, name=name):
            return f"{owner}.{name}" if (owner := dotted(value)) else None
        case Quoted(inner=inner):
            return dotted(inner)
        case _:
            return None


def bound_names(target: Expression) -> Iterator[str]:
    """The plain names an assignment to this target binds."""
    match target:
        case Name(name=name):
            yield name
        case Display(items=items):
            for item in items:
                yield from bound_names(item)
        case Starred(value=value):
            yield from bound_names(value)
        case _:
            return
