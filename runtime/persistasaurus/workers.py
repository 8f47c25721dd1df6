"""Worker threads for plain step bodies: outcomes go back through one list and one wake-up of the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

JobT = TypeVar("JobT")


class Workers(Generic[JobT]):
    """Threads that run jobs and hand what is left to do back to the event loop.

    A worker that takes a job wakes another one if more wait: short jobs stay on one thread, a job that blocks does not
    hold up the rest.

    Args:
        loop: The event loop; all methods are called on its thread.
        limit: The largest number of threads.
        run: Does a job on a worker thread; what it returns runs on the event loop.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, limit: int, run: Callable[[JobT], Callable[[], None]]) -> None:
        self._loop = loop
        self._limit = limit
        self._run = run
        self._jobs: deque[JobT] = deque()
        self._done: deque[Callable[[], None]] = deque()
        self._woken = False
        self._stopped = False
        self._idle: list[threading.Lock] = []
        self._threads = 0
        self._guard = threading.Lock()

    def submit(self, job: JobT) -> None:
        """Have a job run."""
        self._jobs.append(job)
        self._wake_worker()

    def withdraw(self) -> list[JobT]:
        """Take back the jobs that no worker has begun."""
        withdrawn: list[JobT] = []
        while self._jobs:
            try:
                withdrawn.append(self._jobs.popleft())
            except IndexError:
                break  # a worker was quicker
        return withdrawn

    def stop(self) -> None:
        """Let idle threads end; busy ones end after their job, and nobody hears of it."""
        self._stopped = True
        with self._guard:
            while self._idle:
                self._idle.pop().release()

    def _wake_worker(self) -> None:
        with self._guard:
            if self._idle:
                self._idle.pop().release()
                return
            if self._threads >= self._limit:
                return
            self._threads += 1
            number = self._threads
        # A daemon: a body that never returns must not keep the program from ending; its step stays PENDING.
        threading.Thread(target=self._work, name=f"persistasaurus-step-{number}", daemon=True).start()

    def _work(self) -> None:
        jobs = self._jobs
        turnstile = threading.Lock()
        turnstile.acquire()
        while True:
            try:
                job = jobs.popleft()
            except IndexError:
                with self._guard:
                    if self._stopped:
                        self._threads -= 1
                        return
                    if jobs:
                        continue
                    self._idle.append(turnstile)
                turnstile.acquire()
                continue
            if jobs:
                self._wake_worker()
            self._done.append(self._run(job))
            if not self._woken:
                self._woken = True
                try:
                    self._loop.call_soon_threadsafe(self._settle)
                except RuntimeError:
                    return  # the loop is closed: the program is ending

    def _settle(self) -> None:
        self._woken = False
        done = self._done
        while done:
            done.popleft()()
