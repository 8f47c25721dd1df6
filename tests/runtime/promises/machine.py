"""A machine to run flows on: a disk, a clock moved by hand, and the outside world that step bodies act on."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, TypeVar, Unpack

from persistasaurus import Engine, EngineOptions, ExecutionLog, FlowStatus
from persistasaurus.generated import Durable
from persistasaurus.log import Snapshot
from persistasaurus.records import Commit, FlowRow, InvocationRow, SignalRow, Status, Write
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing import InMemoryLog, ManualClock

T = TypeVar("T")
Disk = Literal["memory", "sqlite"]
PATIENCE = 60.0
"""Seconds after which a test that waits for what never comes fails."""


def play(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario on an event loop of its own."""

    async def in_time() -> T:
        async with asyncio.timeout(PATIENCE):
            return await scenario

    return asyncio.run(in_time())


class Outside:
    """The world outside of flows: it notes who came, and holds up whom a test wants held up."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._doors: dict[str, _Door] = {}
        self._all_shut = False
        self._refusals: dict[str, list[BaseException | None]] = {}
        self._expected: dict[str, list[tuple[int, asyncio.AbstractEventLoop, asyncio.Future[None]]]] = {}
        self._guard = threading.Lock()

    def shut(self, *names: str) -> None:
        """Whoever comes under these names waits from now on, until `open`."""
        for name in names:
            self._doors[name] = _Door()

    def open(self, *names: str) -> None:
        """Let in who waits under these names, and who comes later."""
        with self._guard:
            for name in names:
                self._doors.setdefault(name, _Door()).open()

    def refuse(self, name: str, *errors: BaseException | None) -> None:
        """Send who comes under this name away with these errors, one a visit; None lets one in, as later visits are."""
        self._refusals.setdefault(name, []).extend(errors)

    def shut_all(self) -> None:
        """Whoever comes waits from now on, until `open` or `open_all`."""
        self._all_shut = True

    def open_all(self) -> None:
        """Let in everybody."""
        self._all_shut = False
        self.open(*self._doors)

    async def visit(self, name: str) -> None:
        """What async step bodies do."""
        door = self._enter(name)
        if door is not None:
            await door.for_coroutines.wait()
        self._answer(name)

    def visit_plain(self, name: str) -> None:
        """What plain step bodies do."""
        door = self._enter(name)
        if door is not None:
            door.for_threads.wait(PATIENCE)
        self._answer(name)

    async def arrived(self, name: str, *, times: int = 1) -> None:
        """Wait until somebody has come under this name, so many times."""
        with self._guard:
            if self.seen.count(name) >= times:
                return
            loop = asyncio.get_running_loop()
            future: asyncio.Future[None] = loop.create_future()
            self._expected.setdefault(name, []).append((times, loop, future))
        await future

    def _enter(self, name: str) -> _Door | None:
        with self._guard:
            self.seen.append(name)
            visits = self.seen.count(name)
            for times, loop, future in self._expected.get(name, ()):
                if times == visits:
                    loop.call_soon_threadsafe(_succeed, future)
            return self._doors.setdefault(name, _Door()) if self._all_shut else self._doors.get(name)

    def _answer(self, name: str) -> None:
        refusals = self._refusals.get(name)
        error = refusals.pop(0) if refusals else None
        if error is not None:
            raise error


class _Door:
    def __init__(self) -> None:
        self.for_coroutines = asyncio.Event()
        self.for_threads = threading.Event()

    def open(self) -> None:
        self.for_coroutines.set()
        self.for_threads.set()


def _succeed(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class WatchedLog:
    """An execution log that shows what is put to it and wakes who waits for a commit.

    Args:
        log: The log it stands before.
    """

    def __init__(self, log: ExecutionLog) -> None:
        self.inner = log
        self.is_open = False
        self.unreadable: Exception | None = None
        """What every read raises for now."""
        self.tells = True
        self.hears = True
        """Whether the engine is told of news."""
        self._on_news: Callable[[], None] = lambda: None
        self._untold: deque[Commit] = deque()
        self._tell: Callable[[Commit], None] = lambda commit: None
        self.writes: list[Write] = []
        self.durable = 0
        self.position = 0
        self.changed = asyncio.Event()

    def open(self, on_commit: Callable[[Commit], None], on_news: Callable[[], None] = lambda: None) -> None:
        loop = asyncio.get_running_loop()

        def settle(commit: Commit) -> None:
            self.durable = max(self.durable, commit.position)
            self.changed.set()

        def tell(commit: Commit) -> None:
            on_commit(commit)  # first: the engine must know before a test does
            loop.call_soon_threadsafe(settle, commit)

        def committed(commit: Commit) -> None:
            if self.tells:
                tell(commit)
            else:
                self._untold.append(commit)
                loop.call_soon_threadsafe(self.changed.set)

        self._tell = tell

        def news() -> None:
            if self.hears:
                on_news()

        self._on_news = on_news
        self.inner.open(committed, news)
        self.is_open = True

    def keep_silent(self) -> None:
        """Commit from now on without telling the engine, until `tell_all`: its thread has not got to it yet."""
        self.tells = False

    def tell_all(self) -> None:
        """Tell the engine what was committed meanwhile."""
        self.tells = True
        while self._untold:
            self._tell(self._untold.popleft())

    def hear(self) -> None:
        """Tell the engine that there are news, now and from now on."""
        self.hears = True
        self._on_news()

    def close(self) -> None:
        self.inner.close()
        self.is_open = False

    @property
    def seed(self) -> bytes:
        return self.inner.seed

    def put(self, write: Write) -> int:
        self.writes.append(write)
        self.position = self.inner.put(write)
        return self.position

    def flow(self, flow_id: str) -> FlowRow | None:
        self._require_readable()
        return self.inner.flow(flow_id)

    def _require_readable(self) -> None:
        if self.unreadable is not None:
            raise self.unreadable

    def invocations(self, flow_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[InvocationRow]:
        self._require_readable()
        return self.inner.invocations(flow_id, after=after, limit=limit)

    def archived(self, flow_id: str, *, limit: int = 1000) -> Sequence[InvocationRow]:
        return self.inner.archived(flow_id, limit=limit)

    def unread_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return self.inner.unread_signals(flow_id)

    def taken_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return self.inner.taken_signals(flow_id)

    def flows(
        self, *, status: FlowStatus | None = None, after: tuple[int, str] | None = None, limit: int = 100
    ) -> Sequence[FlowRow]:
        self._require_readable()
        return self.inner.flows(status=status, after=after, limit=limit)

    def available(
        self,
        now: int,
        names: Collection[str],
        *,
        other: bool = False,
        after: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> Sequence[FlowRow]:
        self._require_readable()
        return self.inner.available(now, names, other=other, after=after, limit=limit)

    def next_due(self, after: int) -> int | None:
        self._require_readable()
        return self.inner.next_due(after)

    def ended(self, flow_ids: Collection[str]) -> Sequence[FlowRow]:
        return self.inner.ended(flow_ids)

    def snapshot(self, flow_id: str) -> Snapshot | None:
        return self.inner.snapshot(flow_id)

    def last_signal(self) -> int:
        return self.inner.last_signal()

    def signals_from_others(self, after: int, to: int) -> Sequence[SignalRow]:
        return self.inner.signals_from_others(after, to)


class Machine:
    """A computer: engines run on it one after the other, it may crash, and its disk stays.

    Args:
        disk: Which log.
        folder: Where files may be put.
        options: For every engine of it.
    """

    def __init__(self, disk: Disk, folder: Path, **options: Unpack[EngineOptions]) -> None:
        self.disk = disk
        self.folder = folder
        self.options = options
        self.clock = ManualClock()
        self.outside = Outside()
        self.path = folder / "log.db"
        self.log = self._log_on(InMemoryLog() if disk == "memory" else None)

    def _log_on(self, memory: InMemoryLog | None) -> WatchedLog:
        self._memory = memory
        return WatchedLog(memory if memory is not None else SqliteLog(self.path, durability="process"))

    def engine(self, *flows: Durable[Any, Any], **options: Unpack[EngineOptions]) -> Engine:
        """An engine on the machine's log. Bodies get no time to end when it closes, unless `options` say so."""
        self.log.position = self.log.durable = 0  # positions begin anew with every opening of a SQLite log
        chosen: EngineOptions = {"clock": self.clock, "closing_grace": timedelta(0), **self.options, **options}
        return Engine(self.log, flows=list(flows), **chosen)

    def beside(self, *flows: Durable[Any, Any], **options: Unpack[EngineOptions]) -> Engine:
        """Another engine on what the machine's log holds, to be open at the same time."""
        log = SqliteLog(self.path, durability="process") if self._memory is None else self._memory.beside()
        chosen: EngineOptions = {"clock": self.clock, "closing_grace": timedelta(0), **self.options, **options}
        return Engine(log, flows=list(flows), **chosen)

    def crashed(self, writes: int | None = None) -> Machine:
        """The machine as it comes up again if it crashes now: what is committed is there, nothing else.

        Args:
            writes: It crashed behind so many writes; only for a log in memory.
        """
        folder = self.folder / "crashed"
        folder.mkdir(exist_ok=writes is not None)
        again = Machine(self.disk, folder, **self.options)
        again.clock = ManualClock(datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.clock.now()))
        again.outside = self.outside
        if self._memory is not None:
            again.log = again._log_on(self._memory.crashed(writes))
        else:
            source, target = sqlite3.connect(self.path), sqlite3.connect(again.path)
            source.backup(target)
            source.close()
            target.close()
        return again

    @property
    def journal(self) -> Sequence[Write]:
        """The writes that became durable; only of a log in memory."""
        assert self._memory is not None
        return self._memory.journal

    # -- what is on record ----------------------------------------

    def flow(self, flow_id: str) -> FlowRow:
        """The flow's own row."""
        with self._reading():
            row = self.log.flow(flow_id)
        assert row is not None, f"no flow {flow_id}"
        return row

    def calls(self, flow_id: str) -> list[InvocationRow]:
        """The flow's calls."""
        with self._reading():
            return list(self.log.invocations(flow_id))

    @contextmanager
    def _reading(self) -> Iterator[None]:
        if self.log.is_open:
            yield
        else:
            self.log.inner.open(lambda commit: None)
            yield
            self.log.inner.close()

    def names(self, flow_id: str) -> list[str]:
        """The methods the flow has called, `timer` for timers, in the order of their numbers."""
        return [row.method_name or "timer" for row in self.calls(flow_id)]

    def statuses(self, flow_id: str) -> list[Status]:
        """Where the flow's calls stand."""
        return [row.status for row in self.calls(flow_id)]

    def record(self, flow_id: str) -> tuple[FlowRow, list[InvocationRow]]:
        """All that is on record of a flow."""
        return self.flow(flow_id), self.calls(flow_id)

    # -- waiting for it ----------------------------------------

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for a commit after which `holds()`."""
        while not holds():
            self.log.changed.clear()
            await self.log.changed.wait()

    async def waiting(self, *flow_ids: str) -> None:
        """Wait until these flows only wait, and that is on record."""

        def all_wait() -> bool:
            return self.log.durable == self.log.position and all(self._waits(flow_id) for flow_id in flow_ids)

        await self.until(all_wait)

    def _waits(self, flow_id: str) -> bool:
        flow = self.log.flow(flow_id)
        return (
            flow is not None and flow.status is FlowStatus.WAITING and (flow.due is None or flow.due > self.clock.now())
        )

    async def ended(self, *flow_ids: str) -> None:
        """Wait until these flows run and wait no more: they have ended, or are parked."""

        def all_ended() -> bool:
            flows = [self.log.flow(flow_id) for flow_id in flow_ids]
            return all(flow is not None and flow.status not in _UNDER_WAY for flow in flows)

        await self.until(all_ended)

    async def through_time(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something while time passes: whenever every flow waits, the clock goes on to what is due next."""
        task = asyncio.ensure_future(doing)
        task.add_done_callback(lambda _: self.log.changed.set())
        while not task.done():
            self.log.changed.clear()
            await asyncio.sleep(0)
            if task.done():
                break
            next_alarm = self.clock.next_alarm()
            if next_alarm is None:
                await self._changed_or_alarmed()
            elif self._all_quiet():
                self.clock.advance(next_alarm)
            else:
                await self.log.changed.wait()
        return await task

    async def _changed_or_alarmed(self) -> None:
        """Wait for a commit or an alarm: an engine that looks again a little later sets one without a commit."""
        waits = [asyncio.ensure_future(each) for each in (self.log.changed.wait(), self.clock.until_alarm())]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for each in waits:
            each.cancel()

    def _all_quiet(self) -> bool:
        if self.log.durable != self.log.position or self.log.flows(status=FlowStatus.RUNNING):
            return False
        return not self.log.available(self.clock.now(), (), other=True)


_UNDER_WAY = (FlowStatus.RUNNING, FlowStatus.WAITING)
