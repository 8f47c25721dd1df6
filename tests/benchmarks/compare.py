"""The same work on DBOS Transact: hello-world flows of ten steps, async on both sides, one file of SQLite each.

Ours are power-safe. DBOS has its default settings, but that it logs warnings only: with those it leaves its SQLite file
in SQLite's own default modes, a rollback journal and `synchronous = FULL`, which wait for the disk at each commit, too.
Its flows are awaited directly, which costs it no more than the handles of `start_workflow_async` do.
"""

from __future__ import annotations

import asyncio
import time
from importlib.util import find_spec
from pathlib import Path

from persistasaurus import Engine

from . import dbos_flows
from .bench_flows_durable import DurableCounting
from .measuring import Figures, in_fresh_process, pairs, scaled

_STEPS = 10
_MISSING = (
    "dbos: not measured, because it is not installed here: `python -m pip install --editable '.[compiler,bench]'` "
    "in a virtual environment for benchmarks, and measure with its Python"
)


def figures(rounds: int, scale: float) -> Figures:
    """Steps a second of ours for one of DBOS, flow after flow and all at once."""
    if find_spec("dbos") is None:
        print(_MISSING, flush=True)
        return {}
    found: Figures = {}
    for name, flows, at_once in (("sequential", scaled(30, scale), False), ("concurrent", scaled(200, scale), True)):
        ratio, mine, theirs = pairs(
            rounds,
            lambda path, flows=flows, at_once=at_once: in_fresh_process(_ours, path, flows, at_once),  # type: ignore[misc]
            lambda path, flows=flows, at_once=at_once: in_fresh_process(  # type: ignore[misc]
                dbos_flows.steps_per_second, path, flows, _STEPS, at_once
            ),
        )
        found[f"dbos_{name}_ratio"] = ratio
        found[f"dbos_{name}_our_steps_per_s"] = mine
        found[f"dbos_{name}_their_steps_per_s"] = theirs
    return found


def _ours(path: Path, flows: int, at_once: bool) -> float:
    return asyncio.run(_run(path, flows, at_once))


async def _run(path: Path, flows: int, at_once: bool) -> float:
    async with Engine(path, flows=[DurableCounting()]) as engine:
        begun = time.perf_counter()
        runs = (engine.get_flow(DurableCounting, f"flow-{each}").count.run(_STEPS) for each in range(flows))
        if at_once:
            await asyncio.gather(*runs)
        else:
            for run in runs:
                await run
        return flows * _STEPS / (time.perf_counter() - begun)
