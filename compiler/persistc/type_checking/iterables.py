"""Asks a type checker which of the things that flow code goes through are sets, and reads its answers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from persistc.checks.set_order import set_in_order
from persistc.checks.typed_iterables import Iterated
from persistc.diagnostics import Diagnostic
from persistc.spans import Position
from persistc.type_checking.mypy import Report

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_REVEALED: Final = re.compile(r'Revealed type is "(?P<type>.*)"\Z')
_OPEN: Final = "reveal_type(\n"
_SETS: Final = frozenset({"set", "frozenset", "AbstractSet", "MutableSet", "Set"})
_HOMES: Final = frozenset({"", "builtins", "typing", "typing_extensions", "collections.abc"})
_HASHED_BY_NUMBER: Final = ("asyncio.", "_asyncio.")
"""Tasks and futures of a flow loop have a hash that is the same at replay (G4)."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """The text of a file with `reveal_type(...)` around what is iterated over."""

    text: str
    asked: tuple[tuple[int, Iterated], ...]
    """The line of that text on which each begins. Each has one of its own: mypy says a thing once a line, and what it
    counts in columns is not the same in all versions."""


def shadow_of(text: str, iterables: Sequence[Iterated]) -> Shadow:
    """The text of one file with a question around each of its iterables, given in order."""
    begins = [0, *accumulate(len(line) for line in _LINE.findall(text))]
    edits = [
        edit
        for number, each in enumerate(iterables, 1)
        for edit in (
            (_offset(each.expression.span.end, begins), 0, ")"),
            (_offset(each.expression.span.start, begins), number, _OPEN),
        )
    ]
    pieces: list[str] = []
    copied = 0
    # In one place a question ends before the next begins, and of two that begin the outer one comes first.
    for offset, _, inserted in sorted(edits):
        pieces += [text[copied:offset], inserted]
        copied = offset
    asked = ((each.expression.span.start.line + number, each) for number, each in enumerate(iterables, 1))
    return Shadow("".join([*pieces, text[copied:]]), tuple(asked))


def _offset(position: Position, begins: Sequence[int]) -> int:
    return begins[position.line - 1] + position.column


def iterations_over_sets(shadows: Mapping[str, Shadow], reports: Sequence[Report]) -> Iterator[Diagnostic]:
    """PST206 for each iterable whose revealed type is a set; shadows go by path."""
    for report in reports:
        revealed = _REVEALED.match(report.message)
        asked = shadows[report.path].asked if report.path in shadows else ()
        # A parenthesis may push what is asked for to a later line, though never beyond the next question.
        number = bisect_right(asked, report.line, key=lambda each: each[0])
        if revealed is not None and number and (shown := _set_in(revealed["type"])) is not None:
            _, iterated = asked[number - 1]
            found = set_in_order(iterated.file, iterated.expression, iterated.label)
            yield replace(found, label=f"`{shown}`, says mypy: {iterated.label}")


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
