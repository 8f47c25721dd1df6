"""What more processes bring: four with an engine each on one file, against one that does all of it."""

from __future__ import annotations

import asyncio
import time
from multiprocessing import get_context
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

from persistasaurus import Engine

from .bench_flows_durable import DurableCounting
from .measuring import Figures, pairs, scaled

_PROCESSES = 4
_FLOWS = 10
"""Of each of the four."""

Times = tuple[float, float]
"""When a process began its flows and when they had ended, on the clock that all processes share."""


def figures(rounds: int, scale: float) -> Figures:
    """Steps a second of four processes for one of one process; the same flows in all, power-safe."""
    steps = scaled(100, scale)
    ratio, four, one = pairs(
        rounds,
        lambda path: _steps_per_second(path, _PROCESSES, _FLOWS, steps),
        lambda path: _steps_per_second(path, 1, _PROCESSES * _FLOWS, steps),
    )
    return {
        f"processes_{_PROCESSES}_ratio": ratio,
        f"processes_{_PROCESSES}_steps_per_s": four,
        "processes_1_steps_per_s": one,
    }


def _steps_per_second(path: Path, processes: int, flows: int, steps: int) -> float:
    context = get_context("spawn")
    barrier = context.Barrier(processes)
    answers: SimpleQueue[Times] = context.SimpleQueue()
    running = [
        context.Process(target=_work, args=(path, name, flows, steps, barrier, answers)) for name in range(processes)
    ]
    for process in running:
        process.start()
    for process in running:
        process.join()
    if any(process.exitcode for process in running):
        raise AssertionError("a process failed")
    times = [answers.get() for _ in running]
    return processes * flows * steps / (max(ended for _, ended in times) - min(begun for begun, _ in times))


def _work(path: Path, name: int, flows: int, steps: int, barrier: Barrier, answers: SimpleQueue[Times]) -> None:
    answers.put(asyncio.run(_run(path, name, flows, steps, barrier)))


async def _run(path: Path, name: int, flows: int, steps: int, barrier: Barrier) -> Times:
    async with Engine(path, flows=[DurableCounting()]) as engine:
        await asyncio.to_thread(barrier.wait, 60)  # until all have opened the log
        begun = time.perf_counter()
        await asyncio.gather(
            *(engine.get_flow(DurableCounting, f"flow-{name}-{each}").count.run(steps) for each in range(flows))
        )
        return begun, time.perf_counter()
