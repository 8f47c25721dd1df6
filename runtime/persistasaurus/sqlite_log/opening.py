"""Open the file of an execution log: only if it is one, and with the durability that was asked for."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from persistasaurus.errors import LogError, LogUnavailable, NotAnExecutionLog
from persistasaurus.sqlite_log import migrations
from persistasaurus.sqlite_log.engine_files import require_no_older_engine

Durability = Literal["power", "process"]

_OLDEST_SQLITE: Final = (3, 38, 0)
"""The first with STRICT tables and, in every build, JSON functions."""

_SYNCHRONOUS: Final[dict[Durability, str]] = {"power": "FULL", "process": "NORMAL"}

_JOURNAL_SIZE_LIMIT: Final = 64 * 1024 * 1024
"""Bytes the write-ahead log is cut back to when it had to grow beyond. It is not kept longer than SQLite's 1000 pages
between checkpoints: a commit into a file that grows takes half as long again as one into pages that are there."""

_HINTS: Final = {
    sqlite3.SQLITE_BUSY: "Another program holds a lock on it: let that program finish",
    sqlite3.SQLITE_LOCKED: "Another program holds a lock on it: let that program finish",
    sqlite3.SQLITE_READONLY: "The file is read-only: give the engine the right to write to it and to its folder",
    sqlite3.SQLITE_CANTOPEN: "It cannot be opened: check that it is a file, and the rights on it and on its folder",
    sqlite3.SQLITE_PERM: "Check the rights on the file and on its folder",
    sqlite3.SQLITE_FULL: "The disk is full: make room",
    sqlite3.SQLITE_IOERR: "The disk reports an error or is full: check it",
    sqlite3.SQLITE_CORRUPT: "The file is damaged: keep a copy of it, then try `sqlite3 FILE .recover`",
}


class FileGone(Exception):
    """The log's file is another, or not there."""


