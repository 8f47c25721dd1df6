"""A process that starts flows of a mixed load and runs what it can get, until it is killed: LOG LEDGER SEED LEASE."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from persistasaurus import Engine
from persistasaurus.generated import Durable
from tests.torture.flows_mixed_durable import DurableMixedFlow, DurablePlainMixedFlow
from tests.torture.ledger import Ledger

_AT_ONCE = 30
"""Flows it starts before it waits for one to end."""


async def main(log: Path, ledger: Ledger, seed: int, lease: float) -> None:
    chance = random.Random(seed)
    told_to_end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told_to_end.set)
    flows: list[Durable[Any, Any]] = [DurableMixedFlow(ledger), DurablePlainMixedFlow(ledger)]
    async with Engine(
        log, flows=flows, durability="process", lease=timedelta(seconds=lease), closing_grace=timedelta(seconds=1),
        waiting_grace=timedelta(milliseconds=chance.choice([0, 10, 1000])),
        max_concurrency=chance.choice([None, None, 5]),
    ) as engine:  # fmt: skip
        running: set[asyncio.Task[object]] = set()
        count = 0
        while not told_to_end.is_set():
            while len(running) < _AT_ONCE:
                count += 1
                running.add(asyncio.ensure_future(start(engine, ledger, chance, f"{os.getpid()}-{count}")))
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED, timeout=0.1)


async def start(engine: Engine, ledger: Ledger, chance: random.Random, flow_id: str) -> None:
    """Start a flow of some kind, say that it is on record, and wait for its end for a while."""
    kind = chance.choice(["chain", "fan", "approvals", "retries", "charges_once", "breaks", "races", "branches"])
    size = chance.randint(1, 4)
    flow_id = f"{kind}-{flow_id}-{size}"
    mixed = engine.get_flow(DurableMixedFlow, flow_id)
    flow = (
        engine.get_flow(DurablePlainMixedFlow, flow_id).branches if kind == "branches" else getattr(mixed, kind)
    )  # all of them take one number and return a list
    await flow.start(size)
    ledger.note("started", flow_id)
    try:
        await flow.result(timeout=timedelta(seconds=0.5))
    except Exception as error:
        if type(error).__name__ not in ("TimeoutError", "NotMended"):
            raise


if __name__ == "__main__":
    logging.disable()  # thousands of flows fail as they should
    asyncio.run(main(Path(sys.argv[1]), Ledger(Path(sys.argv[2])), int(sys.argv[3]), float(sys.argv[4])))
