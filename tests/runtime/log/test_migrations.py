"""Logs of every earlier schema version are brought up to date when they are opened, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from persistasaurus.errors import LogInUse, NewerSchema
from persistasaurus.log import SEED_SIZE
from persistasaurus.records import FlowStatus, Kind, Status
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.sqlite_log.migrations import MIGRATIONS, check, migrate
from persistasaurus.testing.contract.session import Session, changed, flow_changed, made

GOLDEN_LOGS = Path(__file__).parents[2] / "golden_logs"

ADD_A_COLUMN = "ALTER TABLE execution_log ADD COLUMN worker TEXT;\nCREATE INDEX by_worker ON execution_log (worker);"
FAILS_HALFWAY = "CREATE TABLE half (made TEXT);\nINSERT INTO there_is_no_such_table VALUES (1);"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as connection:
        yield connection


def schema(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()


def test_an_older_log_gets_every_version_it_lacks(connection: sqlite3.Connection) -> None:
    migrate(connection, "log.db")
    migrate(connection, "log.db", scripts=[*MIGRATIONS, ADD_A_COLUMN, "CREATE TABLE leases (owner TEXT);"])
    assert check(connection, "log.db", newest=len(MIGRATIONS) + 2) == len(MIGRATIONS) + 2
    connection.execute("SELECT worker FROM execution_log")
    connection.execute("SELECT owner FROM leases")


def test_a_new_log_and_a_migrated_one_have_the_same_schema(connection: sqlite3.Connection) -> None:
    scripts = [*MIGRATIONS, ADD_A_COLUMN]
    migrate(connection, "log.db")
    migrate(connection, "log.db", scripts=scripts)
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as new:
        migrate(new, "new.db", scripts=scripts)
        assert schema(connection) == schema(new)


def test_a_log_that_is_up_to_date_is_not_touched(connection: sqlite3.Connection) -> None:
    migrate(connection, "log.db")
    before = connection.execute("PRAGMA schema_version").fetchone()
    migrate(connection, "log.db")
    assert connection.execute("PRAGMA schema_version").fetchone() == before


def test_a_migration_that_fails_changes_nothing_and_is_tried_again(connection: sqlite3.Connection) -> None:
    migrate(connection, "log.db")
    before = schema(connection)
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="there_is_no_such_table"):
            migrate(connection, "log.db", scripts=[*MIGRATIONS, FAILS_HALFWAY])
        assert schema(connection) == before
        assert check(connection, "log.db") == len(MIGRATIONS)
    migrate(connection, "log.db", scripts=[*MIGRATIONS, ADD_A_COLUMN])
    assert check(connection, "log.db", newest=len(MIGRATIONS) + 1) == len(MIGRATIONS) + 1


def test_a_version_from_the_future_is_refused(connection: sqlite3.Connection) -> None:
    migrate(connection, "log.db", scripts=[*MIGRATIONS, ADD_A_COLUMN])
    with pytest.raises(NewerSchema):
        migrate(connection, "log.db")


@pytest.mark.parametrize("golden", sorted(GOLDEN_LOGS.glob("*.sql")), ids=lambda path: path.stem)
def test_a_golden_log_opens_reads_and_goes_on(tmp_path: Path, golden: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        connection.executescript(golden.read_text())
    session = Session(SqliteLog(tmp_path / "log.db"))
    log = session.log
    statuses = {flow.flow_id: flow.status for flow in log.flows()}
    assert statuses == {
        "signup-1": FlowStatus.COMPLETE,
        "signup-2": FlowStatus.WAITING,
        "signup-3": FlowStatus.RUNNING,
        "signup-4": FlowStatus.PARKED,
    }
    assert len(log.seed) == SEED_SIZE
    assert {flow.flow_id for flow in log.flows() if flow.version != 1} == (
        {"signup-2"} if golden.stem == "v3" else set()
    )
    complete = log.flow("signup-1")
    assert complete is not None
    assert (complete.name, complete.return_value, complete.python) == ("SignupFlow.sign_up", "42", "3.11")
    first, mail, confirmation, last = log.invocations("signup-1")
    assert (first.kind, first.status, first.return_value, first.delivery) == (Kind.STEP, Status.COMPLETE, "42", 1)
    assert (mail.delay, mail.attempts, mail.failures) == (259_200_000_000, 2, 1)
    assert (confirmation.kind, confirmation.parameters) == (Kind.SIGNAL, '["2025-01-04T09:00:00Z"]')
    assert last.called_after == 3
    assert [signal.taken_by for signal in log.taken_signals("signup-1")] == [3]
    (waiting,) = log.invocations("signup-2")
    assert (waiting.status, waiting.due, waiting.key) == (Status.WAITING_FOR_SIGNAL, 1_736_300_000_000_000, "again")
    assert [signal.arguments for signal in log.unread_signals("signup-2")] == ['["2025-01-05T09:00:00Z"]']
    assert log.next_due(0) == 1_736_100_000_000_000
    reopened = log.flow("signup-3")
    assert reopened is not None
    assert reopened.round == 1
    (archived,) = log.archived("signup-3")
    assert (archived.step, archived.archived_in, archived.status) == (1, 0, Status.FAILED)
    settled = session.make(made(2, "signup-3"), changed(2, "signup-3"), flow_changed(FlowStatus.COMPLETE, "signup-3"))
    assert not settled.refused
    log.close()


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_log_is_brought_up_to_date_by_many_at_once(tmp_path: Path, version: str) -> None:
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((GOLDEN_LOGS / f"{version}.sql").read_text())
    barrier = threading.Barrier(4)

    def open_and_close() -> tuple[int, bytes]:
        log = SqliteLog(path)
        barrier.wait()
        log.open(lambda commit: None)
        found = len(log.flows()), log.seed
        log.close()
        return found

    with ThreadPoolExecutor(4) as threads:
        found = [future.result() for future in [threads.submit(open_and_close) for _ in range(4)]]
    assert found == [(4, found[0][1])] * 4
    with closing(sqlite3.connect(path)) as connection:
        assert check(connection, str(path)) == len(MIGRATIONS)
        assert connection.execute("SELECT count(*) FROM signals").fetchall() == [(2,)]


@pytest.mark.skipif(os.name == "nt", reason="locks of another kind")
def test_a_log_that_an_engine_of_the_first_version_has_open_is_left_alone(tmp_path: Path) -> None:
    import fcntl

    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((GOLDEN_LOGS / "v1.sql").read_text())
    with Path(f"{path}-engine").open("w") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        mark.write('{"host": "here", "pid": 42}')
        mark.flush()
        with pytest.raises(LogInUse, match=r'earlier version.*"pid": 42.*Close that engine first'):
            SqliteLog(path).open(lambda commit: None)
    with closing(sqlite3.connect(path)) as connection:
        assert check(connection, str(path)) == 1
    Session(SqliteLog(path)).log.close()
