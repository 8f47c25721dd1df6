"""The yardstick: plain `sqlite3` that writes the same table with the same columns and the same durability."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

from persistasaurus.sqlite_log import SqliteLog

_INSERT = """
INSERT INTO execution_log (
    flow_id, step, kind, class_name, method_name, key, timestamp, called_after, parameters, delay, round, status,
    attempts, failures, due, return_value, delivery, delivered_at, cancelled_after
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_UPDATE = """
UPDATE execution_log
SET status = ?, attempts = ?, failures = ?, due = ?, return_value = ?, delivery = ?, delivered_at = ?,
    cancelled_after = ?
WHERE flow_id = ? AND step = ?
"""


def steps_per_second(path: Path, *, flows: int, steps: int, steps_a_commit: int) -> float:
    """Write so many steps of so many flows, one insert and one update each; returns steps a second.

    Args:
        path: Where the log is made.
        flows: Number of flows.
        steps: Steps of each flow.
        steps_a_commit: How many steps one transaction holds.
    """
    _make_log(path)
    connection = sqlite3.connect(path, isolation_level=None, cached_statements=256)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    now = time.time_ns() // 1000
    work = [(f"flow-{flow}", step) for step in range(1, steps + 1) for flow in range(flows)]
    begun = time.perf_counter()
    for start in range(0, len(work), steps_a_commit):
        chunk = work[start : start + steps_a_commit]
        inserts = [
            (
                flow_id, step, "STEP", "Counting", "say", None, now, step - 1, f'{{"name":"World","count":{step}}}',
                None, 0, "PENDING", 1, 0, None, None, None, None, None,
            )
            for flow_id, step in chunk
        ]  # fmt: skip
        updates = [("COMPLETE", 1, 0, None, str(step), step, now, None, flow_id, step) for flow_id, step in chunk]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(_INSERT, inserts)
        connection.executemany(_UPDATE, updates)
        connection.execute("COMMIT")
    elapsed = time.perf_counter() - begun
    connection.close()
    return len(work) / elapsed


def rows_per_second(path: Path, flow_id: str) -> float:
    """Read and decode all rows of a flow once; returns rows a second."""
    import msgspec

    connection = sqlite3.connect(path, isolation_level=None)
    parameters = msgspec.json.Decoder(dict[str, int | str])
    result = msgspec.json.Decoder(int)
    begun = time.perf_counter()
    rows = connection.execute(
        "SELECT flow_id, step, kind, class_name, method_name, key, timestamp, called_after, parameters, delay, round,"
        " status, attempts, failures, due, return_value, delivery, delivered_at, cancelled_after"
        " FROM execution_log WHERE flow_id = ? AND kind = 'STEP' ORDER BY step",
        (flow_id,),
    ).fetchall()
    for row in rows:
        parameters.decode(row[8])
        result.decode(row[15])
    elapsed = time.perf_counter() - begun
    connection.close()
    return len(rows) / elapsed


def _make_log(path: Path) -> None:
    log = SqliteLog(path)
    log.open(lambda commit: None)
    log.close()
