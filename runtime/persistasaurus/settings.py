"""What an engine is told when it is made, checked and with its defaults."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal, TypedDict, Unpack

from persistasaurus.clock import Clock, SystemClock
from persistasaurus.codecs import MAX_BYTES

Durability = Literal["power", "process"]


_SHORTEST_LEASE = 0.1
"""Seconds."""


class EngineOptions(TypedDict, total=False):
    """Options of `Engine` and `BlockingEngine`, all with a default; `help(Engine)` describes them."""

    clock: Clock
    durability: Durability
    lease: timedelta
    max_concurrency: int | None
    max_concurrent_recoveries: int
    max_recoveries: int
    waiting_grace: timedelta
    max_waiting_in_memory: int
    closing_grace: timedelta
    threads: int
    max_bytes: int
    random: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Settings:
    """The options with their defaults; durations in seconds."""

    clock: Clock
    durability: Durability
    lease: timedelta
    max_concurrency: int | None
    max_concurrent_recoveries: int
    max_recoveries: int
    waiting_grace: float
    max_waiting_in_memory: int
    closing_grace: float
    threads: int
    max_bytes: int
    random: Callable[[], float]


def settings_of(**options: Unpack[EngineOptions]) -> Settings:
    """Check options and fill in what is left out.

    Raises:
        TypeError: An option that does not exist.
        ValueError: An option that makes no sense.
    """
    unknown = options.keys() - EngineOptions.__annotations__.keys()
    if unknown:
        known = ", ".join(EngineOptions.__annotations__)
        raise TypeError(f"Engine has no option {', '.join(sorted(unknown))}; its options are {known}")
    durability = options.get("durability", "power")
    if durability not in ("power", "process"):
        raise ValueError(f'Engine(durability={durability!r}): give "power" or "process"')
    most = options.get("max_concurrency")
    lease = options.get("lease", timedelta(seconds=15))
    if _seconds("lease", lease) < _SHORTEST_LEASE:
        raise ValueError(
            f"Engine(lease={lease!r}): give {_SHORTEST_LEASE} s or more, or a pause costs the engine its flows"
        )
    return Settings(
        clock=options.get("clock") or SystemClock(),
        durability=durability,
        lease=lease,
        max_concurrency=None if most is None else _at_least(1, "max_concurrency", most),
        max_concurrent_recoveries=_at_least(
            1, "max_concurrent_recoveries", options.get("max_concurrent_recoveries", 100)
        ),
        max_recoveries=_at_least(1, "max_recoveries", options.get("max_recoveries", 5)),
        waiting_grace=_seconds("waiting_grace", options.get("waiting_grace", timedelta(seconds=1))),
        max_waiting_in_memory=_at_least(0, "max_waiting_in_memory", options.get("max_waiting_in_memory", 1000)),
        closing_grace=_seconds("closing_grace", options.get("closing_grace", timedelta(seconds=10))),
        threads=_at_least(1, "threads", options.get("threads", 32)),
        max_bytes=_at_least(1, "max_bytes", options.get("max_bytes", MAX_BYTES)),
        random=options.get("random", random.random),
    )


def _at_least(least: int, name: str, value: int) -> int:
    if value < least:
        raise ValueError(f"Engine({name}={value!r}): give {least} or more")
    return value


def _seconds(name: str, value: timedelta) -> float:
    if not isinstance(value, timedelta):
        raise TypeError(f"Engine({name}={value!r}): give a timedelta, such as timedelta(seconds=10)")
    if value < timedelta():
        raise ValueError(f"Engine({name}={value!r}): give a duration of zero or more")
    return value.total_seconds()
