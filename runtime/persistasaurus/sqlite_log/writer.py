"""The one thread that writes: it commits everything waiting in one transaction, and repeats what the file refuses."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec import structs

from persistasaurus.errors import LogError, LogUnavailable
from persistasaurus.records import Commit, Write, flow_of
from persistasaurus.row_changes import passing_the_fence
from persistasaurus.sqlite_log import batch, engines
from persistasaurus.sqlite_log.batch import Batch
from persistasaurus.sqlite_log.engine_files import EngineFiles
from persistasaurus.sqlite_log.engines import Fenced
from persistasaurus.sqlite_log.keeper import look_around
from persistasaurus.sqlite_log.opening import FileGone, LogFile, explained

_log: Final = logging.getLogger("persistasaurus.log")

_MOST_IN_ONE_COMMIT: Final = 10_000
"""Writes: what a transaction holds in memory and adds to the write-ahead log stays bounded."""

_WORTH_HALVING: Final = 16
"""Writes: so many that come at once, after a rest, are two commits. Flows that wait for a commit go on together and are
back together; as two groups, one is at work while the other is written. Not if other engines write meanwhile."""

_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 5.0
"""Seconds between tries of a batch that the file refuses, doubling from the first to the longest."""


class Writer:
    """The queue of writes and the thread that empties it.

    Args:
        file: The log, prepared.
        files: Say that its engine lives.
        lease: Microseconds for which the engine's claims count without word of it.
        on_commit: Told on the writer thread, once a COMMIT has returned.
        close_within: Seconds `close` goes on trying when the file refuses.
    """

    def __init__(
        self,
        file: LogFile,
        files: EngineFiles,
        lease: int,
        on_commit: Callable[[Commit], None],
        close_within: float,
    ) -> None:
        self._file = file
        self._files = files
        self._lease = lease
        self._on_commit = on_commit
        self._close_within = close_within
        self._connection: sqlite3.Connection | None = file.connect()
        self._stopped: dict[str, Exception] = {}
        self._uncertain: Batch | None = None
        self._count = 0
        self._dropping = False
        self._fenced = False
        self._identity = file.identity()
        try:
            self._enter(self._connection)
        except BaseException:
            self._connection.close()
            raise

        self._guard = threading.Lock()  # of the six below
        self._queue: list[Write] = []
        self._chores: dict[type[Write], Write] = {}
        self._position = 0
        self._idle = False
        self._closing = False
        self._end: Exception | None = None

        # A plain lock as the wake-up: half the latency of a condition, and a sequential flow pays it at each step.
        self._work = threading.Lock()
        self._work.acquire()
        self._closing_now = threading.Event()
        self._deadline = 0.0
        self._given_up: LogUnavailable | None = None
        self._thread = threading.Thread(target=self._run, name="persistasaurus-log-writer", daemon=True)
        self._thread.start()

    def put(self, write: Write) -> int:
        """Put a write at the end of the queue; its position."""
        with self._guard:
            if self._end is not None:
                raise LogUnavailable(f"a {type(write).__name__} was put into {self._file.path}: {self._end}")
            self._queue.append(write)
            self._position += 1
            position = self._position
            wake = self._idle
            self._idle = False
        if wake:
            self._work.release()
        return position

    def do(self, chore: Write) -> None:
        """Make a write of the engine's own, soon: without a position or an answer; of a kind the last counts."""
        with self._guard:
            if self._end is not None:
                return
            self._chores[type(chore)] = chore
            wake = self._idle
            self._idle = False
        if wake:
            self._work.release()

    def close(self) -> None:
        """Write what waits, give back every claim, and end the thread.

        Raises:
            LogUnavailable: The file refuses and time is up; says what was not recorded.
        """
        self._deadline = time.monotonic() + self._close_within
        self._closing_now.set()
        with self._guard:
            self._closing = True
            self._end = self._end or LogError("it has been closed")
            wake = self._idle
            self._idle = False
        if wake:
            self._work.release()
        self._thread.join()
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):  # then others see to it, as to an engine that was killed
                engines.leave(self._connection, self.engine)
            self._connection.close()
        if self._given_up is not None:
            raise self._given_up

    def _enter(self, connection: sqlite3.Connection) -> None:
        self.engine = engines.enter(connection, self._files.name, self._lease)
        others = [engine for engine in engines.known(connection) if engine.number != self.engine]
        gone = look_around(self._files, others)
        if gone is not None:
            engines.sweep_at_once(connection, gone, self.engine)
        self._files.wake_others()

    def _run(self) -> None:
        try:
            self._write_all()
        except FileGone as gone:
            _log.critical("%s", gone)
            self._fail(LogUnavailable(str(gone)))
        except Exception as error:
            _log.critical("the writer of %s failed; nothing more is recorded", self._file.path, exc_info=True)
            self._fail(LogUnavailable(f"the writer of {self._file.path} failed: {error!r}"))

    def _fail(self, error: LogUnavailable) -> None:
        with self._guard:
            self._end = self._given_up = error
        self._tell(Commit(0, {}, {}, end=error))

    def _write_all(self) -> None:
        first = 1
        rested = False
        while True:
            with self._guard:
                writes, self._queue = self._queue, []
                chores, self._chores = list(self._chores.values()), {}
                if not writes and not chores:
                    if self._closing:
                        return
                    self._idle = True
            if chores:
                self._do_all(chores, first)
            if not writes:
                if not chores:
                    self._work.acquire()
                    rested = True
                continue
            most = _MOST_IN_ONE_COMMIT
            if rested and len(writes) >= _WORTH_HALVING and self._files.alone:
                most = min(most, (len(writes) + 1) // 2)
            rested = False
            for begin in range(0, len(writes), most):
                part = writes[begin : begin + most]
                try:
                    done = self._commit(part)
                except _TimeIsUp as refusal:
                    self._give_up(writes[begin:], refusal)
                    return
                self._tell(done.commit(first, len(part)))
                first += len(part)
                if not self._files.alone and any(map(batch.matters_to_others, part)):
                    self._files.wake_others()

    def _do_all(self, chores: list[Write], first: int) -> None:
        with contextlib.suppress(_TimeIsUp):  # the writes that wait will say so
            self._commit(chores)
            if self._fenced:
                self._tell(Commit(first - 1, {}, {}))

    def _tell(self, commit: Commit) -> None:
        if self._fenced:
            self._fenced = False
            commit = structs.replace(commit, fenced=self.engine)
        try:
            self._on_commit(commit)
        except Exception:
            _log.exception("what %s committed could not be passed on", self._file.path)

    def _commit(self, writes: Sequence[Write]) -> Batch:
        """Make a batch durable, however long the file refuses.

        Raises:
            _TimeIsUp: It still refuses, and the log is to be closed by now.
            FileGone: There is another file in its place, or none.
        """
        refusals = 0
        self._uncertain = None
        while True:
            if self._dropping:
                writes, self._dropping = passing_the_fence(writes, self.engine)
            try:
                if self._connection is None:
                    self._connection = self._connected()
                try:
                    with self._files.turn():
                        done = self._try(self._connection, writes)
                    self._file.require_same(self._identity)
                    break
                except Fenced:
                    self._rejoin(self._connection)
            except (sqlite3.Error, OSError, MemoryError, LogUnavailable) as error:
                refusals += 1
                self._disconnect()
                self._pause(error, refusals, len(writes))
        if refusals:
            _log.warning("%s takes writes again, after %d refusals", self._file.path, refusals)
        self._stopped = done.stopped
        return done

    def _connected(self) -> sqlite3.Connection:
        self._file.require_same(self._identity)  # or a new one would be made
        return self._file.connect()

    def _try(self, connection: sqlite3.Connection, writes: Sequence[Write]) -> Batch:
        """Make a batch durable; where that fails, `_uncertain` is what may have happened all the same."""
        if self._uncertain is not None and self._uncertain.has_happened(connection, self.engine):
            return self._uncertain
        lone = self._uncertain = batch.in_one_statement(writes, self._stopped)
        if lone is not None and lone.run(connection, self.engine):
            return lone
        self._uncertain = None
        self._count += 1
        made = batch.make(connection, writes, self._stopped, self.engine, self._count)
        self._uncertain = made
        connection.execute("COMMIT")
        return made

    def _rejoin(self, connection: sqlite3.Connection) -> None:
        """Others took this engine for dead, and its claims: it begins anew, without the flows it ran (G11)."""
        _log.warning(
            "%s: this engine was taken for dead, because its lease was over or its file beside the log gone; it drops "
            "the flows it ran, which others may run by now, and goes on as a new one",
            self._file.path,
        )
        # First of all: if the rest fails it is done again, but nothing of the old engine may be written by the new one.
        self._dropping = self._fenced = True
        self._uncertain = None
        self._files.renew()
        self._enter(connection)

    def _disconnect(self) -> None:
        # Always a new connection: the old one may hold half a transaction, or what a failed fsync left behind.
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _pause(self, error: Exception, refusals: int, count: int) -> None:
        reason = explained(self._file.path, error)
        if refusals == 1:
            _log.warning("%s; %d writes wait and are tried again, meanwhile no step starts", reason, count)
        seconds = min(_FIRST_PAUSE * 2 ** min(refusals - 1, 10), _LONGEST_PAUSE)
        if not self._closing_now.wait(seconds):
            return
        remaining = self._deadline - time.monotonic()
        if remaining <= 0:
            raise _TimeIsUp(str(reason)) from error
        time.sleep(min(_FIRST_PAUSE, remaining))

    def _give_up(self, writes: list[Write], refusal: _TimeIsUp) -> None:
        with self._guard:
            lost = writes + self._queue
            self._queue = []
        flows = list(dict.fromkeys(map(flow_of, lost)))
        named = ", ".join(map(repr, flows[:3])) + (", ..." if len(flows) > 3 else "")
        self._given_up = LogUnavailable(
            f"{refusal}. The log was closed without recording {len(lost)} writes of {len(flows)} flows ({named}). "
            "Nothing that was acknowledged is lost: these flows go on from what is recorded when it is opened again"
        )
        self._given_up.__cause__ = refusal.__cause__


class _TimeIsUp(Exception):
    """The file refuses to the end; says why."""
