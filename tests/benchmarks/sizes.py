"""What flows take on the disk."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from persistasaurus.sqlite_log import SqliteLog

from . import running
from .measuring import Figures, repeated, scaled

_STEPS = 10
_PAUSE = 0.005
"""Seconds between two looks at the write-ahead log."""


def figures(rounds: int, scale: float) -> Figures:
    """Bytes a step of ten-step flows, their own rows included; and the largest write-ahead log of 500 flows at once."""
    return repeated(
        rounds,
        lambda place: {
            "log_bytes_per_step": _bytes_per_step(place, scaled(500, scale)),
            "peak_wal_mb": _peak_wal(place / "peak.db", 500, scaled(60, scale)) / 1e6,
        },
    )


def _bytes_per_step(place: Path, flows: int) -> float:
    empty = SqliteLog(place / "empty.db")
    empty.open(lambda commit: None)
    empty.close()
    asyncio.run(running.steps_per_second(place / "full.db", flows=flows, steps=_STEPS, plain=False))
    # Closed by its last user, a log has been checkpointed, and what is left of the write-ahead log counts.
    return (_size(place / "full.db") - _size(place / "empty.db")) / (flows * _STEPS)


def _size(path: Path) -> int:
    return path.stat().st_size + _wal_size(path)


def _wal_size(path: Path) -> int:
    try:
        return path.with_name(f"{path.name}-wal").stat().st_size
    except FileNotFoundError:
        return 0


def _peak_wal(path: Path, flows: int, steps: int) -> int:
    sizes = [0]
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_PAUSE):
            sizes.append(_wal_size(path))

    looking = threading.Thread(target=look)
    looking.start()
    try:
        asyncio.run(running.steps_per_second(path, flows=flows, steps=steps, plain=False))
    finally:
        ended.set()
        looking.join()
    return max(sizes)
