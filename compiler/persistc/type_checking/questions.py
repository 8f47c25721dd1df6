"""Asks a type checker for types: in the shadow of a file `reveal_type(...)` stands around what is asked about."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final, TypeAlias

from persistc.spans import Position, Span
from persistc.type_checking.mypy import Report

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_REVEALED: Final = re.compile(r'Revealed type is "(?P<type>.*)"\Z')
_OPEN: Final = "reveal_type(\n"

Answers: TypeAlias = Mapping[tuple[str, Span], Sequence[str]]
"""The types of what was asked for, by path and place; several where mypy looks at a body more than once."""


@dataclass(frozen=True, slots=True)
class Shadow:
    """The text of a file with questions in it."""

    text: str
    asked: tuple[tuple[int, Span], ...]
    """The line of that text on which each begins. Each has one of its own: mypy says a thing once a line, and what it
    counts in columns is not the same in all versions."""


def shadow_of(text: str, places: Iterable[Span]) -> Shadow:
    """The text of one file with a question around what stands in each of these places."""
    begins = [0, *accumulate(len(line) for line in _LINE.findall(text))]
    # Of two that begin in one place the outer one comes first.
    in_order = sorted(set(places), key=lambda span: (span.start, -span.end.line, -span.end.column))
    edits = [
        edit
        for number, span in enumerate(in_order, 1)
        for edit in ((_offset(span.end, begins), 0, ")"), (_offset(span.start, begins), number, _OPEN))
    ]
    pieces: list[str] = []
    copied = 0
    # In one place a question ends before the next begins.
    for offset, _, inserted in sorted(edits):
        pieces += [text[copied:offset], inserted]
        copied = offset
    asked = ((span.start.line + number, span) for number, span in enumerate(in_order, 1))
    return Shadow("".join([*pieces, text[copied:]]), tuple(asked))


def _offset(position: Position, begins: Sequence[int]) -> int:
    return begins[position.line - 1] + position.column


def answers(shadows: Mapping[str, Shadow], reports: Iterable[Report]) -> Answers:
    """What mypy says to the questions; shadows go by path."""
    found: dict[tuple[str, Span], list[str]] = {}
    for report in reports:
        revealed = _REVEALED.match(report.message)
        asked = shadows[report.path].asked if report.path in shadows else ()
        # A parenthesis may push what is asked for to a later line, though never beyond the next question.
        number = bisect_right(asked, report.line, key=lambda each: each[0])
        if revealed is not None and number:
            found.setdefault((report.path, asked[number - 1][1]), []).append(revealed["type"])
    return found
