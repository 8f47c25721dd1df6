"""Only an execution log is opened as one; anything else is left as it was, with an error that says what to do (G13)."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from persistasaurus.errors import LogError, LogUnavailable, NewerSchema, NotAnExecutionLog
from persistasaurus.records import Start
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import Session, flow_row, made
from tests.runtime.log.running import run


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database at all, only a file of that name")


def long_garbage(path: Path) -> None:
    path.write_bytes(b"\xffgarbage" * 4096)


def foreign_database(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE users (name TEXT)")
        other.execute("INSERT INTO users VALUES ('alice')")
        other.commit()


def foreign_database_with_write_ahead_log(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA journal_mode = WAL")
    foreign_database(path)


def database_with_a_mark_of_its_own(path: Path) -> None:
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA application_id = 1234")


@pytest.mark.parametrize(
    "make",
    [
        garbage,
        long_garbage,
        foreign_database,
        foreign_database_with_write_ahead_log,
        database_with_a_mark_of_its_own,
    ],
)
def test_another_kind_of_file_is_refused_and_left_as_it_was(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "other.db"
    make(path)
    before = path.read_bytes()
    with pytest.raises(NotAnExecutionLog, match=r"other\.db is .* Choose another file"):
        SqliteLog(path).open(lambda commit: None)
    assert path.read_bytes() == before
    assert not (tmp_path / "other.db-engine").exists()


def test_a_log_of_a_newer_version_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    Session(SqliteLog(path)).log.close()
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA user_version = 1000")
    before = path.read_bytes()
    with pytest.raises(NewerSchema, match=r"schema version 1000.*[Uu]pgrade persistasaurus"):
        SqliteLog(path).open(lambda commit: None)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kept", [5_000, 20_000])
def test_a_damaged_log_is_said_to_be_damaged(tmp_path: Path, kept: int) -> None:
    path = tmp_path / "log.db"
    session = Session(SqliteLog(path))
    session.make(Start(flow_row()), *(made(step) for step in range(1, 500)))
    session.log.close()
    os.truncate(path, kept)
    with pytest.raises(LogUnavailable, match=r"damaged.*\.recover"):
        SqliteLog(path).open(lambda commit: None)


@pytest.mark.parametrize("content", [None, b""])
def test_a_missing_or_empty_file_becomes_a_log(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "log with ü, % and ?.db"
    if content is not None:
        path.write_bytes(content)
    session = Session(SqliteLog(path))
    assert session.make(Start(flow_row())).answer is None
    session.log.close()
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_a_log_whose_making_was_cut_off_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    run("die_while_making", path)
    assert path.with_name("log.db-journal").exists()
    session = Session(SqliteLog(path))
    assert session.log.flows() == []
    session.log.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is a folder. Name the file"),
        ("missing/log.db", "there is no folder"),
        (":memory:", "InMemoryLog"),
    ],
)
def test_a_name_that_can_be_no_file_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with pytest.raises(LogUnavailable, match=message):
        SqliteLog(name if name == ":memory:" else tmp_path / name).open(lambda commit: None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="rights are another matter there")
@pytest.mark.parametrize("read_only", ["file", "folder"])
def test_a_file_that_may_not_be_written_is_refused_at_once(read_only: str) -> None:
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are closed to other users
        folder = Path(name)
        path = folder / "log.db"
        Session(SqliteLog(path)).log.close()
        path.chmod(0o444)
        folder.chmod(0o777 if read_only == "file" else 0o555)
        told = run("without_rights", path)
        folder.chmod(0o755)
    assert str(path) in told
    assert "read-only" in told if read_only == "file" else "folder it may write to" in told


def test_an_error_while_opening_lets_go_of_the_log(tmp_path: Path) -> None:
    log = SqliteLog(tmp_path / "other.db")
    garbage(tmp_path / "other.db")
    for _ in range(2):
        with pytest.raises(NotAnExecutionLog):
            log.open(lambda commit: None)
    with pytest.raises(LogError, match="not open"):
        log.flow("f")
    (tmp_path / "other.db").unlink()
    Session(log).log.close()


def test_every_new_log_has_another_seed_and_a_copy_has_that_of_its_original(tmp_path: Path) -> None:
    seeds = []
    for name in ("one.db", "another.db", "copy.db"):
        if name == "copy.db":
            shutil.copy(tmp_path / "one.db", tmp_path / name)
        log = SqliteLog(tmp_path / name)
        log.open(lambda commit: None)
        seeds.append(log.seed)
        log.close()
    assert seeds[0] != seeds[1]
    assert seeds[0] == seeds[2]


def test_a_log_that_has_lost_its_seed_is_not_opened_with_another(tmp_path: Path) -> None:
    Session(SqliteLog(tmp_path / "log.db")).log.close()
    with closing(sqlite3.connect(tmp_path / "log.db", isolation_level=None)) as connection:
        connection.execute("DELETE FROM log_seed")
    with pytest.raises(LogUnavailable, match=r"has lost its seed.*restore the table log_seed"):
        SqliteLog(tmp_path / "log.db").open(lambda commit: None)
