"""From what mypy reports of flow modules and generated files to findings at the user's lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from persistc.diagnostics import Code, Diagnostic, Note
from persistc.spans import Position, Span
from persistc.type_checking.generated_places import GeneratedPlace, place_at
from persistc.type_checking.mypy import Report

_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_WORD: Final = re.compile(r"(?:async\s+)?(?:def|class)\s+\w+|\w+|\S?")
_STORABLE: Final = "what can be stored, and how to store a type of your own: `persistc explain PST041`"


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """A file that mypy was given."""

    file: str
    """As findings show it."""
    text: str
    places: tuple[GeneratedPlace, ...] | None
    """What its parts were made from; None for a file that the user wrote."""


def type_errors(reports: Iterable[Report], checked: Mapping[str, CheckedFile]) -> Iterator[Diagnostic]:
    """PST050 for each error in one of these files, given by path, at the line the user wrote.

    What mypy says of a line and again, perhaps in other words, of what was generated from it is one finding: the one
    at the line itself.
    """
    errors = [report for report in reports if report.path in checked and not report.is_note]
    written = [report for report in errors if checked[report.path].places is None]
    at_lines = {(checked[report.path].file, report.line, report.code) for report in written}
    yield from (_finding(report, checked[report.path]) for report in written)
    said: set[tuple[str, Position | None, str]] = set()
    for report in errors:
        file = checked[report.path]
        if file.places is None:
            continue
        finding = _finding(report, file)
        # A module and its stub say the same on different lines.
        is_own = finding.file == file.file
        place = (finding.file.removesuffix("i"), None) if is_own else (finding.file, finding.start)
        if (finding.file, finding.start.line, report.code) not in at_lines and (*place, finding.message) not in said:
            said.add((*place, finding.message))
            yield finding


def _finding(report: Report, checked: CheckedFile) -> Diagnostic:
    line = _LINE_END.split(checked.text)[report.line - 1]
    message = f"{report.message} [{report.code}]" if report.code else report.message
    place = None
    if checked.places is not None:
        # On a line that is not ASCII mypy's columns are not ours; then only what begins the line is certain.
        column = report.column if line.isascii() else len(line) - len(line.lstrip())
        place = place_at(checked.places, Position(report.line, column))
    if place is None:
        return Diagnostic(Code.TYPE_ERROR, message, checked.file, _span(report, line), help="\n".join(report.hints))
    first, *others = place.made_from
    return Diagnostic(
        code=Code.TYPE_ERROR,
        message=message,
        file=first.file,
        span=first.span,
        label=_label(place),
        help="\n".join([*report.hints, *([_STORABLE] if place.is_codec else [])]),
        notes=tuple(Note(other.file, other.span, "and here") for other in others),
    )


def _label(place: GeneratedPlace) -> str:
    if place.is_codec:
        return "cannot be stored, says mypy"
    return f"found in `{place.proxy}`" if place.proxy else "found where the generated file imports it, too"


def _span(report: Report, line: str) -> Span:
    """Where in its first line an error is, the whole of it when its columns cannot be relied on."""
    start, end = report.column, report.end_column
    if not line.isascii() or start >= len(line):
        start, end = len(line) - len(line.lstrip()), len(line.rstrip())
    elif end is None or end <= start + 1:
        word = _WORD.match(line, start)
        end = max(start + 1, word.end() if word is not None else 0)
    return Span.within_line(report.line, start, end)
