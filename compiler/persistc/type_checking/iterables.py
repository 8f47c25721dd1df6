"""What flow code iterates over, for mypy to tell the type of: a set comes in another order in every process.

persistc sees a set that is written out or declared; what a method or an attribute gives, only a type checker knows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from persistc.checks.flow_class import flow_classes
from persistc.checks.flow_code import FlowBody, Located, flow_code
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Argument,
    Assign,
    Call,
    Clause,
    Comprehension,
    Constant,
    Display,
    Expression,
    ForLoop,
    Name,
    Node,
    Starred,
    WithItem,
)
from persistc.project import Project
from persistc.spans import Position, Span
from persistc.type_checking.mypy import Report

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_REVEALED: Final = re.compile(r'Revealed type is "(?P<type>.*)"\Z')
_OPEN: Final = "reveal_type("
_SETS: Final = frozenset({"set", "frozenset", "AbstractSet", "MutableSet", "Set"})
_HOMES: Final = frozenset({"", "builtins", "typing", "typing_extensions", "collections.abc"})
_HASHED_BY_NUMBER: Final = ("asyncio.", "_asyncio.")
"""Tasks and futures of a flow loop have a hash that is the same at replay (G4)."""
_IN_ORDER: Final = frozenset({"list", "tuple", "enumerate", "iter"})
"""Builtins that go through their argument and keep its order."""
_ORDER_BLIND: Final = frozenset({"sorted", "set", "frozenset", "min", "max", "any", "all", "len"})
"""Builtins whose result is the same whatever the order."""
_OF_KNOWN_ORDER: Final = frozenset({"range", "zip", "map", "filter", "reversed", "dict"}) | _IN_ORDER | _ORDER_BLIND


@dataclass(frozen=True, slots=True)
class Iterated:
    """An expression of flow code that is iterated over."""

    path: str
    file: str
    span: Span


@dataclass(frozen=True, slots=True)
class Shadow:
    """The text of a file with `reveal_type(...)` around what is iterated over, every line where it was."""

    text: str
    asked: tuple[tuple[Position, Iterated], ...]
    """Where each begins in that text, in order."""


def typed_iterables(project: Project) -> tuple[Iterated, ...]:
    """What flow code iterates over and only a type checker can know, each once, in order."""
    found = {
        Iterated(body.module.path, body.module.file, iterated.span)
        for flow_class in flow_classes(project)
        for body in flow_code(flow_class)
        for located in body.nodes
        for iterated in _iterated(body, located)
        if not _is_known(body, iterated)
    }
    return tuple(sorted(found, key=lambda each: (each.path, each.span)))


def shadow_of(text: str, iterables: Sequence[Iterated]) -> Shadow:
    """The text of one file with a question around each of its iterables."""
    lines = _LINE.findall(text)
    edits = [(each.span.start, _OPEN, each) for each in iterables] + [(each.span.end, ")", None) for each in iterables]
    asked: list[tuple[Position, Iterated]] = []
    grown: dict[int, int] = {}
    # In one place a question ends before the next begins, and the outer one begins first.
    for place, inserted, iterated in sorted(edits, key=lambda edit: (edit[0], edit[2] is not None)):
        number, column = place.line, place.column + grown.get(place.line, 0)
        line = lines[number - 1]
        lines[number - 1] = f"{line[:column]}{inserted}{line[column:]}"
        grown[number] = grown.get(number, 0) + len(inserted)
        if iterated is not None:
            asked.append((Position(number, column + len(inserted)), iterated))
    return Shadow("".join(lines), tuple(asked))


def iterations_over_sets(
    shadows: Mapping[str, Shadow], reports: Sequence[Report], texts: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """PST206 for each iterable whose revealed type is a set; shadows go by path, texts by the name findings show."""
    for path, shadow in shadows.items():
        revealed = [
            (report, found["type"])
            for report in reports
            if report.path == path
            if (found := _REVEALED.match(report.message))
        ]
        for number in {position.line for position, _ in shadow.asked}:
            asked = [each for each in shadow.asked if each[0].line == number]
            answers = sorted((report.column, told) for report, told in revealed if report.line == number)
            for iterated, told in _matched(asked, answers, _LINE.findall(shadow.text)[number - 1]):
                if (shown := _set_in(told)) is not None:
                    yield _finding(iterated, shown, texts[iterated.file])


def _matched(
    asked: Sequence[tuple[Position, Iterated]], answers: Sequence[tuple[int, str]], line: str
) -> Iterator[tuple[Iterated, str]]:
    """Which answer is whose: by their columns where mypy and we count alike, by their order where we may not."""
    if line.isascii():
        by_column = dict(answers)
        yield from ((each, by_column[at.column]) for at, each in asked if at.column in by_column)
    elif len(asked) == len(answers):
        yield from ((each, told) for (_, each), (_, told) in zip(asked, answers, strict=True))


def _finding(iterated: Iterated, shown: str, text: str) -> Diagnostic:
    lines = _LINE.findall(text)
    start, end = iterated.span.start, iterated.span.end
    written = lines[start.line - 1][start.column : end.column] if start.line == end.line else "..."
    return Diagnostic(
        code=Code.SET_ORDER,
        message=f"the flow goes through a set, `{shown}`, whose order is another one at replay",
        file=iterated.file,
        span=iterated.span,
        label=f"`{shown}`, says mypy",
        help=f"write `sorted({written})`, or keep a list",
    )


def _iterated(body: FlowBody, located: Located) -> Iterator[Expression]:
    match located.node:
        case ForLoop(over=over, is_async=False):
            yield over
        case Clause(over=over, is_async=False) if not _order_is_lost(body, located.around):
            yield over
        case Call(arguments=[Argument(value=value, star="", keyword=None)]) as call:
            if _builtin(body, call) in _IN_ORDER and not _order_is_lost(body, (*located.around, call)):
                yield value
        case Argument(value=value, star="*") if not _order_is_lost(body, (*located.around, located.node)):
            yield value
        case Starred(value=value) if isinstance(located.parent, Display) and not _is_target(located):
            if located.parent.kind in {"list", "tuple"}:
                yield value


def _is_target(located: Located) -> bool:
    """Whether a node stands where something is assigned: `first, *rest = line`."""
    line = (*located.around, located.node)
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


def _order_is_lost(body: FlowBody, around: Sequence[object]) -> bool:
    """Whether what is made of the elements, the last node here, goes straight into something without an order."""
    made = around[-1]
    if isinstance(made, Comprehension) and made.kind == "set":
        return True
    above = [node for node in around if not isinstance(node, Argument)]
    taker = above[-1] if isinstance(made, Argument) else above[-2] if len(above) > 1 else None
    return isinstance(taker, Call) and _builtin(body, taker) in _ORDER_BLIND


def _is_known(body: FlowBody, expression: Expression) -> bool:
    """Whether its order, or that it has none, can be seen without types."""
    match expression:
        case Constant() | Display() | Comprehension():
            return True
        case Call():
            return _builtin(body, expression) in _OF_KNOWN_ORDER
        case _:
            return False


def _builtin(body: FlowBody, call: Call) -> str | None:
    """The builtin function that is called."""
    if not isinstance(call.function, Name):
        return None
    home, _, name = (body.origin(call.function) or "").rpartition(".")
    return name if home == "builtins" else None


def _set_in(told: str) -> str | None:
    """The set among the types that a value may have, as it is shown."""
    told = told.removesuffix("?")
    if told.startswith(("Union[", "typing.Union[")):
        told = told[told.index("[") + 1 : -1]
    for member in _members(told):
        name, _, items = member.partition("[")
        home, _, last = name.rpartition(".")
        if last in _SETS and home in _HOMES and not items.startswith(_HASHED_BY_NUMBER):
            return re.sub(r"\b(?:builtins|typing)\.", "", member)
    return None


def _members(told: str) -> Iterator[str]:
    """The members of a union; a type that is none is its only member."""
    depth, start = 0, 0
    for index, character in enumerate(told):
        depth += (character in "[(") - (character in "])")
        if depth == 0 and character in "|,":
            yield told[start:index].strip()
            start = index + 1
    yield told[start:].strip()
