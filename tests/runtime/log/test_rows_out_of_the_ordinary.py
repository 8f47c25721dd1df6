"""A row that is too large, or that somebody damaged, is the trouble of its own flow alone (G13)."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from persistasaurus.errors import CorruptRow, RowRefused
from persistasaurus.records import FlowStatus, Send, Start
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import NAMES, Session, changed, flow_changed, flow_row, made, signal

LARGEST = 100_000


class SmallConnection(sqlite3.Connection):
    """SQLite takes values of a billion bytes; here of a hundred thousand."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(SqliteLog(tmp_path / "log.db"))
    session.make(Start(flow_row("bad")), Start(flow_row("good")))
    session.make(made(1, "bad"), made(2, "bad"), made(1, "good"), Send(signal("s", "bad")), Send(signal("s", "good")))
    yield session
    session.log.close()


def damage(session: Session, tmp_path: Path, sql: str) -> None:
    with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as other:
        other.execute(sql)


def test_a_value_larger_than_sqlite_takes_is_refused(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=SmallConnection))
    large = "x" * (LARGEST + 1)
    settled = session.make(
        Start(flow_row()),
        Start(flow_row("g")),
        replace(made(1), parameters=large),
        made(1, "g"),
        Send(replace(signal("s", "g"), arguments=large)),
    )
    assert settled.refused.keys() == {"f"}
    assert "too big" in str(settled.refused["f"])
    assert isinstance(settled.answers[2], RowRefused)
    assert [row.step for row in session.log.invocations("g")] == [1]
    session.log.close()


def test_rows_that_are_together_larger_than_one_value_are_read_all_the_same(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=SmallConnection))
    half = "x" * (LARGEST * 2 // 3)
    rows = [replace(flow_row(flow_id), parameters=half) for flow_id in "abc"]
    session.make(*(Start(row) for row in rows))
    session.make(*(replace(made(step, "a"), parameters=half) for step in (1, 2, 3)))
    assert session.log.flows() == rows
    found = session.log.invocations("a")
    assert [(row.step, len(row.parameters)) for row in found] == [(1, len(half)), (2, len(half)), (3, len(half))]
    assert session.make(*(Start(row) for row in rows)).answers == rows
    session.log.close()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE execution_log SET status = 'BROKEN' WHERE flow_id = 'bad' AND step = 1",
        "UPDATE execution_log SET kind = 'BROKEN' WHERE flow_id = 'bad' AND step = 1",
        "UPDATE execution_log SET parameters = CAST(x'80ff' AS TEXT) WHERE flow_id = 'bad' AND step = 1",
    ],
)
def test_a_damaged_invocation_is_an_error_of_its_flow_alone(session: Session, tmp_path: Path, sql: str) -> None:
    damage(session, tmp_path, sql)
    with pytest.raises(CorruptRow, match="flow 'bad'"):
        session.log.invocations("bad")
    assert len(session.log.invocations("good")) == 1
    assert not session.make(flow_changed(FlowStatus.PARKED, "bad"), changed(1, "good")).refused


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE execution_log SET status = 'BROKEN' WHERE flow_id = 'bad' AND step = 0",
        "UPDATE execution_log SET parameters = CAST(x'80ff' AS TEXT) WHERE flow_id = 'bad' AND step = 0",
    ],
)
def test_a_damaged_flow_keeps_no_other_from_being_found_started_or_written(
    session: Session, tmp_path: Path, sql: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage(session, tmp_path, sql)
    with pytest.raises(CorruptRow, match="flow 'bad'"):
        session.log.flow("bad")
    with caplog.at_level(logging.WARNING, "persistasaurus.log"):
        found = {row.flow_id: row.status for row in session.log.flows()}
    assert found["good"] is FlowStatus.RUNNING
    assert ("bad" in found) != ("'bad'" in caplog.text)  # found for its flow to be parked, or a warning says why not
    settled = session.make(Start(flow_row("bad")), Send(signal("t", "good")), Start(flow_row("new")), made(2, "good"))
    assert isinstance(settled.answers[0], RowRefused)
    assert settled.answers[1:] == [flow_row("good"), None]
    assert not settled.refused


def test_a_damaged_flow_that_is_due_is_found_to_be_parked(session: Session, tmp_path: Path) -> None:
    session.make(flow_changed(FlowStatus.WAITING, "bad", 5), flow_changed(FlowStatus.WAITING, "good", 6))
    damage(
        session, tmp_path, "UPDATE execution_log SET python = CAST(x'80' AS TEXT) WHERE flow_id = 'bad' AND step = 0"
    )
    assert [row.flow_id for row in session.log.available(10, NAMES)] == ["bad", "good"]
    session.make(flow_changed(FlowStatus.PARKED, "bad"))
    assert [row.flow_id for row in session.log.available(10, NAMES)] == ["good"]


def test_a_damaged_signal_is_an_error_of_its_flow_alone(session: Session, tmp_path: Path) -> None:
    damage(session, tmp_path, "UPDATE signals SET arguments = CAST(x'ff' AS TEXT) WHERE flow_id = 'bad'")
    with pytest.raises(CorruptRow, match="flow 'bad'"):
        session.log.unread_signals("bad")
    assert session.log.unread_signals("good") == [signal("s", "good")]


def test_what_other_programs_insert_must_have_the_types_of_the_columns(session: Session, tmp_path: Path) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        damage(session, tmp_path, "UPDATE execution_log SET due = 'tomorrow' WHERE flow_id = 'bad'")


class WatchingConnection(sqlite3.Connection):
    """Notes which files the process has open while a statement runs."""

    seen: set[str] = set()  # noqa: RUF012  the test looks at it

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        self.set_progress_handler(self._look, 1)
        return super().execute(sql, parameters)

    def _look(self) -> int:
        for descriptor in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                self.seen.add(os.readlink(descriptor))
        return 0


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs a list of open files")
def test_a_large_value_needs_no_room_but_that_of_the_log(tmp_path: Path) -> None:
    WatchingConnection.seen.clear()
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=WatchingConnection))
    session.make(Start(flow_row()))
    large = replace(made(1), parameters=f'["{"a" * 8_000_000}"]')
    assert not session.make(large).refused
    assert session.log.invocations("f")[0].parameters == large.parameters
    session.log.close()
    assert str(tmp_path / "log.db-wal") in WatchingConnection.seen
    assert [name for name in WatchingConnection.seen if "etilqs" in name] == []  # as SQLite names its temporary files
