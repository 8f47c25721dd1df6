"""How fast an engine goes on with what a killed process left."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from multiprocessing import get_context
from pathlib import Path

from persistasaurus import Engine

from .bench_flows_durable import DurableInterrupted
from .measuring import Figures, in_fresh_process, repeated, scaled


def figures(rounds: int, scale: float) -> Figures:
    """Flows a second, from before the log is opened until the last of them has its result."""
    flows = scaled(2000, scale)
    return repeated(rounds, lambda place: _measured(place / "log.db", flows))


def _measured(path: Path, flows: int) -> Figures:
    process = get_context("spawn").Process(target=_leave_interrupted, args=(path, flows))
    process.start()
    process.join()
    if process.exitcode != -signal.SIGKILL:
        raise AssertionError(f"the process that was to be killed ended with {process.exitcode}")
    return {"recovery_flows_per_s": in_fresh_process(_recovered_per_second, path, flows)}


def _leave_interrupted(path: Path, flows: int) -> None:
    asyncio.run(_be_killed(path, flows))


async def _be_killed(path: Path, flows: int) -> None:
    """Start flows, and be killed when all of them are in the middle of their second step."""
    count = 0

    async def begun() -> None:
        nonlocal count
        count += 1
        if count == flows:
            os.kill(os.getpid(), signal.SIGKILL)
        await asyncio.Event().wait()

    async with Engine(path, flows=[DurableInterrupted(begun, lambda: None)]) as engine:
        await asyncio.gather(
            *(engine.get_flow(DurableInterrupted, f"flow-{each}").work.run(each) for each in range(flows))
        )


def _recovered_per_second(path: Path, flows: int) -> float:
    return asyncio.run(_recover(path, flows))


async def _recover(path: Path, flows: int) -> float:
    count = 0
    all_ended = asyncio.Event()

    async def begun() -> None:
        return None

    def ended() -> None:
        nonlocal count
        count += 1
        if count == flows:
            all_ended.set()

    opening = time.perf_counter()
    async with Engine(path, flows=[DurableInterrupted(begun, ended)]) as engine:
        await all_ended.wait()  # before results are asked for: what somebody waits for would not wait for its turn
        results = [await engine.get_flow(DurableInterrupted, f"flow-{each}").work.result() for each in range(flows)]
        elapsed = time.perf_counter() - opening
    if results != list(range(flows)):
        raise AssertionError("a recovered flow came to another result")
    return flows / elapsed
