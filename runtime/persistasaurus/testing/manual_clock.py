"""A clock that moves only when a test says so."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


class _ManualAlarm:
    __slots__ = ("then",)

    def __init__(self, then: Callable[[], None]) -> None:
        self.then: Callable[[], None] | None = then

    def cancel(self) -> None:
        self.then = None


class ManualClock:
    """A `Clock` at a standstill until `advance` moves it.

    Args:
        start: The time it shows first; with a time zone.
    """

    def __init__(self, start: datetime = datetime(2025, 1, 1, tzinfo=UTC)) -> None:
        self._now = (start - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        self._alarms: list[tuple[int, int, _ManualAlarm]] = []
        self._count = 0
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []

    def now(self) -> int:
        """The time it shows, in microseconds since the epoch."""
        return self._now

    def call_at(self, when: int, then: Callable[[], None], loop: asyncio.AbstractEventLoop) -> _ManualAlarm:
        """Call `then` when the clock is moved to `when` or past it; soon, if it is there already."""
        alarm = _ManualAlarm(then)
        if when <= self._now:
            loop.call_soon(self._ring, alarm)
        else:
            self._count += 1
            heapq.heappush(self._alarms, (when, self._count, alarm))
            for least, future in self._awaited:
                if when - self._now >= least and not future.done():
                    future.get_loop().call_soon_threadsafe(_settle, future)
        return alarm

    def next_alarm(self) -> timedelta | None:
        """How far away the next alarm is, None if none is set."""
        while self._alarms and self._alarms[0][2].then is None:
            heapq.heappop(self._alarms)
        return timedelta(microseconds=self._alarms[0][0] - self._now) if self._alarms else None

    async def until_alarm(self, least: timedelta = timedelta()) -> None:
        """Wait until an alarm is set: a flow sleeps, or waits with a time limit.

        Args:
            least: Only an alarm at least so far away counts; engines set short ones of their own.
        """
        away = least // timedelta(microseconds=1)
        if any(alarm.then is not None and when - self._now >= away for when, _, alarm in self._alarms):
            return
        awaited = (away, asyncio.get_running_loop().create_future())
        self._awaited.append(awaited)
        try:
            await awaited[1]
        finally:
            self._awaited.remove(awaited)

    def advance(self, duration: timedelta) -> None:
        """Move the clock and ring what is due on the way, in the order in which it is due.

        Args:
            duration: How far; a negative one sets the clock back, which rings nothing.
        """
        until = self._now + duration // timedelta(microseconds=1)
        while self._alarms and self._alarms[0][0] <= until:
            when, _, alarm = heapq.heappop(self._alarms)
            self._now = max(self._now, when)
            self._ring(alarm)
        self._now = until

    @staticmethod
    def _ring(alarm: _ManualAlarm) -> None:
        then, alarm.then = alarm.then, None
        if then is not None:
            then()


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