class LogFile(Struct, frozen=True):
    """Where a log is and how it is opened."""

    path: str
    """Absolute, without symbolic links."""
    durability: Durability
    busy_timeout: float
    """Seconds to wait for another program's lock."""
    connection_class: type[sqlite3.Connection]

    def prepare(self) -> None:
        """Make sure that there is an execution log of the present schema which can be written.

        Raises:
            LogError: It is something else, or refuses; then it is left as it was.
        """
        with readable_errors(self.path):
            if os.path.exists(self.path):
                # Before SQLite comes near it: it would leave files beside it that are as read-only as it is.
                if not os.access(self.path, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
                    raise LogUnavailable(f"{self.path}: it may not be written. {_HINTS[sqlite3.SQLITE_READONLY]}")
                if os.path.getsize(self.path) > 0:
                    self._check()
            with closing(self.connect()) as connection:
                if migrations.check(connection, self.path) == 1:
                    require_no_older_engine(self.path)
                migrations.migrate(connection, self.path)
                # A file one may only read is opened all the same, and says so at the first write: better now.
                connection.execute("BEGIN IMMEDIATE")
                connection.execute(f"PRAGMA application_id = {migrations.APPLICATION_ID}")
                connection.execute("ROLLBACK")

    def _check(self) -> None:
        # Read-only, because closing a database that was opened to write moves its write-ahead log: it may not be ours.
        try:
            # If nobody has it open it does not change meanwhile, and SQLite needs no files beside it.
            with closing(self._connect("ro" if self._in_use else "ro&immutable=1")) as connection:
                migrations.check(connection, self.path)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_READONLY_ROLLBACK:
                raise
            # A crash left half a transaction, which whoever reads the file next has to roll back.
            with closing(self._connect("rw")) as connection:
                migrations.check(connection, self.path)

    @property
    def _in_use(self) -> bool:
        """Whether somebody has it open, or left it so."""
        return any(os.path.exists(self.path + suffix) for suffix in ("-wal", "-journal"))

    def identity(self) -> tuple[int, int]:
        """What tells the file from another of the same name."""
        found = os.stat(self.path)
        return found.st_dev, found.st_ino

    def require_same(self, identity: tuple[int, int]) -> None:
        """Make sure that what has the name is still that file.

        Raises:
            FileGone: It is not, and what is written would be lost.
        """
        try:
            if self.identity() == identity:
                return
        except FileNotFoundError:
            pass
        raise FileGone(
            f"{self.path} was removed or replaced while it was open: nothing more is recorded, and no flow goes on. "
            "Close the engine, put the file back, and open it again"
        )

    def connect(self) -> sqlite3.Connection:
        """A connection to write with, in autocommit mode."""
        connection = self._connect("rwc")
        try:
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchall()[0][0]
            if mode != "wal":
                raise LogUnavailable(f"{self.path}: this file system takes no write-ahead log (journal mode {mode!r})")
            connection.execute(f"PRAGMA synchronous = {_SYNCHRONOUS[self.durability]}")
            if self.durability == "power":
                # macOS answers fsync before the disk has the data, unless it is told otherwise; no-ops elsewhere.
                connection.execute("PRAGMA fullfsync = ON")
                connection.execute("PRAGMA checkpoint_fullfsync = ON")
            # `write_invocations` reads the table it writes, so SQLite lays its rows aside first; in a file, they might
            # find no room on another file system.
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute(f"PRAGMA journal_size_limit = {_JOURNAL_SIZE_LIMIT}")
        except BaseException:
            connection.close()
            raise
        connection.text_factory = bytes  # what is read is JSON, and damaged text is for its decoder to find
        return connection

    def connect_to_read(self) -> sqlite3.Connection:
        """A connection that refuses to write."""
        connection = self._connect("rw")
        connection.execute("PRAGMA query_only = ON")
        connection.text_factory = bytes
        return connection

    def connect_to_look(self) -> sqlite3.Connection:
        """A connection that changes nothing, not even what a crash left beside the file; others may write meanwhile."""
        if self._in_use:
            mode = "ro"
        elif os.access(os.path.dirname(self.path), os.W_OK) and os.access(self.path, os.W_OK):
            mode = "rw"  # nothing is left to be moved into it, and whoever opens it next may begin to write
        else:
            mode = "ro&immutable=1"
        connection = self._connect(mode)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def _connect(self, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{Path(self.path).as_uri()}?mode={mode}",
            uri=True,
            timeout=self.busy_timeout,
            isolation_level=None,
            check_same_thread=False,
            cached_statements=256,
            factory=self.connection_class,
        )


def locate(path: str | os.PathLike[str]) -> str:
    """The real path of a log that is to be opened.

    Raises:
        LogUnavailable: There can be no file of that name.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise LogUnavailable(
            f"this Python has SQLite {sqlite3.sqlite_version}: an execution log needs version "
            f"{'.'.join(map(str, _OLDEST_SQLITE))} or later"
        )
    given = os.fspath(path)
    if given in {"", ":memory:"}:
        raise LogUnavailable(f"{given!r} names no file. For a log in memory use persistasaurus.testing.InMemoryLog")
    real = os.path.realpath(given)
    if os.path.isdir(real):
        raise LogUnavailable(
            f"{given} is a folder. Name the file of the log, {os.path.join(given, 'execution_log.db')} say"
        )
    if not os.path.isdir(os.path.dirname(real)):
        raise LogUnavailable(f"{given} cannot be opened: there is no folder {os.path.dirname(real)}. Make it first")
    return real


@contextmanager
def readable_errors(path: str) -> Iterator[None]:
    """Turn errors of SQLite and of the system about the file as a whole into errors of this package."""
    try:
        yield
    except (LogError, sqlite3.DataError):  # a value too large is not about the file
        raise
    except sqlite3.Error as error:
        raise explained(path, error) from error
    except OSError as error:
        raise LogUnavailable(f"{path}: {error.strerror}") from error


def explained(path: str, error: Exception) -> LogError:
    """What SQLite says about the file, with what to do about it."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_NOTADB:
        return NotAnExecutionLog(
            f"{path} is not a database, so no execution log. Nothing was changed. Choose another file for the log"
        )
    hint = _HINTS.get(code)
    return LogUnavailable(f"{path}: {error}. {hint}" if hint else f"{path}: {error}")
