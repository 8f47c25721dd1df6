"""`SqliteLog`: the execution log in a SQLite file, one writer thread committing in groups, reads beside it."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Callable, Collection, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Final

from persistasaurus.errors import LogError, LogInUse
from persistasaurus.log import Snapshot, no_news
from persistasaurus.records import Commit, FlowRow, FlowStatus, InvocationRow, SignalRow, Write
from persistasaurus.sqlite_log.engine_files import EngineFiles
from persistasaurus.sqlite_log.file_systems import locks_tell
from persistasaurus.sqlite_log.keeper import Keeper
from persistasaurus.sqlite_log.opening import Durability, LogFile, locate, readable_errors
from persistasaurus.sqlite_log.reader import Reader
from persistasaurus.sqlite_log.writer import Writer

_BUSY_TIMEOUT: Final = timedelta(seconds=5)
_CLOSE_WITHIN: Final = timedelta(seconds=10)

LEASE: Final = timedelta(seconds=15)


_open_logs: Final[weakref.WeakSet[SqliteLog]] = weakref.WeakSet()
_of_the_parent: Final[list[_Opened | None]] = []


class SqliteLog:
    """An `ExecutionLog` in a SQLite file, which engines of this and other processes on this machine may share (G11).

    Args:
        path: The file; it is made if it is not there, its folder is not.
        durability: "power": what is acknowledged survives a power failure. "process": it survives a killed process, and
            a power failure may take the last commits.
        busy_timeout: How long one try waits for a lock that another program holds; tries are repeated.
        close_within: How long `close` keeps trying to record what waits while the file refuses.
        lease: How long the claims of this engine count without word of it; it gives word three times as often.
        connection_class: For tests: a `sqlite3.Connection` that fails on purpose.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = "execution_log.db",
        *,
        durability: Durability = "power",
        busy_timeout: timedelta = _BUSY_TIMEOUT,
        close_within: timedelta = _CLOSE_WITHIN,
        lease: timedelta = LEASE,
        connection_class: type[sqlite3.Connection] = sqlite3.Connection,
    ) -> None:
        self._path = path
        self._durability = durability
        self._busy_timeout = busy_timeout
        self._close_within = close_within
        if lease <= timedelta():
            raise ValueError(f"SqliteLog(lease={lease!r}): give a duration of more than zero")
        self._lease = lease
        self._connection_class = connection_class
        self._opened: _Opened | None = None

    def open(self, on_commit: Callable[[Commit], None], on_news: Callable[[], None] = no_news) -> None:
        if self._opened is not None:
            raise LogInUse(
                f"this SqliteLog of {self._opened.file.path} is open in another engine: give each engine one of its own"
            )
        lease = round(self._lease.total_seconds() * 1_000_000)
        self._opened = _Opened(self._file(), lease, on_commit, on_news, self._close_within.total_seconds())
        _open_logs.add(self)

    def close(self) -> None:
        opened, self._opened = self._opened, None
        _open_logs.discard(self)
        if opened is not None:
            opened.close()

    @property
    def seed(self) -> bytes:
        return self._here().seed

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

    def available(
        self,
        now: int,
        names: Collection[str],
        *,
        other: bool = False,
        after: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> Sequence[FlowRow]:
        opened = self._here()
        return opened.reader.available(now, names, opened.writer.engine, other, after, limit)

    def next_due(self, after: int) -> int | None:
        return self._here().reader.next_due(after)

    def ended(self, flow_ids: Collection[str]) -> Sequence[FlowRow]:
        return self._here().reader.ended(flow_ids)

    def snapshot(self, flow_id: str) -> Snapshot | None:
        return self._here().reader.snapshot(flow_id)

    def last_signal(self) -> int:
        return self._here().reader.last_signal()

    def signals_from_others(self, after: int, to: int) -> Sequence[SignalRow]:
        opened = self._here()
        return opened.reader.signals_from_others(after, to, opened.writer.engine)

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

    def __init__(
        self,
        file: LogFile,
        lease: int,
        on_commit: Callable[[Commit], None],
        on_news: Callable[[], None],
        close_within: float,
    ) -> None:
        self.file = file
        with ExitStack() as undo:
            files = EngineFiles(file.path, locks_tell=locks_tell(file.path))
            undo.callback(files.close)
            file.prepare()
            with readable_errors(file.path):
                self.reader = Reader(file.path, file.connect_to_read())
                undo.callback(self.reader.close)
                self.seed = self.reader.seed()
                self.writer = Writer(file, files, lease, on_commit, close_within)
            undo.callback(self.writer.close)
            self._keeper = Keeper(files, self.reader, self.writer, lease, on_news)
            undo.callback(self._keeper.close)
            self._close = undo.pop_all()

    def close(self) -> None:
        self._close.close()


def _leave_all_to_parent() -> None:
    for log in list(_open_logs):
        log._leave_to_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_all_to_parent)
