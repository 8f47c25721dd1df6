"""A look at a log without an engine: nothing changes, whoever has it open, and whatever a crash left."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from persistasaurus import LogError
from persistasaurus.offline import look_into, recorded_flows
from persistasaurus.records import FlowStatus, Start
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import Session, flow_row, made
from tests.runtime.log.test_opening import foreign_database, long_garbage

GOLDEN_LOGS = Path(__file__).parents[2] / "golden_logs"


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but SQLite's shared memory, which belongs to who has the database open."""
    return {
        path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm") and path.is_file()
    }


def ids(path: Path) -> list[str]:
    with look_into(path) as log:
        return [recorded.flow.flow_id for recorded in recorded_flows(log)]


@pytest.mark.parametrize("golden", sorted(GOLDEN_LOGS.glob("*.sql")), ids=lambda path: path.stem)
def test_logs_of_every_schema_version_are_read_and_left_as_they_were(tmp_path: Path, golden: Path) -> None:
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(golden.read_text())
    before = contents(tmp_path)
    with look_into(path) as log:
        found = {recorded.flow.flow_id: recorded for recorded in recorded_flows(log)}
    assert {flow_id: recorded.flow.status for flow_id, recorded in found.items()} == {
        "signup-2": FlowStatus.WAITING,
        "signup-3": FlowStatus.RUNNING,
        "signup-4": FlowStatus.PARKED,
    }
    assert [call.key for call in found["signup-2"].calls] == ["again"]
    assert [signal.arguments for signal in found["signup-2"].signals] == ['["2025-01-05T09:00:00Z"]']
    assert contents(tmp_path) == before


def test_a_log_is_read_while_an_engine_writes_to_it(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db"))
    session.make(Start(flow_row("f")), made(1, "f"))
    with look_into(tmp_path / "log.db") as log:
        (recorded,) = recorded_flows(log)
        assert (recorded.flow.flow_id, len(recorded.calls)) == ("f", 1)
        session.make(made(2, "f"), Start(flow_row("g")))
        assert [(each.flow.flow_id, len(each.calls)) for each in recorded_flows(log)] == [("f", 2), ("g", 0)]
    session.make(made(3, "f"))
    session.log.close()


def test_what_a_crash_left_beside_the_file_is_read_and_stays(tmp_path: Path) -> None:
    session = Session(SqliteLog(tmp_path / "log.db"))
    session.make(Start(flow_row("f")))
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("log.db", "log.db-wal"):
        shutil.copy(tmp_path / name, crashed)
    session.log.close()
    before = contents(crashed)
    assert ids(crashed / "log.db") == ["f"]
    assert contents(crashed) == before


def test_a_log_in_a_folder_that_takes_no_files_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # root may write to any
    session = Session(SqliteLog(tmp_path / "log.db"))
    session.make(Start(flow_row("f")))
    session.log.close()
    tmp_path.chmod(0o555)
    try:
        assert ids(tmp_path / "log.db") == ["f"]
        assert [path.name for path in tmp_path.iterdir()] == ["log.db"]
    finally:
        tmp_path.chmod(0o755)


def test_what_is_no_log_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    missing = tmp_path / "missing.db"
    with pytest.raises(LogError, match="there is no such file"):
        ids(missing)
    assert not missing.exists()
    (tmp_path / "empty.db").touch()
    with pytest.raises(LogError, match="is empty, so no execution log"):
        ids(tmp_path / "empty.db")
    for make in (long_garbage, foreign_database):
        path = tmp_path / f"{make.__name__}.db"
        make(path)
        before = contents(tmp_path)
        with pytest.raises(LogError, match=r"no execution log|not an execution log"):
            ids(path)
        assert contents(tmp_path) == before
