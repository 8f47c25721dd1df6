"""Waiting flows in memory and out of it: how fast they come and go, and what one takes while it stays."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

from persistasaurus import Engine, FlowStatus

from .bench_flows_durable import DurableLooping, DurablePatient
from .measuring import Figures, in_fresh_process, repeated, resident_mb, scaled

_SIGNALS = 4
"""To each flow; every one has a little more to replay than the one before."""


def figures(rounds: int, scale: float) -> Figures:
    """Flows evicted and replayed a second; kilobytes of a flow that waits in memory."""
    flows = scaled(500, scale)
    waiting = scaled(1000, scale)

    def measured(place: Path) -> Figures:
        there = in_fresh_process(_megabytes, place / "there.db", waiting, timedelta(hours=1))
        gone = in_fresh_process(_megabytes, place / "gone.db", waiting, timedelta(0))
        return {
            "evictions_per_s": in_fresh_process(_evictions_per_second, place / "evicting.db", flows),
            "flow_memory_kb": (there - gone) * 1000 / waiting,
        }

    return repeated(rounds, measured)


def _evictions_per_second(path: Path, flows: int) -> float:
    return asyncio.run(_evict(path, flows))


async def _evict(path: Path, flows: int) -> float:
    """Wake flows that leave memory as soon as they wait; the replays are counted, so a flow that stayed is none."""
    looping = DurableLooping()
    async with Engine(path, flows=[looping], waiting_grace=timedelta(0)) as engine:
        instances = [engine.get_flow(DurableLooping, f"flow-{each}") for each in range(flows)]
        await asyncio.gather(*(flow.wait_on.start() for flow in instances))
        await _until_all_wait(engine)
        looping.runs = 0
        begun = time.perf_counter()
        for number in range(1, _SIGNALS + 1):
            await asyncio.gather(*(flow.go_on.send() for flow in instances))
            while looping.signals < number * flows:  # noqa: ASYNC110  # the flows alone know
                await asyncio.sleep(0.001)
            await _until_all_wait(engine)
        return looping.runs / (time.perf_counter() - begun)


def _megabytes(path: Path, flows: int, grace: timedelta) -> float:
    return asyncio.run(_wait(path, flows, grace))


async def _wait(path: Path, flows: int, grace: timedelta) -> float:
    """Memory with so many waiting flows that stay for a grace. Started one by one, so that starting leaves no trace."""
    patient = DurablePatient(lambda number: None)
    async with Engine(path, flows=[patient], waiting_grace=grace, max_waiting_in_memory=flows) as engine:
        for number in range(flows):
            await engine.get_flow(DurablePatient, f"flow-{number}").await_signal.start()
        await _until_all_wait(engine)
        return resident_mb()


async def _until_all_wait(engine: Engine) -> None:
    while await engine.flows(status=FlowStatus.RUNNING, limit=1):  # noqa: ASYNC110  # the log alone knows
        await asyncio.sleep(0.001)
