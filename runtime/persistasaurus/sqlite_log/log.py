"""`SqliteLog`: the execution log in a SQLite file, one writer thread committing in groups, reads beside it."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final

from persistasaurus.errors import LogError, LogInUse
from persistasaurus.records import Commit, FlowRow, FlowStatus, InvocationRow, SignalRow, Write
from persistasaurus.sqlite_log.engine_lock import EngineLock
from persistasaurus.sqlite_log.opening import Durability, LogFile, locate, readable_errors
from persistasaurus.sqlite_log.reader import Reader
from persistasaurus.sqlite_log.writer import Writer

_BUSY_TIMEOUT: Final = timedelta(seconds=5)
_CLOSE_WITHIN: Final = timedelta(seconds=10)

_open_logs: Final[weakref.WeakSet[SqliteLog]] = weakref.WeakSet()
_of_the_parent: Final[list[_Opened | None]] = []


class SqliteLog:
    """An `ExecutionLog` in a SQLite file; other programs may read the file meanwhile.

    Args:
        path: The file; it is made if it is not there, its folder is not.
        durability: "power": what is acknowledged survives a power failure. "process": it survives a killed process, and
            a power failure may take the last commits.
        busy_timeout: How long one try waits for a lock that another program holds; tries are repeated.
        close_within: How long `close` keeps trying to record what waits while the file refuses.
        connection_class: For tests: a `sqlite3.Connection` that fails on purpose.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = "execution_log.db",
        *,
        durability: Durability = "power",
        busy_timeout: timedelta = _BUSY_TIMEOUT,
        close_within: timedelta = _CLOSE_WITHIN,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self._path = path
        self._durability = durability
        self._busy_timeout = busy_timeout
        self._close_within = close_within
        self._connection_class = connection_class
        self._opened: _Opened | None = None

    def open(self, on_commit: Callable[[Commit], None]) -> None:
        if self._opened is not None:
            raise LogInUse(
                f"{self._opened.file.path} is open in another engine of this process: close that engine first"
            )
        self._opened = _Opened(self._file(), on_commit, self._close_within.total_seconds())
        _open_logs.add(self)

    def close(self) -> None:
        opened, self._opened = self._opened, None
        _open_logs.discard(self)
        if opened is not None:
            opened.close()

    def put(self, write: Write) -> int:
        return self._here().writer.put(write)

    def flow(self, flow_id: str) -> FlowRow | None:
        return self._here().reader.flow(flow_id)

    def invocations(self, flow_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[InvocationRow]:
        return self._here().reader.invocations(flow_id, after, limit)

    def archived(self, flow_id: str, *, limit: int = 1000) -> Sequence[InvocationRow]:
        return self._here().reader.archived(flow_id, limit)

    def unread_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return self._here().reader.unread_signals(flow_id)

    def taken_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return self._here().reader.taken_signals(flow_id)

    def flows(
        self, *, status: FlowStatus | None = None, after: tuple[int, str] | None = None, limit: int = 100
    ) -> Sequence[FlowRow]:
        return self._here().reader.flows(status, after, limit)

    def due(self, before: int, *, after: tuple[int, str] | None = None, limit: int = 100) -> Sequence[FlowRow]:
        return self._here().reader.due(before, after, limit)

    def next_due(self, after: int) -> int | None:
        return self._here().reader.next_due(after)

    def _file(self) -> LogFile:
        return LogFile(locate(self._path), self._durability, self._busy_timeout.total_seconds(), self._connection_class)

    def _here(self) -> _Opened:
        if self._opened is None:
            raise LogError(f"the execution log {os.fspath(self._path)!r} is not open in this process")
        return self._opened

    def _leave_to_parent(self) -> None:
        """In a forked child, where the writer thread is not: the log is open in the parent alone.

        The connections are kept from being collected, because closing them here would close the parent's files.
        """
        _of_the_parent.append(self._opened)
        self._opened = None


class _Opened:
    """What there is while the log is open."""

    def __init__(self, file: LogFile, on_commit: Callable[[Commit], None], close_within: float) -> None:
        self.file = file
        self._lock = EngineLock(file.path)
        try:
            file.prepare()
            with readable_errors(file.path):
                self.reader = Reader(file)
                self.writer = Writer(file, on_commit, close_within)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        try:
            self.writer.close()
        finally:
            self.reader.close()
            self._lock.release()


def _leave_all_to_parent() -> None:
    for log in list(_open_logs):
        log._leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)
