"""Whether a flow becomes slower or larger with its length.

The log is one that survives a killed process only, so that it is not the disk that is measured.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from persistasaurus import Engine

from .bench_flows_durable import DurableWatched
from .measuring import Figures, in_fresh_process, repeated, resident_mb, scaled

_LENGTHS = {"1k": 1_000, "10k": 10_000, "100k": 100_000}
_LONGEST = "100k"


def figures(rounds: int, scale: float) -> Figures:
    """Microseconds a step by length, and megabytes from the first body of the longest flow to its last."""

    def measured(place: Path) -> Figures:
        found: Figures = {}
        for label, steps in _LENGTHS.items():
            microseconds, megabytes = in_fresh_process(_one_flow, place / f"{label}.db", scaled(steps, scale))
            found[f"long_flow_step_us_{label}"] = microseconds
            if label == _LONGEST:
                found[f"long_flow_mb_{label}"] = megabytes
        return found

    return repeated(rounds, measured)


def _one_flow(path: Path, steps: int) -> tuple[float, float]:
    return asyncio.run(_run(path, steps))


async def _run(path: Path, steps: int) -> tuple[float, float]:
    megabytes: list[float] = []
    times: list[float] = []

    def watch(number: int) -> None:
        if number in (0, steps):  # what looking at the memory takes is not counted
            times.append(time.perf_counter())
            megabytes.append(resident_mb())
            times.append(time.perf_counter())

    async with Engine(path, flows=[DurableWatched(watch)], durability="process") as engine:
        await engine.get_flow(DurableWatched, "long").count.run(steps + 1)
    return (times[2] - times[1]) * 1e6 / steps, megabytes[1] - megabytes[0]
