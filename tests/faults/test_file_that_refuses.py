"""A file that refuses while engines work on it stops them, loses nothing, and lets them go on by itself (G1, G13)."""

from __future__ import annotations

import asyncio
import itertools
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from persistasaurus.sqlite_log import SqliteLog
from tests.crash.flows_trips import Ledger
from tests.faults.refusals import (
    ROOT,
    SHORT,
    Company,
    Refusal,
    connections,
    failing_fsync,
    full,
    locked,
    no_fsync,
    read_only,
)
from tests.faults.works import RESULT, STEPS, answer, ended_in, engines, go_on, ran_once, results, start, until
from tests.runtime.promises.scenario import scenario

COUNTS: Final = pytest.mark.parametrize("count", [1, 2], ids=["one engine", "two engines"])


def require_told(messages: list[str], count: int, why: str) -> None:
    """Each engine has said once that the file refuses, why, and what to do; and once that it does no more."""
    refusing = [message for message in messages if "are tried again, meanwhile no step starts" in message]
    works = [message for message in messages if "takes writes again" in message]
    assert len(refusing) == len(works) == count, messages
    assert len(messages) == 2 * count
    assert all(re.search(rf"log\.db: {why}", message) for message in refusing), messages


def run_program(name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", f"tests.faults.programs.{name}", *map(str, arguments)],
        cwd=ROOT, check=False, timeout=90, capture_output=True, text=True,
    )  # fmt: skip


@COUNTS
@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (locked, "database is locked.*let that program finish"),
        (failing_fsync, "disk I/O error.*check it"),
        (read_only, "attempt to write a readonly database.*give the engine the right to write"),
    ],
)
@scenario
async def test_flows_under_way_stand_still_and_go_on_by_themselves(
    tmp_path: Path, refusal: Refusal, why: str, count: int
) -> None:
    require_told(await Company(tmp_path, count).survives(refusal), count, why)


@COUNTS
@scenario
async def test_a_disk_that_was_full_has_room_again(small_disk: Path, count: int) -> None:
    require_told(await Company(small_disk, count).survives(full), count, "database or disk is full.*make room")


@COUNTS
def test_files_that_might_not_grow_may_grow_again(tmp_path: Path, count: int) -> None:
    done = run_program("refused", tmp_path, count, "limited")
    assert done.returncode == 0, done.stderr
    require_told(done.stdout.splitlines(), count, "(disk I/O error|database or disk is full)")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """One that other users may write to; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@COUNTS
def test_a_file_made_read_only_while_it_is_open_is_refused_to_the_next_engine(open_folder: Path, count: int) -> None:
    done = run_program("read_only", open_folder, count)
    assert done.returncode == 0, done.stderr
    refused, _ = done.stdout.splitlines()
    assert re.search(r"log\.db: .*The file is read-only: give the engine the right to write", refused)


def test_a_file_that_was_read_only_when_it_was_opened_may_be_written_again(open_folder: Path) -> None:
    done = run_program("read_only", open_folder, 1)
    assert done.returncode == 0, done.stderr
    _, again = done.stdout.splitlines()
    assert again == "all have ended"


@COUNTS
def test_a_process_killed_while_its_files_may_not_grow_is_continued(tmp_path: Path, count: int) -> None:
    killed = run_program("refused", tmp_path, count, "killed")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    requires_nothing_again(tmp_path)


@COUNTS
@pytest.mark.parametrize("refusal", [locked, failing_fsync])
@scenario
async def test_engines_closed_while_the_file_refuses_say_what_is_not_recorded(
    tmp_path: Path, refusal: Refusal, count: int
) -> None:
    said = await Company(tmp_path, count).gives_up(refusal)
    assert len(said) == count
    for each in said:
        assert re.search(r"closed without recording \d+ writes of \d+ flows .*Nothing .* is lost", each)
    await asyncio.to_thread(requires_nothing_again, tmp_path)


@COUNTS
@scenario
async def test_flows_of_a_process_killed_while_the_file_is_locked_go_on_in_another(tmp_path: Path, count: int) -> None:
    path, ledger = tmp_path / "log.db", Ledger(tmp_path / "ledger.txt")
    never = 10_000
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.programs.killed", str(tmp_path), "8", "1", str(never),
        cwd=ROOT, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await until(lambda: len(ledger.lines()) > 5)
    kinds = connections(count)
    longer = 4 * SHORT  # the other engine, at work, holds up one that opens
    logs = [SqliteLog(path, busy_timeout=longer, connection_class=kind) for kind in kinds]
    async with engines(ledger, *logs) as company:
        refusing = locked(path, kinds)
        await asyncio.to_thread(refusing.__enter__)
        killed.kill()
        await killed.wait()
        ended, before = await asyncio.to_thread(ended_in, path), len(ledger.lines())
        flow_ids = [flow.flow_id for flow in await company[0].flows()]
        answering = asyncio.ensure_future(answer(company[0], flow_ids))
        made = [kind.made for kind in kinds]  # the answer is refused, and so is taking over what the other one ran
        await until(lambda: all(kind.made > earlier for kind, earlier in zip(kinds, made, strict=True)))
        assert len(ledger.lines()) == before
        await asyncio.to_thread(refusing.__exit__, None, None, None)
        await answering
        assert await results(company[-1], flow_ids) == [RESULT] * len(flow_ids)
    assert flow_ids
    after = ledger.lines()[before:]
    assert ended.isdisjoint(after)
    assert len(after) == len(set(after))
    assert len(set(ledger.lines())) == STEPS * len(flow_ids)


@COUNTS
@pytest.mark.parametrize("often", [3, 7])
@scenario
async def test_commits_that_fail_before_or_after_they_have_happened_are_made_once(
    tmp_path: Path, often: int, count: int
) -> None:
    """A commit that failed is unknown, not no (G1): who takes it for one or the other runs a step twice, or never."""
    ledger, kinds = Ledger(tmp_path / "ledger.txt"), connections(count)
    logs = [SqliteLog(tmp_path / "log.db", connection_class=kind) for kind in kinds]

    def now_and_then(first: int) -> Callable[[str], bool]:
        turns = itertools.count(first)
        return lambda sql: sql.startswith(("INSERT", "COMMIT")) and next(turns) % (2 * often) == 0

    async with engines(ledger, *logs) as company:
        for kind in kinds:
            kind.error = no_fsync()
            kind.fails = staticmethod(now_and_then(0))
            kind.fails_afterwards = staticmethod(now_and_then(often))
        flow_ids = await start(company, 8)
        await answer(company[0], flow_ids)
        assert await results(company[-1], flow_ids) == [RESULT] * len(flow_ids)
        for kind in kinds:
            kind.fails = kind.fails_afterwards = None
    assert ran_once(ledger, flow_ids)


def requires_nothing_again(folder: Path) -> None:
    """What the log in a folder holds goes on, and what had ended does not run again."""
    ended = ended_in(folder / "log.db")
    ledger = Ledger(folder / "again.txt")
    assert asyncio.run(go_on(folder / "log.db", ledger))
    assert ended
    assert ended.isdisjoint(ledger.lines())
    assert len(ledger.lines()) == len(set(ledger.lines()))
