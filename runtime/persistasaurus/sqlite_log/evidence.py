"""Whether a transaction is in the file, asked after it failed to commit: then its result is unknown, not no."""

from __future__ import annotations

import sqlite3
from typing import Final

from msgspec.structs import asdict

from persistasaurus.records import CallChanged, CallMade
from persistasaurus.sqlite_log import statements
from persistasaurus.sqlite_log.fold import Fold
from persistasaurus.sqlite_log.many_rows import WRITES

_COMMITS: Final = statements.load("engines.sql")["commits"]


def was_counted(connection: sqlite3.Connection, engine: int, count: int) -> bool:
    """Whether the transaction that an engine counted as `count`, its last, is in the file."""
    found = connection.execute(_COMMITS, (engine,)).fetchall()
    return bool(found) and found[0][0] == count


def is_all_there(connection: sqlite3.Connection, fold: Fold) -> bool:
    """Whether every call of a fold is in the file as it would be left, for a statement that counts nothing."""
    checks: list[tuple[str, CallMade | CallChanged]] = []
    checks += (("invocation_is_as_made", made) for made in fold.calls_made.values())
    for changes in (fold.calls_settled, fold.calls_changed):
        checks += (("invocation_is_as_changed", change) for change in changes.values())
    return all(connection.execute(WRITES[name], asdict(write)).fetchall()[0][0] for name, write in checks)
