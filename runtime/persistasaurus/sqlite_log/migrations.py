"""Bring the schema of a log up to date, version by version, each in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from persistasaurus.errors import NewerSchema, NotAnExecutionLog
from persistasaurus.sqlite_log import statements

APPLICATION_ID: Final = 0x50534C47
"""Stands in the header of the file ("PSLG"), so that an execution log is told from other databases."""

MIGRATIONS: Final = tuple(statements.migrations())
"""Each brings the schema from the version of its index to the next one."""


def check(connection: sqlite3.Connection, path: str, *, newest: int = len(MIGRATIONS)) -> int:
    """The schema version of the file, 0 for an empty one, reading only.

    Raises:
        NotAnExecutionLog: It is another application's database.
        NewerSchema: It was written by a version of persistasaurus that knows more than this one.
    """
    application_id = _pragma(connection, "application_id")
    version = _pragma(connection, "user_version")
    if application_id == APPLICATION_ID:
        if version > newest:
            raise NewerSchema(
                f"{path} has schema version {version}, this version of persistasaurus knows {newest} and older ones. "
                "Nothing was changed. Upgrade persistasaurus, or choose another file"
            )
        return version
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchall()[0][0]
    if application_id or version or tables:
        raise NotAnExecutionLog(
            f"{path} is a database of another application, not an execution log. "
            "Nothing was changed. Choose another file for the log"
        )
    return 0


def migrate(connection: sqlite3.Connection, path: str, *, scripts: Sequence[str] = MIGRATIONS) -> None:
    """Run the migrations the file lacks; a connection in autocommit mode. Others may do the same."""
    while (version := check(connection, path, newest=len(scripts))) < len(scripts):
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{scripts[version]}\n"
                f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {version + 1};\nCOMMIT;"
            )
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            # Another process may have done it between our look and our lock; then ours did not fit any more.
            if check(connection, path, newest=len(scripts)) == version:
                raise


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value = connection.execute(f"PRAGMA {name}").fetchall()[0][0]
    return int(value)
