"""Statements over many rows at once, prepared for a few sizes."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import Final

from persistasaurus.errors import RowRefused
from persistasaurus.sqlite_log import statements
from persistasaurus.sqlite_log.rows import NOTHING, Cell

WRITES: Final = statements.load("writes.sql")

_SIZES: Final = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Few, because each is prepared once and kept; close, so that no more than a third of a chunk is filling."""
_CHUNK: Final = _SIZES[-1]
_VALUE: Final = re.compile(r"\bv\.column(\d+)")
_SIZE_FOR: Final = tuple(next(size for size in _SIZES if size >= count) for count in range(_CHUNK + 1))


class ManyRows:
    """A statement of `writes.sql` with `{rows}`, run in chunks.

    Args:
        name: Of the statement.
        width: How many cells it takes a row.
    """

    most: Final = _CHUNK
    """Rows one statement takes; more are several."""

    def __init__(self, name: str, width: int) -> None:
        self._width = width
        row = f"({', '.join('?' * width)})"
        self._texts = {size: WRITES[name].format(rows=", ".join([row] * size)) for size in _SIZES}
        self._filling: list[Cell] = [NOTHING] * (width * _CHUNK)
        # One row is updated twice as fast without a table of values to join: a sequential flow does it in each commit.
        self._one_row = _VALUE.sub("?", WRITES[name].replace("FROM (VALUES {rows}) AS v\n", ""))
        self._one_row_cells = [int(number) - 1 for number in _VALUE.findall(WRITES[name])]

    def chunks(self, cells: list[Cell]) -> Iterator[tuple[str, list[Cell]]]:
        """The statements to run over `cells`, with their parameters."""
        width = self._width
        for begin in range(0, len(cells), width * _CHUNK):
            chunk = cells[begin : begin + width * _CHUNK]
            size = _SIZE_FOR[len(chunk) // width]
            missing = size * width - len(chunk)
            if missing:
                chunk += self._filling[:missing]
            yield self._texts[size], chunk

    def run(self, connection: sqlite3.Connection, cells: list[Cell], *further: Cell) -> None:
        """Run it over `cells`, with parameters that stand behind the rows.

        Raises:
            RowRefused: Not each row was inserted or found.
        """
        count = len(cells) // self._width
        if count == 1 and self._one_row_cells:
            touched = connection.execute(self._one_row, [cells[index] for index in self._one_row_cells]).rowcount
        else:
            touched = 0
            for text, chunk in self.chunks(cells):
                touched += connection.execute(text, (*chunk, *further) if further else chunk).rowcount
        if touched != count:
            raise RowRefused("there is no such row, or not in the state the write needs")
