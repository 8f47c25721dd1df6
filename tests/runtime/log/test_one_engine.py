"""One engine at a time has a log open; others are told who, and a dead one is in nobody's way."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from persistasaurus.errors import LogInUse
from persistasaurus.records import Start
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import Session, flow_row
from tests.runtime.log.running import line, running


def test_another_process_is_named_with_host_pid_and_start_time(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with running("hold_open", path) as process:
        assert line(process) == f"open {process.pid}"
        with pytest.raises(LogInUse) as caught:
            SqliteLog(path).open(lambda commit: None)
    message = str(caught.value)
    assert str(path) in message
    assert socket.gethostname() in message
    assert re.search(rf"\b{process.pid}\b", message)
    assert re.search(r"since \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", message)


def test_this_process_is_named_too_and_by_any_name_of_the_file(tmp_path: Path) -> None:
    path, link = tmp_path / "log.db", tmp_path / "link.db"
    session = Session(SqliteLog(path))
    link.symlink_to(path)
    for name in (path, link, tmp_path / "." / "log.db"):
        with pytest.raises(LogInUse, match="this process"):
            SqliteLog(name).open(lambda commit: None)
    session.log.close()
    Session(SqliteLog(link)).log.close()


def test_the_refused_engine_changes_nothing_for_the_one_that_has_the_log(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db"))
    with pytest.raises(LogInUse):
        SqliteLog(tmp_path / "log.db").open(lambda commit: None)
    assert session.make(Start(flow_row())).answer is None
    with pytest.raises(LogInUse):
        SqliteLog(tmp_path / "log.db").open(lambda commit: None)
    session.log.close()


def test_a_killed_engine_leaves_the_log_free(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    with running("hold_open", path) as process:
        line(process)
        process.kill()
        process.wait()
    session = Session(SqliteLog(path))
    assert session.log.flow("f") == flow_row()
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
            with pytest.raises(LogInUse, match=rf"\b{process.pid}\b"):
                SqliteLog(path).open(lambda commit: None)
            process.kill()
            process.wait()
            os.kill(child, 0)  # it lives
            session = Session(SqliteLog(path))
            assert session.log.flow("f") == flow_row()
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
