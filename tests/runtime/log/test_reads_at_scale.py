"""Reads stay short however much a log holds: none of them scans the log or sorts it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from persistasaurus.sqlite_log import SqliteLog, statements
from persistasaurus.testing.contract.session import Session

READS = statements.load("reads.sql")


@pytest.mark.parametrize("name", READS)
def test_a_read_finds_its_rows_by_an_index_in_their_order(tmp_path: Path, name: str) -> None:
    Session(SqliteLog(tmp_path / "log.db")).log.close()
    parameters = dict.fromkeys(re.findall(r":(\w+)", READS[name]), 0)
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {READS[name]}", parameters)]
    assert len(plan) == 1
    assert plan[0].startswith("SEARCH")
