"""After a crash the end of SQLite's write-ahead log may be missing or damaged: what is left is a prefix (G1)."""

from __future__ import annotations

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest

from tests.crash.flows_trips import Ledger
from tests.faults.works import ended_in, go_on
from tests.runtime.promises.machine import PATIENCE

ROOT: Final = Path(__file__).parents[2]
HEADER: Final = 32
FRAME: Final = 24 + 4096
"""Bytes of a page in the write-ahead log."""
CUTS: Final = 24

Rows = dict[tuple[str, int], tuple[Any, ...]]


def killed(folder: Path, *arguments: int) -> None:
    """Leave in a folder what a killed process leaves."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.programs.killed", str(folder), *map(str, arguments)],
        cwd=ROOT, check=False, timeout=60, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL


def places(size: int) -> Iterator[int]:
    """Where to cut: around the header, and from there on between two pages and within one, in turn."""
    yield from (0, HEADER - 1, HEADER)
    frames = (size - HEADER) // FRAME
    for number in range(CUTS):
        frame = 1 + number * (frames - 1) // CUTS
        yield HEADER + frame * FRAME + (0, 10, FRAME // 2, FRAME - 1)[number % 4]
    yield size


def cut(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.truncate(place)


def damage(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([(byte or b"\0")[0] ^ 0xFF]))


def rows_in(path: Path) -> Rows:
    """Every call on record: what the flow asked for, how it ended, and when the flow saw that."""
    with closing(sqlite3.connect(path)) as log:
        assert log.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        if not log.execute("SELECT count(*) FROM sqlite_master WHERE name = 'execution_log'").fetchone()[0]:
            return {}
        found = log.execute(
            "SELECT flow_id, step, method_name, parameters, status, return_value, delivery FROM execution_log"
        )
        return {(flow_id, step): tuple(rest) for flow_id, step, *rest in found}


def is_prefix(flow_id: str, rows: Rows) -> bool:
    """Whether calls and deliveries of a flow are there from the first to some last one."""
    steps = sorted(step for of, step in rows if of == flow_id)
    deliveries = sorted(row[-1] for (of, _), row in rows.items() if of == flow_id and row[-1] is not None)
    return steps == list(range(len(steps))) and deliveries == list(range(1, len(deliveries) + 1))


@pytest.mark.parametrize(
    ("flows", "engines", "bodies", "moved"),
    [(4, 1, 49, 0), (4, 2, 49, 0), (10, 1, 110, 40)],
    ids=["one engine", "two engines", "moved into the file before"],
)
@pytest.mark.parametrize("spoil", [cut, damage])
def test_what_is_left_is_a_prefix_and_every_flow_in_it_goes_on(
    tmp_path: Path, spoil: Callable[[Path, int], None], flows: int, engines: int, bodies: int, moved: int
) -> None:
    killed(tmp_path, flows, engines, bodies, moved)
    size = (tmp_path / "log.db-wal").stat().st_size
    left: list[Rows] = []
    for place in places(size):
        folder = tmp_path / str(place)
        folder.mkdir()
        for name in ("log.db", "log.db-wal"):
            shutil.copy(tmp_path / name, folder)
        spoil(folder / "log.db-wal", place)
        shutil.copytree(folder, folder / "look")  # to look at it as it is moves the write-ahead log
        rows = rows_in(folder / "look" / "log.db")
        left.append(rows)
        assert all(is_prefix(flow_id, rows) for flow_id, _ in rows)
        ended = ended_in(folder / "look" / "log.db") if rows else set()

        ledger = Ledger(folder / "ledger.txt")
        found = asyncio.run(asyncio.wait_for(go_on(folder / "log.db", ledger), PATIENCE))
        assert set(found) == {flow_id for flow_id, _ in rows}
        assert ended.isdisjoint(ledger.lines()), f"spoiled at {place}: these had ended, and ran again"
        assert len(ledger.lines()) == len(set(ledger.lines()))
    for earlier, later in pairwise(left):
        assert earlier.keys() <= later.keys()
    assert bool(left[0]) is bool(moved)
    assert len({len(rows) for rows in left}) > 5  # the places made a difference
