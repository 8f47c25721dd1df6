"""Engines of one process and of several share a log file; a dead one is in nobody's way (G11)."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from persistasaurus.errors import LogInUse, LogUnavailable
from persistasaurus.records import Claim, Extend, FlowRow, Rejoin, Start, Status, Sweep
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.sqlite_log.engine_files import _TURN_WITHIN
from persistasaurus.testing.contract.session import NAMES, PATIENCE, Session, changed, flow_row, made
from tests.runtime.log.running import line, running


def sweep_until_claimed(session: Session, flow_id: str) -> FlowRow:
    """The flow of an engine that is gone, by the thread that watches over the others."""
    while True:
        found = session.make(Claim(flow_id)).answer
        if isinstance(found, FlowRow):
            return found


def test_by_any_name_of_the_file_it_is_one_log(tmp_path: Path) -> None:
    path, link = tmp_path / "log.db", tmp_path / "link.db"
    session = Session(SqliteLog(path))
    session.make(Start(flow_row()))
    link.symlink_to(path)
    for name in (path, link, tmp_path / "." / "log.db"):
        other = Session(SqliteLog(name))
        assert other.make(Claim("f")).answer is None  # it is claimed, and its owner lives
        other.log.close()
    session.log.close()


def test_a_log_object_is_open_for_one_engine(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db"))
    with pytest.raises(LogInUse, match="give each engine one of its own"):
        session.log.open(lambda commit: None)
    assert session.make(Start(flow_row())).answer is None
    session.log.close()


def test_the_file_of_an_engine_says_whose_it_is(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with running("hold_open", path) as process:
        line(process)
        (found,) = (each for each in (tmp_path / "log.db-engines").iterdir() if not each.name.endswith(".wake"))
        owner = json.loads(found.read_text())
    assert (owner["host"], owner["pid"]) == (socket.gethostname(), process.pid)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", owner["since"])


def test_what_a_killed_engine_ran_is_free_when_the_next_opens(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with running("hold_open", path) as process:
        line(process)
        process.kill()
        process.wait()
    session = Session(SqliteLog(path))
    assert session.log.available(10_000, NAMES) == [flow_row()]
    assert session.make(Claim("f")).answer == flow_row()
    session.log.close()
    assert [found.name for found in tmp_path.iterdir()] == ["log.db"]


def test_what_a_killed_engine_ran_is_free_soon_for_one_that_is_open(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    session = Session(SqliteLog(path))
    with running("hold_open", path) as process:
        line(process)
        assert session.make(Claim("f")).answer is None
        process.kill()
        process.wait()
        assert sweep_until_claimed(session, "f") == flow_row()
    session.log.close()


def test_one_that_is_open_is_told_that_there_are_flows_to_run(tmp_path: Path) -> None:
    told = threading.Event()
    log = SqliteLog(tmp_path / "log.db")
    log.open(lambda commit: None, told.set)
    other = Session(SqliteLog(tmp_path / "log.db"))
    assert told.wait(PATIENCE)  # of the other
    told.clear()
    other.make(Start(flow_row(), claim=False))
    assert told.wait(PATIENCE)
    other.log.close()
    log.close()


def test_an_engine_whose_lock_is_taken_away_begins_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = Session(SqliteLog(tmp_path / "log.db"))
    first.make(Start(flow_row()))
    for found in (tmp_path / "log.db-engines").iterdir():
        found.unlink()
    second = Session(SqliteLog(tmp_path / "log.db"))
    assert second.make(Claim("f")).answer == flow_row()
    assert not first.make(made(1)).refused
    assert any(commit.fenced for commit in first.commits)
    assert "taken for dead" in caplog.text
    assert second.log.invocations("f") == []
    first.make(Rejoin(max(commit.fenced for commit in first.commits)), Start(flow_row("g")))
    assert second.make(Claim("g")).answer is None
    first.log.close()
    second.log.close()


class _OnceBusy(sqlite3.Connection):
    """A file that is busy once, when its engine has just begun anew."""

    armed = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if self.armed and "SET lease_until = 0" in sql:
            _OnceBusy.armed = False
            raise sqlite3.OperationalError("database is locked")
        return super().execute(sql, parameters)


def test_what_an_engine_had_put_is_dropped_even_if_beginning_anew_fails_at_first(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    first = Session(SqliteLog(path, connection_class=_OnceBusy))
    second = Session(SqliteLog(path))
    first.make(Start(flow_row()), made(1))
    first.make(Extend(1))
    assert second.make(Sweep(), Claim("f")).answers == [1, flow_row()]
    with closing(sqlite3.connect(path)) as other:  # one more that is gone, for the first to sweep
        other.execute("INSERT INTO engines (name, host, pid, started_at, lease_until) VALUES ('gone', 'h', 1, 0, 1)")
        other.commit()
    _OnceBusy.armed = True
    first.make(changed(1), made(2))
    assert not _OnceBusy.armed
    assert any(commit.fenced for commit in first.commits)
    assert [(row.step, row.status) for row in second.log.invocations("f")] == [(1, Status.PENDING)]
    first.log.close()
    second.log.close()


@pytest.mark.skipif(os.name == "nt", reason="there are no turns")
def test_an_engine_that_was_stopped_in_its_turn_holds_the_others_up_once(tmp_path: Path) -> None:
    import fcntl

    first, second = Session(SqliteLog(tmp_path / "log.db")), Session(SqliteLog(tmp_path / "log.db"))
    second.make(Start(flow_row("g")))  # by now each knows the other
    folder = os.open(tmp_path / "log.db-engines", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    begun = time.monotonic()
    second.make(Start(flow_row("h")))
    for step in range(1, 20):
        second.make(made(step, "h"))
    assert time.monotonic() - begun < 10 * _TURN_WITHIN  # not 20 times or more
    os.close(folder)
    first.log.close()
    second.log.close()


@pytest.mark.parametrize("fate", ["removed", "replaced"])
def test_a_log_whose_file_is_gone_records_nothing_more_and_says_so(tmp_path: Path, fate: str) -> None:
    path = tmp_path / "log.db"
    session = Session(SqliteLog(path))
    session.make(Start(flow_row()))
    path.rename(tmp_path / "away.db")
    if fate == "replaced":
        path.write_bytes((tmp_path / "away.db").read_bytes())
    with session.ending() as end:
        session.log.put(made(1))
    assert re.search(r"log\.db was removed or replaced while it was open.*put the file back", str(end()))
    with pytest.raises(LogUnavailable, match="removed or replaced"):
        session.log.put(made(2))
    with pytest.raises(LogUnavailable, match="removed or replaced"):
        session.log.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_neither_keeps_nor_uses_the_log_of_its_dead_parent(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with running("hold_open", path, "with-child") as process:
        lines = sorted([line(process), line(process)])
        told = re.fullmatch(r"child (\d+): (.*)", lines[0])
        assert told is not None
        child = int(told[1])
        try:
            assert "not open in this process" in told[2]
            session = Session(SqliteLog(path))
            assert session.make(Claim("f")).answer is None
            process.kill()
            process.wait()
            os.kill(child, 0)  # it lives
            assert sweep_until_claimed(session, "f") == flow_row()
            session.log.close()
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_program_that_is_executed_does_not_inherit_the_lock(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    session = Session(SqliteLog(path))
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, close_fds=False
    ) as child:
        session.log.close()
        Session(SqliteLog(path)).log.close()
        child.communicate(b"\n")


def test_a_closed_log_leaves_one_file(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db"))
    session.make(Start(flow_row()))
    session.log.close()
    assert [path.name for path in tmp_path.iterdir()] == ["log.db"]


def test_other_programs_may_read_the_open_log(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db"))
    session.make(Start(flow_row()))
    other = sqlite3.connect(tmp_path / "log.db")
    rows = other.execute("SELECT flow_id, step, called, status, called_at FROM readable_log").fetchall()
    assert rows == [("f", 0, "Signup.sign_up", "RUNNING", "1970-01-01 00:00:00.001")]
    other.execute("BEGIN")
    other.execute("SELECT * FROM execution_log").fetchall()
    assert session.make(Start(flow_row("g"))).answer is None  # a reader's transaction keeps nobody from writing
    other.close()
    session.log.close()
