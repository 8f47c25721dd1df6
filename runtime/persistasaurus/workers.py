"""Worker threads for plain step bodies: outcomes go back through one list and one wake-up of the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

JobT = TypeVar("JobT")


class Workers(Generic[JobT]):
    """Threads that run jobs and hand what is left to do back to the event loop.

    A worker that begins a job while others wait, or while outcomes do, has one more worker come. Threads share the
    interpreter lock, so that one arrives when the job blocks, and then it takes over the rest. Short jobs stay on one
    thread, and their outcomes go back together.

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
        self._told = False
        self._coming = False
        self._stopped = False
        self._idle: list[threading.Lock] = []
        self._threads = 0
        self._guard = threading.Lock()

    def submit(self, job: JobT) -> None:
        """Have a job run.

        Raises:
            RuntimeError: There is not a single thread, and the system gives none.
        """
        self._jobs.append(job)
        try:
            self._call_worker()
        except RuntimeError:
            self._jobs.remove(job)
            raise

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

    def _call_worker(self) -> bool:
        """Have a worker come, if none is on its way; False if all are busy."""
        with self._guard:
            if self._coming:
                return True
            if self._idle:
                self._coming = True
                self._idle.pop().release()
                return True
            if self._threads >= self._limit:
                return False
            name = f"persistasaurus-step-{self._threads + 1}"
            # A daemon: a body that never returns must not keep the program from ending; its step stays PENDING.
            thread = threading.Thread(target=self._work, name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # the system has no thread for us now; those that are there do the work
                if not self._threads:
                    raise
                return False
            self._threads += 1
            self._coming = True
        return True

    def _work(self) -> None:
        turnstile = threading.Lock()
        turnstile.acquire()
        self._arrive()
        while self._rest(turnstile):
            self._run_jobs()

    def _arrive(self) -> None:
        with self._guard:
            self._coming = False
        self._tell()  # for a worker whose next job holds it up

    def _rest(self, turnstile: threading.Lock) -> bool:
        """Wait until there may be jobs; False when there will be none."""
        with self._guard:
            if self._jobs:
                return True
            if self._stopped:
                return False
            self._idle.append(turnstile)
        turnstile.acquire()
        self._arrive()
        return True

    def _run_jobs(self) -> None:
        while self._jobs:
            try:
                job = self._jobs.popleft()
            except IndexError:
                break  # another worker was quicker
            if (self._jobs or self._done) and not self._call_worker():
                self._tell()
            self._done.append(self._run(job))
        self._tell()

    def _tell(self) -> None:
        if self._done and not self._told:
            self._told = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: the program is ending
                self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._told = False
        done = self._done
        try:
            while done:
                done.popleft()()
        finally:
            self._tell()  # one that raises keeps no other back
