"""The flow of `compare` as one writes it for DBOS; in a process of its own, because DBOS is one global object."""

from __future__ import annotations

import asyncio
import importlib
import time
from pathlib import Path
from typing import Any


async def _say(name: str, count: int) -> int:
    return count


def steps_per_second(path: Path, flows: int, steps: int, at_once: bool) -> float:
    """Run so many flows, one after the other or all at once; returns steps a second from the first start to the last
    result."""
    # Imported by name, and without decorators: mypy must be content whether or not it is installed.
    dbos: Any = importlib.import_module("dbos")
    say = dbos.DBOS.step()(_say)

    async def count_steps(steps: int) -> int:
        total = 0
        for number in range(steps):
            total += await say("World", number)
        return total

    count = dbos.DBOS.workflow()(count_steps)

    async def run(number: int) -> None:
        with dbos.SetWorkflowID(f"flow-{number}"):
            if await count(steps) != steps * (steps - 1) // 2:
                raise AssertionError("DBOS counted wrong")

    async def run_all() -> float:
        dbos.DBOS(config={"name": "bench", "system_database_url": f"sqlite:///{path}", "log_level": "WARNING"})
        dbos.DBOS.launch()
        try:
            begun = time.perf_counter()
            if at_once:
                await asyncio.gather(*map(run, range(flows)))
            else:
                for number in range(flows):
                    await run(number)
            return flows * steps / (time.perf_counter() - begun)
        finally:
            dbos.DBOS.destroy()

    return asyncio.run(run_all())
