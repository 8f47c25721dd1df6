"""An event loop that never waits: when nothing is left to do, whoever watches it says how much time passes."""

from __future__ import annotations

import asyncio
import math
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WhenIdle = Callable[[float | None], float | None]
"""Given the seconds to the loop's next timer, None if there is none: how many seconds to skip, None to really wait."""

_WAIT_FOR_JOBS: Final = ("persistasaurus-step-", "asyncio_")
"""How threads are named that do nothing unasked: those of engines, and those of the loop's executor."""


class IdleTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while it is watched, and is skipped when nothing is ready.

    So what sleeps on it takes no time, and which of two sleeps ends first does not depend on the machine.
    """

    def __init__(self) -> None:
        self._still: float | None = None
        self._behind = 0.0
        self._jobs = 0
        self._threads = set(threading.enumerate())
        self._outside = _Selector(self._idle, self._waited)
        self._when_idle: WhenIdle | None = None
        super().__init__(self._outside)

    def time(self) -> float:
        """The loop's time in seconds."""
        return time.monotonic() - self._behind if self._still is None else self._still

    @contextmanager
    def watched(self, when_idle: WhenIdle) -> Iterator[None]:
        """Stop the loop's time, and ask what to skip of it whenever nothing is ready."""
        self._still = self.time()
        self._when_idle = when_idle
        try:
            yield
        finally:
            self._behind = time.monotonic() - self._still
            self._still = self._when_idle = None

    @property
    def has_jobs(self) -> bool:
        """Whether an executor works for it."""
        return self._jobs > 0

    @property
    def may_be_woken(self) -> bool:
        """Whether a connection, a job or a thread of the program's own could have something for it."""
        return self.has_jobs or self._outside.has_connections or any(map(self._is_foreign, threading.enumerate()))

    def _is_foreign(self, thread: threading.Thread) -> bool:
        return thread not in self._threads and not thread.name.startswith(_WAIT_FOR_JOBS)

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future = super().run_in_executor(executor, func, *args)
        self._jobs += 1
        future.add_done_callback(self._job_ended)
        return future

    def _job_ended(self, _: asyncio.Future[Any]) -> None:
        self._jobs -= 1

    def _idle(self, timeout: float | None) -> bool:
        """Nothing is ready: skip what may be skipped; False to wait."""
        skipped = None if self._when_idle is None else self._when_idle(timeout)
        if skipped is None or self._still is None:
            return False
        # A bit more, for a sum of floats may fall short of the timer, which would then never be due.
        self._still = math.nextafter(self._still + skipped, math.inf)
        return True

    def _waited(self, seconds: float) -> None:
        """Time has passed in earnest."""
        if self._still is not None:
            self._still += seconds


class _Selector(selectors.DefaultSelector):
    """Asks before it waits.

    Args:
        idle: Told the seconds that it is to wait at most; True if it need not wait.
        waited: Told for how many seconds it has waited.
    """

    def __init__(self, idle: Callable[[float | None], bool], waited: Callable[[float], None]) -> None:
        super().__init__()
        self._idle = idle
        self._waited = waited

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if events or timeout == 0 or self._idle(timeout):
            return events
        begun = time.monotonic()
        events = super().select(timeout)
        self._waited(time.monotonic() - begun)
        return events

    @property
    def has_connections(self) -> bool:
        """Whether more is registered than what other threads wake the loop with."""
        return len(self.get_map()) > 1
