"""The piece of source a finding is about, with line numbers, a caret under the culprit and its label."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from persistc.diagnostics import Diagnostic
from persistc.spans import Span

TAB_WIDTH = 4
# The line ends of Python's own grammar: `str.splitlines` would also break at form feeds and count wrong.
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class _Mark:
    span: Span
    label: str
    caret: str


def source_frame(found: Diagnostic, sources: Mapping[str, str]) -> list[str]:
    """The lines of the frame: the finding's own file first, then each other file that a note speaks of."""
    if found.span is None:
        return [f" --> {found.file}"]
    marks: dict[str, list[_Mark]] = {found.file: [_Mark(found.span, found.label, "^")]}
    for note in found.notes:
        marks.setdefault(note.file, []).append(_Mark(note.span, note.label, "-"))
    width = max(len(str(mark.span.start.line)) for group in marks.values() for mark in group)
    frame: list[str] = []
    for file, group in marks.items():
        arrow = "-->" if file == found.file else ":::"
        first = group[0].span.start
        frame.append(f"{' ' * width}{arrow} {file}:{first.line}:{first.column + 1}")
        if file in sources:
            frame += _marked_lines(group, _LINE_END.split(sources[file]), width)
    return frame


def _marked_lines(marks: Sequence[_Mark], text: Sequence[str], width: int) -> list[str]:
    bar = f"{' ' * width} |"
    lines = [bar]
    shown: int | None = None
    for mark in sorted(marks, key=lambda each: each.span):
        number = mark.span.start.line
        source = text[number - 1] if number <= len(text) else ""
        if number != shown:
            if shown is not None and number > shown + 1:
                lines.append("...")
            lines.append(f"{number:>{width}} | {_displayed(source)}".rstrip())
            shown = number
        lines.append(f"{bar} {_underline(mark, source)}".rstrip())
    lines.append(bar)
    return lines


def _underline(mark: _Mark, source: str) -> str:
    """A span of several lines is underlined to the end of its first."""
    start, end = mark.span.start, mark.span.end
    end_column = end.column if end.line == start.line else len(source.rstrip())
    indent = _width(_displayed(source[: start.column]))
    carets = mark.caret * max(1, _width(_displayed(source[start.column : end_column])))
    return f"{' ' * indent}{carets} {mark.label}"


def _displayed(source: str) -> str:
    """The text as shown: tabs as spaces, so that a caret lines up whatever the terminal makes of a tab."""
    return source.replace("\t", " " * TAB_WIDTH)


def _width(text: str) -> int:
    """Columns on a terminal: wide characters take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
