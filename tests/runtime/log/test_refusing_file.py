"""When the file refuses, nothing is lost and nothing acknowledged: what waits is tried again until it works (G13)."""

from __future__ import annotations

import logging
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from persistasaurus.errors import LogError, LogUnavailable
from persistasaurus.records import Start, Write
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import Session, flow_row, made
from tests.runtime.log.running import run

SHORT = timedelta(milliseconds=20)


class Warnings(logging.Handler):
    """The warnings about the log, and a way to wait for them."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []
        self._came = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._came:
            self.messages.append(record.getMessage())
            self._came.notify_all()

    def wait_for(self, count: int) -> None:
        with self._came:
            assert self._came.wait_for(lambda: len(self.messages) >= count, 30)


@pytest.fixture
def warnings() -> Iterator[Warnings]:
    handler = Warnings()
    logger = logging.getLogger("persistasaurus.log")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes and does not come to an end."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def test_a_lock_longer_than_the_busy_timeout_only_delays(tmp_path: Path, warnings: Warnings) -> None:
    session = Session(SqliteLog(tmp_path / "log.db", busy_timeout=SHORT))
    session.make(Start(flow_row()))
    with locked(tmp_path / "log.db"):
        last = [session.log.put(made(step)) for step in (1, 2, 3)][-1]
        warnings.wait_for(1)
        assert session.position < last
        assert session.log.invocations("f") == []
        assert session.log.flow("f") == flow_row()
    assert not session.settled(0, last).refused
    assert [row.step for row in session.log.invocations("f")] == [1, 2, 3]
    session.log.close()
    refused, works = warnings.messages
    assert str(tmp_path / "log.db") in refused
    assert "locked" in refused
    assert "takes writes again" in works


def test_closing_a_log_that_stays_locked_says_what_was_not_recorded(tmp_path: Path, warnings: Warnings) -> None:
    path = tmp_path / "log.db"
    session = Session(SqliteLog(path, busy_timeout=SHORT, close_within=SHORT))
    session.make(Start(flow_row()), Start(flow_row("g")))
    with locked(path):
        session.log.put(made(1))
        session.log.put(made(1, "g"))
        warnings.wait_for(1)
        with pytest.raises(LogUnavailable, match=r"2 writes of 2 flows \('f', 'g'\)"):
            session.log.close()
    with pytest.raises(LogError):
        session.log.put(made(2))
    again = Session(SqliteLog(path))
    assert again.log.flow("f") == flow_row()
    assert again.log.invocations("f") == []
    again.log.close()


def test_closing_waits_for_a_lock_that_is_let_go_in_time(tmp_path: Path, warnings: Warnings) -> None:
    path = tmp_path / "log.db"
    session = Session(SqliteLog(path, busy_timeout=SHORT))
    with locked(path):
        session.log.put(Start(flow_row()))
        warnings.wait_for(1)
        closing = threading.Thread(target=session.log.close)
        closing.start()
    closing.join()
    assert session.position == 1


def test_a_full_disk_only_delays(tmp_path: Path) -> None:
    refused, state, works, *end = run("limited_file_size", tmp_path / "log.db").splitlines()
    assert refused.startswith("WARNING")
    _read_while_refusing(state)
    assert "takes writes again" in works
    assert end == ["recorded 2001", "closed"]


def test_closing_on_a_disk_that_stays_full_says_what_was_not_recorded(tmp_path: Path) -> None:
    _, state, *_, end = run("limited_file_size", tmp_path / "log.db", "stay").splitlines()
    acknowledged = _read_while_refusing(state)
    assert end.startswith("not recorded")
    log = SqliteLog(tmp_path / "log.db")
    log.open(lambda commit: None)
    assert log.flow("f") == flow_row()
    recorded = len(log.invocations("f", limit=5000))
    assert recorded >= acknowledged  # there is room for some more once its write-ahead log has been moved into the file
    assert f"{2000 - recorded} writes of 1 flows ('f')" in end
    log.close()


def _read_while_refusing(state: str) -> int:
    """The number of steps that could be read while the file refused: those that had been acknowledged."""
    told = re.fullmatch(r"refused at (\d+), readable: (\d+)", state)
    assert told is not None
    assert int(told[1]) == int(told[2]) + 1
    return int(told[2])


class FailingConnection(sqlite3.Connection):
    """Fails statements that begin with `failing`."""

    failing: str | None = None
    failed = threading.Semaphore(0)

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if FailingConnection.failing is not None and sql.startswith(FailingConnection.failing):
            FailingConnection.failed.release()
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, parameters)


A_CALL = made(2)  # one statement is its whole transaction
A_FLOW = Start(flow_row("g"))


@pytest.mark.parametrize(
    ("statement", "write"),
    [("INSERT", A_CALL), ("PRAGMA", A_CALL), ("BEGIN", A_FLOW), ("INSERT", A_FLOW), ("COMMIT", A_FLOW)],
)
def test_a_batch_is_repeated_unchanged_wherever_it_failed(
    tmp_path: Path, warnings: Warnings, statement: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=FailingConnection))
    session.make(Start(flow_row()))
    if statement == "PRAGMA":  # the file cannot be opened again after a failure
        monkeypatch.setattr(FailingConnection, "failing", "INSERT")
        session.log.put(made(1))
        warnings.wait_for(1)
    monkeypatch.setattr(FailingConnection, "failed", threading.Semaphore(0))
    monkeypatch.setattr(FailingConnection, "failing", statement)
    last = session.log.put(write)
    for _ in range(3):
        assert FailingConnection.failed.acquire(timeout=30)
    assert session.position < last
    monkeypatch.setattr(FailingConnection, "failing", None)
    assert not session.settled(0, last).refused
    assert session.log.flow("g") if write is A_FLOW else session.log.invocations("f")[-1].step == 2
    session.log.close()
    assert len(warnings.messages) == 2


def test_an_error_of_the_listener_does_not_stop_the_log(tmp_path: Path, warnings: Warnings) -> None:
    log = SqliteLog(tmp_path / "log.db")
    positions: list[int] = []

    def on_commit(commit: Any) -> None:
        positions.append(commit.position)
        raise ValueError("a listener's own mistake")

    log.open(on_commit)
    log.put(Start(flow_row()))
    warnings.wait_for(1)
    log.put(made(1))
    log.close()
    assert positions[-1] == 2
    assert "could not be passed on" in warnings.messages[0]
