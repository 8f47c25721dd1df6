"""What flow code takes element by element and only a type checker knows whether it is a set (PST206).

A set that is written out or declared is seen without one; what a method or an attribute of another object gives is not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from persistc.checks.flow_class import flow_classes
from persistc.checks.flow_code import FlowBody, Located, flow_code
from persistc.checks.set_order import taken_in_order
from persistc.flow_tree import (
    Assign,
    Call,
    Clause,
    Compound,
    Comprehension,
    Constant,
    Display,
    Expression,
    ForLoop,
    Name,
    Node,
    WithItem,
)
from persistc.project import Project
from persistc.spans import Position

_F_STRING = re.compile(r"\b[rR]?[fF][rR]?['\"]")
_KNOWN = frozenset(
    f"builtins.{name}"
    for name in ("dict", "enumerate", "filter", "frozenset", "len", "list", "map", "max", "min", "range", "reversed")
) | frozenset(f"builtins.{name}" for name in ("set", "sorted", "sum", "tuple", "zip"))
"""Builtins of which it can be seen whether they give a set."""


@dataclass(frozen=True, slots=True)
class Iterated:
    """An expression of flow code that is taken element by element."""

    path: str
    file: str
    expression: Expression
    label: str
    """What is the matter there if it is a set."""


def typed_iterables(project: Project) -> tuple[Iterated, ...]:
    """All of them, each once, in order, an outer one before those within it."""
    found = {
        Iterated(body.module.path, body.module.file, expression, label)
        for flow_class in flow_classes(project)
        for body in flow_code(flow_class)
        for located in body.nodes
        if not is_in_f_string(located) and not _is_target(located)
        for expression, label in taken_in_order(body, located)
        if not _is_known(body, expression)
    }
    first = {(each.path, each.expression.span): each for each in sorted(found, key=lambda each: each.label)}
    return tuple(sorted(first.values(), key=_place))


def _place(each: Iterated) -> tuple[str, Position, int, int]:
    span = each.expression.span
    return each.path, span.start, -span.end.line, -span.end.column


def is_in_f_string(located: Located) -> bool:
    """Whether no line may end there, as must be for a question about its type: in f-strings before Python 3.12."""
    return any(isinstance(node, Compound) and _F_STRING.search(node.text) for node in located.around)


def _is_target(located: Located) -> bool:
    """Whether a node stands where something is assigned: `first, *rest = line`."""
    line: Sequence[Node] = (*located.around, located.node)
    return any(inside in _targets(node) for node, inside in pairwise(line))


def _targets(node: Node) -> tuple[Node, ...]:
    match node:
        case Assign(targets=targets):
            return targets
        case ForLoop(target=target) | Clause(target=target):
            return (target,)
        case WithItem(target=target) if target is not None:
            return (target,)
        case _:
            return ()


def _is_known(body: FlowBody, expression: Expression) -> bool:
    """Whether it can be seen without types that this is a set, or that it is none."""
    match expression:
        case Constant() | Display() | Comprehension():
            return True
        case Call(function=Name() as function):
            return body.origin(function) in _KNOWN
        case _:
            return False
