"""What flows cost: steps a second, live and replayed."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from pathlib import Path

from persistasaurus import Engine, FlowStatus

from .bench_flows_durable import DurableCounting, DurablePlainCounting, DurableWaiting


async def steps_per_second(path: Path, *, flows: int, steps: int, plain: bool) -> float:
    """Run so many flows at once, power-safe; returns steps a second from the first start to the last result."""
    if plain:
        async with Engine(path, flows=[DurablePlainCounting()]) as engine:
            begun = time.perf_counter()
            await asyncio.gather(
                *(engine.get_flow(DurablePlainCounting, f"flow-{each}").count.run(steps) for each in range(flows))
            )
            return flows * steps / (time.perf_counter() - begun)
    async with Engine(path, flows=[DurableCounting()]) as engine:
        begun = time.perf_counter()
        await asyncio.gather(
            *(engine.get_flow(DurableCounting, f"flow-{each}").count.run(steps) for each in range(flows))
        )
        return flows * steps / (time.perf_counter() - begun)


async def leave_waiting(path: Path, steps: int) -> str:
    """Run a flow of so many steps up to its wait for a signal, and leave it there; returns its id."""
    async with Engine(path, flows=[DurableWaiting()], durability="process") as engine:
        flow = engine.get_flow(DurableWaiting, "waiting")
        await flow.count_and_wait.start(steps)
        while await flow.status() is not FlowStatus.WAITING:  # noqa: ASYNC110  # nothing is measured here
            await asyncio.sleep(0.01)
    return "waiting"


async def replayed_per_second(path: Path, flow_id: str, steps: int) -> float:
    """Bring a waiting flow back by a signal and stop the clock when its next body runs; returns steps a second."""
    waiting = DurableWaiting()
    async with Engine(path, flows=[waiting], durability="process", waiting_grace=timedelta(0)) as engine:
        begun = time.perf_counter()
        await engine.get_flow(DurableWaiting, flow_id).go_on.send()
        await waiting.replayed.wait()
        waiting.replayed.clear()
        elapsed = time.perf_counter() - begun
        flow = engine.get_flow(DurableWaiting, flow_id)
        while await flow.status() is not FlowStatus.WAITING:  # noqa: ASYNC110  # nothing is measured here
            await asyncio.sleep(0.01)
    return steps / elapsed
