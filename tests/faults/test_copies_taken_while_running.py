"""A copy of the log that SQLite makes while engines work is a log: it opens, and every flow in it goes on (G1, G2)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash.flows_trips import Ledger
from tests.faults.works import RESULT, UNANSWERED, answer, ended_in, engines, go_on, ran_once, results, start, until
from tests.runtime.promises.scenario import scenario

FLOWS = 20
AT_MOST = FLOWS * UNANSWERED
"""Bodies begun for sure before the flows that have no answer need one."""


def vacuum_into(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))


def backup(path: Path, copy: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(copy)) as target:
        connection.backup(target)


def backup_in_pieces(path: Path, copy: Path) -> None:
    """It begins anew whenever somebody has written meanwhile, until it is through in a moment of rest."""
    with closing(sqlite3.connect(path)) as connection, closing(sqlite3.connect(copy)) as target:
        connection.backup(target, pages=16, sleep=0)


@pytest.mark.parametrize("count", [1, 2], ids=["one engine", "two engines"])
@pytest.mark.parametrize("take", [vacuum_into, backup, backup_in_pieces])
@scenario
async def test_every_flow_in_a_copy_goes_on_behind_what_had_ended(
    tmp_path: Path, take: Callable[[Path, Path], None], count: int
) -> None:
    path, ledger = tmp_path / "log.db", Ledger(tmp_path / "ledger.txt")
    copies: list[tuple[Path, int]] = []
    async with engines(ledger, *[path] * count) as company:
        starting = asyncio.ensure_future(start(company, FLOWS))
        for begun in (1, AT_MOST // 4, AT_MOST // 2, AT_MOST * 3 // 4, AT_MOST):
            await until(lambda begun=begun: len(ledger.lines()) >= begun)  # type: ignore[misc]
            folder = tmp_path / f"copy {begun}"
            folder.mkdir()
            await asyncio.to_thread(take, path, folder / "log.db")
            copies.append((folder, begun))
        flow_ids = await starting
        await answer(company[0], flow_ids)
        assert await results(company[-1], flow_ids) == [RESULT] * FLOWS
    assert ran_once(ledger, flow_ids)

    for folder, begun in copies:
        ended = ended_in(folder / "log.db")
        # What had begun by then had ended, but for what was under way: a step a flow, or the three side by side.
        assert len(ended) >= begun - 3 * FLOWS
        again = Ledger(folder / "ledger.txt")
        found = await go_on(folder / "log.db", again)
        assert set(found) <= set(flow_ids)
        assert ended.isdisjoint(again.lines())
        assert len(again.lines()) == len(set(again.lines()))
