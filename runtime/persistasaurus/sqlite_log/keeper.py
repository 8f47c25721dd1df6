"""The thread that keeps an engine's lease, hears of the other engines, and notices when one of them is gone."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

from persistasaurus.errors import LogError
from persistasaurus.records import Extend, Sweep, Write
from persistasaurus.sqlite_log.engine_files import EngineFiles
from persistasaurus.sqlite_log.engines import KnownEngine
from persistasaurus.sqlite_log.reader import Reader

_log: Final = logging.getLogger("persistasaurus.log")

_TICK: Final = 1.0
"""Seconds between looks around, for what no wake-up tells of."""
_SOON: Final = 0.02
"""Seconds until the lock of a process that has just ended is surely free, or what was swept is on record."""
_REST: Final = 0.001
"""Seconds between two passings-on of news: under load many come together."""


class Chores(Protocol):
    """The writer, as far as the keeper needs it."""

    engine: int

    def do(self, chore: Write) -> None:
        """Make a write of the engine's own."""


class Keeper:
    """Keeps the lease of one engine, so that a busy event loop does not lose it.

    Args:
        files: Of the engine.
        reader: Reads the log.
        chores: Writes to it.
        lease: Microseconds; renewed three times as often.
        on_news: Told when other engines may have recorded something.
    """

    def __init__(
        self, files: EngineFiles, reader: Reader, chores: Chores, lease: int, on_news: Callable[[], None]
    ) -> None:
        self._files = files
        self._reader = reader
        self._chores = chores
        self._lease = lease
        self._on_news = on_news
        self._version = 0
        self._swept = False
        self._judge_at = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="persistasaurus-log-keeper", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        self._files.stop_waiting()
        self._thread.join()

    def _run(self) -> None:
        often = self._lease / 3e6
        extend_at = time.monotonic() + often
        look_at = 0.0
        while not self._closing:
            now = time.monotonic()
            if now >= extend_at:
                self._chores.do(Extend(self._lease))
                extend_at = now + often
            if now >= look_at:
                try:
                    self._look()
                except LogError:
                    pass  # the writer says so, if it lasts
                except Exception:
                    _log.exception("looking after the other engines failed, and is tried again")
                look_at = time.monotonic() + (_SOON if self._swept else _TICK)
            heard, ended = self._files.wait(max(0.0, min(extend_at, look_at) - time.monotonic()))
            if ended:
                look_at = min(look_at, time.monotonic() + _SOON)
            if heard and not self._closing:
                self._on_news()
                look_at = min(look_at, time.monotonic() + _TICK / 10)  # it may have come from a new engine
                time.sleep(_REST)

    def _look(self) -> None:
        engines = self._reader.engines()
        own = [engine for engine in engines if engine.number == self._chores.engine]
        if any(engine.is_over for engine in own):
            # Nobody could write for so long, or the machine was asleep: the others live as much as this engine does,
            # and must get the time to say so.
            self._chores.do(Extend(self._lease))
            self._judge_at = time.monotonic() + max(self._lease / 3e6, _TICK)
        others = [engine for engine in engines if engine not in own]
        gone = look_around(self._files, others, judging=time.monotonic() >= self._judge_at)
        self._swept = gone is not None
        if gone is not None:
            self._chores.do(gone)
        version = self._reader.data_version()
        if version != self._version:
            self._version = version
            self._on_news()


def look_around(files: EngineFiles, others: Sequence[KnownEngine], *, judging: bool = True) -> Sweep | None:
    """See which engines live and can be woken, and which are gone.

    Args:
        files: Of the engine that looks.
        others: The other engines.
        judging: Whether a lease that is over means anything.

    Returns:
        The sweep they need, None if they need none.
    """
    dead = [other for other in others if files.is_dead(other.name)]
    for other in dead:
        files.remove(other.name)
    files.know([other.name for other in others if other not in dead])
    if dead or any(other.is_fenced or (other.is_over and judging) for other in others):
        return Sweep(tuple(other.number for other in dead), leases=judging)
    return None
