"""How long one step of one flow takes, alone and beside others: from the start of a body to the start of the next."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from pathlib import Path

from persistasaurus import Engine

from .bench_flows_durable import DurableCounting, DurableWatched
from .measuring import Figures, in_fresh_process, percentile, repeated, scaled

_OTHERS = 50
_ENDLESS = 10**9


def figures(rounds: int, scale: float) -> Figures:
    """Microseconds, power-safe: the median and the 99th percentile."""
    steps = scaled(2000, scale)
    return repeated(
        rounds,
        lambda place: (
            in_fresh_process(_latencies, place / "alone.db", steps, 0, "step")
            | in_fresh_process(_latencies, place / "loaded.db", steps, _OTHERS, "step_loaded")
        ),
    )


def _latencies(path: Path, steps: int, others: int, label: str) -> Figures:
    begun = asyncio.run(_begin_bodies(path, steps, others))
    took = [(later - earlier) * 1e6 for earlier, later in pairwise(begun)]
    return {f"{label}_p50_us": percentile(took, 50), f"{label}_p99_us": percentile(took, 99)}


async def _begin_bodies(path: Path, steps: int, others: int) -> list[float]:
    begun: list[float] = []
    watched = DurableWatched(lambda _: begun.append(time.perf_counter()))
    async with Engine(path, flows=[watched, DurableCounting()]) as engine:
        for number in range(others):
            await engine.get_flow(DurableCounting, f"other-{number}").count.start(_ENDLESS)
        await engine.get_flow(DurableWatched, "measured").count.run(steps + 1)
    return begun
