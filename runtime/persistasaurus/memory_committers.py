"""Who commits what waits in an in-memory log: the event loop that is there, or a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable


class LoopCommitter:
    """Commits in the next turn of an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, commit: Callable[[], None]) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._commit = commit
        self._asked = False
        self._stopped = False

    def wake(self) -> None:
        """There is something to commit; on any thread."""
        if self._asked:
            return
        self._asked = True
        if threading.get_ident() == self._thread:
            self._loop.call_soon(self._run)
        else:
            self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        self._asked = False
        if not self._stopped:
            self._commit()

    def stop(self) -> None:
        """Commit nothing any more."""
        self._stopped = True


class ThreadCommitter:
    """Commits on a thread of its own, for programs without an event loop."""

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit = commit
        self._work = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="persistasaurus-memory-log", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There is something to commit; on any thread."""
        self._work.set()

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            if self._stopped:
                return
            self._commit()

    def stop(self) -> None:
        """Commit nothing any more."""
        self._stopped = True
        self._work.set()
        self._thread.join()
