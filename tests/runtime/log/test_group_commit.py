"""Everything that waits becomes durable in one commit, whatever it is."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from persistasaurus.records import FlowRow, Send, SignalTaken, Start, Status, Write
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import Session, changed, flow_row, made, signal, waiting


class CountingConnection(sqlite3.Connection):
    """Counts what is executed, by its first word."""

    statements: dict[str, int] = {}  # noqa: RUF012  shared by the connections of a test

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        word = sql.split(maxsplit=1)[0]
        self.statements[word] = self.statements.get(word, 0) + 1
        return super().execute(sql, parameters)


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    counted: dict[str, int] = {}
    monkeypatch.setattr(CountingConnection, "statements", counted)
    return counted


def test_steps_of_many_flows_that_wait_are_one_commit_of_few_statements(
    tmp_path: Path, statements: dict[str, int]
) -> None:
    flows = [f"flow-{number}" for number in range(500)]
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=CountingConnection))
    session.make(*(Start(flow_row(flow_id)) for flow_id in flows))
    session.make(*(made(1, flow_id) for flow_id in flows))
    statements.clear()
    commits = len(session.commits)
    writes: list[Write] = [write for flow_id in flows for write in (changed(1, flow_id), made(2, flow_id))]
    session.make(*writes)
    assert len(session.commits) == commits + 2  # the one that held the others up, and theirs
    assert statements == {"BEGIN": 2, "UPDATE": 2, "INSERT": 2, "COMMIT": 2}


def test_what_one_statement_holds_is_one_statement(tmp_path: Path, statements: dict[str, int]) -> None:
    flows = [f"flow-{number}" for number in range(200)]
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=CountingConnection))
    session.make(*(Start(flow_row(flow_id)) for flow_id in flows))
    session.make(*(made(1, flow_id) for flow_id in flows))
    statements.clear()
    session.make(*(write for flow_id in flows for write in (changed(1, flow_id), made(2, flow_id))))
    assert statements == {
        "BEGIN": 1,
        "UPDATE": 1,
        "COMMIT": 1,
        "INSERT": 1,
    }  # the transaction is the one that held it up
    assert [row.status for row in session.log.invocations(flows[-1])] == [Status.COMPLETE, Status.PENDING]
    session.log.close()
    session.log.close()


def test_a_step_made_and_ended_while_it_waits_is_inserted_once(tmp_path: Path, statements: dict[str, int]) -> None:
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=CountingConnection))
    session.make(Start(flow_row()))
    statements.clear()
    session.make(made(1), changed(1, attempts=2), changed(1), made(2))
    assert statements == {"BEGIN": 1, "UPDATE": 1, "COMMIT": 1, "INSERT": 1}
    session.log.close()


def test_signals_sent_and_taken_while_they_wait_are_one_commit(tmp_path: Path, statements: dict[str, int]) -> None:
    flows = [f"flow-{number}" for number in range(300)]
    session = Session(SqliteLog(tmp_path / "log.db", connection_class=CountingConnection))
    session.make(*(Start(flow_row(flow_id)) for flow_id in flows), *(waiting(1, flow_id) for flow_id in flows))
    statements.clear()
    sent: list[Write] = [Send(signal("s", flow_id)) for flow_id in flows]
    settled = session.make(*sent, *(SignalTaken(flow_id, 1, "s", "[1]", 1) for flow_id in flows))
    assert not settled.refused
    assert all(isinstance(answer, FlowRow) for answer in settled.answers)
    assert statements["COMMIT"] == 2
    assert sum(statements.values()) <= 12
    session.log.close()


def test_a_very_long_queue_becomes_several_commits_in_order(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db", durability="process"))
    session.make(Start(flow_row()), *(made(step) for step in range(1, 25_001)))
    positions = [commit.position for commit in session.commits]
    assert len(positions) == 4
    assert positions == sorted(positions)
    after, count = 0, 0
    while page := session.log.invocations("f", after=after, limit=10_000):
        after, count = page[-1].step, count + len(page)
    assert (after, count) == (25_000, 25_000)
    session.log.close()
