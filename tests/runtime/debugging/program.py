"""A program that runs both flows: `python -m tests.runtime.debugging.program`."""

from __future__ import annotations

import asyncio

from persistasaurus import BlockingEngine, Engine
from persistasaurus.testing import InMemoryLog

from .flows_stepped_durable import DurableSteppedFlow, DurableSteppedPlainFlow


async def run_on_a_loop() -> None:
    """Run them on an event loop."""
    async with Engine(InMemoryLog(), flows=[DurableSteppedFlow(), DurableSteppedPlainFlow()]) as engine:
        print(await engine.get_flow(DurableSteppedFlow, "f").share.run(10))
        print(await engine.get_flow(DurableSteppedPlainFlow, "p").share_plain.run(10))


def run_blocking() -> None:
    """Run them without one."""
    with BlockingEngine(InMemoryLog(), flows=[DurableSteppedFlow(), DurableSteppedPlainFlow()]) as engine:
        print(engine.get_flow(DurableSteppedFlow, "f").share.run(10))
        print(engine.get_flow(DurableSteppedPlainFlow, "p").share_plain.run(10))


if __name__ == "__main__":
    asyncio.run(run_on_a_loop())
    run_blocking()
