"""Reads stay short however much a log holds: none of them scans the log or sorts it."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from persistasaurus.sqlite_log import SqliteLog, statements
from persistasaurus.testing.contract.session import Session

READS = {name: text for file in ("reads.sql", "engines.sql") for name, text in statements.load(file).items()}
TABLES = ("execution_log", "signals", "archived_invocations")
MERGES_TWO_PAGES = {"available", "ended"}
"""What sorts no more than it answers."""


@pytest.mark.parametrize("name", READS)
def test_a_read_finds_its_rows_by_an_index_in_their_order(tmp_path: Path, name: str) -> None:
    Session(SqliteLog(tmp_path / "log.db")).log.close()
    sql = READS[name].replace("?", ":n")
    parameters = {
        parameter: "[]" if parameter in ("names", "flow_ids", "dead") else 0 for parameter in re.findall(r":(\w+)", sql)
    }
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", parameters)]
    of_tables = [line for line in plan if line.split(" ")[1] in TABLES]
    assert all(line.startswith("SEARCH") for line in of_tables)
    if name not in MERGES_TWO_PAGES:
        assert not any("TEMP B-TREE" in line for line in plan)
