"""A look at a log without an engine: nothing is written, whether or not engines have it open."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

from persistasaurus.errors import LogUnavailable, NotAnExecutionLog
from persistasaurus.sqlite_log import migrations
from persistasaurus.sqlite_log.opening import LogFile, locate, readable_errors
from persistasaurus.sqlite_log.reader import Reader

_BUSY_TIMEOUT = 5.0


@contextmanager
def look_into(path: str | os.PathLike[str]) -> Iterator[Reader]:
    """Read a log as it is, while engines may write to it.

    Args:
        path: Its file. One of an earlier schema version is copied beside the system's temporary files and brought up to
            date there.

    Raises:
        LogError: There is no such file, it is no execution log, or this version cannot read it.
    """
    real = locate(path)
    if not os.path.exists(real):
        raise LogUnavailable(f"{os.fspath(path)}: there is no such file. Name the execution log to look at")
    with readable_errors(real), ExitStack() as open_files:
        file = LogFile(real, "process", _BUSY_TIMEOUT, sqlite3.Connection)
        connection = open_files.enter_context(closing(file.connect_to_look()))
        version = migrations.check(connection, real)
        if version == 0:
            raise NotAnExecutionLog(f"{real} is empty, so no execution log. Name the execution log to look at")
        if version < len(migrations.MIGRATIONS):
            folder = open_files.enter_context(tempfile.TemporaryDirectory())
            copy = open_files.enter_context(
                closing(sqlite3.connect(os.path.join(folder, "copy.db"), isolation_level=None, check_same_thread=False))
            )
            connection.backup(copy)
            migrations.migrate(copy, real)
            connection = copy
        connection.text_factory = bytes
        yield Reader(real, connection)
