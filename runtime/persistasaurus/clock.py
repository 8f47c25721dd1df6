"""Wall-clock time, as a constructor parameter: a test replaces the clock, nothing is patched."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final, Protocol

LONGEST_SLEEP: Final = 30.0
"""Seconds after which a waiting alarm looks at the wall clock again: clocks are set, machines sleep."""

LONGEST_WAIT: Final = timedelta(days=365_000)
"""A thousand years: longer waits are cut to it, `timedelta.max` for instance, so that every due time is a date."""

_MICROSECOND: Final = timedelta(microseconds=1)


class Alarm(Protocol):
    """Something to be done at a time."""

    def cancel(self) -> None:
        """Call the whole thing off; harmless when it has gone off."""


class Clock(Protocol):
    """Tells the time and rings at one. Times are whole microseconds since the epoch, UTC."""

    def now(self) -> int:
        """The time now."""

    def call_at(self, when: int, then: Callable[[], None], loop: asyncio.AbstractEventLoop) -> Alarm:
        """Call `then` on an event loop, on whose thread this is called, once `now()` has reached `when` (G9)."""


class _WallAlarm:
    """Sleeps on the loop's monotonic clock, but goes off by the wall clock."""

    __slots__ = ("_handle", "_loop", "_then", "_when")

    def __init__(self, when: int, then: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
        self._when = when
        self._then = then
        self._loop = loop
        self._handle: asyncio.Handle = loop.call_later(self._pause(), self._look)

    def _pause(self) -> float:
        return min(max((self._when - SystemClock.now()) / 1e6, 0.0), LONGEST_SLEEP)

    def _look(self) -> None:
        pause = self._pause()
        if pause > 0:
            self._handle = self._loop.call_later(pause, self._look)
        else:
            self._then()

    def cancel(self) -> None:
        self._handle.cancel()


class SystemClock:
    """The machine's wall clock."""

    @staticmethod
    def now() -> int:
        """The time now."""
        return time.time_ns() // 1000

    @staticmethod
    def call_at(when: int, then: Callable[[], None], loop: asyncio.AbstractEventLoop) -> Alarm:
        """Call `then` on an event loop once the wall clock has reached `when`, never before (G9)."""
        return _WallAlarm(when, then, loop)


def microseconds(wait: timedelta) -> int:
    """How long a wait is, at most `LONGEST_WAIT`."""
    return min(wait, LONGEST_WAIT) // _MICROSECOND
