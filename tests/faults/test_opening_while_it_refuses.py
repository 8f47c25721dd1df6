"""A file that cannot be opened is left as it is and says why; engines that have it open go on (G13)."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

import pytest

from persistasaurus import Engine, LogUnavailable, NewerSchema, NotAnExecutionLog
from persistasaurus.sqlite_log import SqliteLog
from tests.crash.flows_trips import Ledger
from tests.faults.flows_works import Door
from tests.faults.flows_works_durable import DurableWorksFlow
from tests.faults.refusals import SHORT, locked
from tests.faults.works import RESULT, TIMES, answer, engines, go_on, ran_once, results, start
from tests.runtime.promises.scenario import scenario


def content(folder: Path) -> dict[str, bytes]:
    """The files in a folder, but for the one in which SQLite notes its locks."""
    return {found.name: found.read_bytes() for found in folder.iterdir() if not found.name.endswith("-shm")}


def engine_on(path: Path) -> Engine:
    log = SqliteLog(path, busy_timeout=SHORT)
    return Engine(log, flows=[DurableWorksFlow(Ledger(path.with_name("ledger.txt")), Door())])


@scenario
async def test_a_log_that_another_program_has_locked_opens_when_it_is_let_go(tmp_path: Path) -> None:
    path, ledger = tmp_path / "log.db", Ledger(tmp_path / "ledger.txt")
    async with engines(ledger, path) as company:
        flow_ids = await start(company, 2)
    for _ in range(2):
        with locked(path, []):
            before = content(tmp_path)
            with pytest.raises(LogUnavailable, match=r"locked.*let that program finish"):
                await engine_on(path).open()
            assert content(tmp_path) == before
    await asyncio.to_thread(asyncio.run, go_on(path, ledger))
    assert ran_once(ledger, flow_ids)


@scenario
async def test_an_engine_that_cannot_open_disturbs_none_that_is_at_work(tmp_path: Path) -> None:
    path, ledger = tmp_path / "log.db", Ledger(tmp_path / "ledger.txt")
    async with engines(ledger, path) as company:
        flow_ids = await start(company, 2)
        with locked(path, []), pytest.raises(LogUnavailable):
            await engine_on(path).open()
        async with engine_on(path) as other:
            await answer(other, flow_ids)
            assert await results(other, flow_ids) == [RESULT] * 2
    assert ran_once(ledger, flow_ids)


@contextmanager
def another_kind_of_file(path: Path) -> Iterator[None]:
    path.write_bytes(b"a letter, not a database")
    yield


@contextmanager
def database_in_use(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("CREATE TABLE users (name TEXT)")
        yield


@contextmanager
def database(path: Path) -> Iterator[None]:
    with database_in_use(path):
        pass
    yield


@contextmanager
def newer_log(path: Path) -> Iterator[None]:
    log = SqliteLog(path)
    log.open(lambda commit: None)
    log.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 1000")
    yield


@pytest.mark.parametrize(
    "kind",
    [
        another_kind_of_file,
        database_in_use,
        database,
        newer_log,
    ],
)
@scenario
async def test_beside_a_file_that_is_no_log_nothing_is_left(
    tmp_path: Path, kind: Callable[[Path], AbstractContextManager[None]]
) -> None:
    path = tmp_path / "other.db"
    with kind(path):
        before = content(tmp_path)
        with pytest.raises((NotAnExecutionLog, NewerSchema), match=r"[Cc]hoose another file"):
            await engine_on(path).open()
        assert content(tmp_path) == before


@scenario
async def test_a_log_that_became_newer_is_refused_and_its_flows_are_kept_for_the_newer_version(tmp_path: Path) -> None:
    path, ledger = tmp_path / "log.db", Ledger(tmp_path / "ledger.txt")
    async with engines(ledger, path) as company:
        flow_ids = await start(company, 2)

    def set_version(text: str) -> int:
        with closing(sqlite3.connect(path)) as other:
            (found,) = other.execute("PRAGMA user_version").fetchone()
            other.execute(f"PRAGMA user_version = {text}")
            return int(found)

    version = set_version("1000")
    before = path.read_bytes()
    with pytest.raises(NewerSchema, match=r"schema version 1000.*Upgrade persistasaurus"):
        await engine_on(path).open()
    assert path.read_bytes() == before
    set_version(str(version))  # as the newer version finds it
    await asyncio.to_thread(asyncio.run, go_on(path, ledger))
    assert ran_once(ledger, flow_ids)


@scenario
async def test_an_engine_on_a_disk_without_room_says_so_and_opens_when_there_is_some(small_disk: Path) -> None:
    path, filling = small_disk / "log.db", small_disk / "filling"
    with filling.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
    with pytest.raises(LogUnavailable, match=r"disk/log\.db.*([Nn]o space|full)"):
        await engine_on(path).open()
    filling.unlink()
    async with engine_on(path) as engine:
        await engine.get_flow(DurableWorksFlow, "f").works.start(TIMES)
        await answer(engine, ["f"])
        assert await results(engine, ["f"]) == [RESULT]
