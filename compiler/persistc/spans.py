"""Places in source text: a position, and the span between two of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """One place between two characters: `line` counts from 1, `column` from 0, in characters (not in bytes)."""

    line: int
    column: int


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """The text from `start` up to, but without, `end`."""

    start: Position
    end: Position

    @classmethod
    def within_line(cls, line: int, column: int, end_column: int) -> "Span":
        """The span of one line from `column` to `end_column`."""
        return cls(Position(line, column), Position(line, end_column))
