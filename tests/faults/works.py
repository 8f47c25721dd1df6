"""Start flows that have a lot to do, wait until they have come so far, and bring them to their ends."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from datetime import timedelta
from pathlib import Path
from typing import Final

from persistasaurus import Engine, FlowEnded, FlowStatus
from persistasaurus.log import ExecutionLog
from tests.crash.flows_trips import Ledger
from tests.faults.flows_works import Door, steps, worked
from tests.faults.flows_works_durable import DurableWorksFlow

TIMES: Final = 4
ANSWER: Final = 10_000
RESULT: Final = worked(TIMES, ANSWER)
STEPS: Final = steps(TIMES)
UNANSWERED: Final = STEPS - TIMES - 1
"""How many bodies a flow notes before it needs an answer."""

PATIENCE: Final = timedelta(seconds=60)
BETWEEN_LOOKS: Final = 0.002


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(PATIENCE.total_seconds()):
        while not condition():  # noqa: ASYNC110  files and other threads tell nobody
            await asyncio.sleep(BETWEEN_LOOKS)


@asynccontextmanager
async def engines(ledger: Ledger, *logs: str | Path | ExecutionLog) -> AsyncIterator[Sequence[Engine]]:
    """An engine for each log, that may all be of one file."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Engine(log, flows=[DurableWorksFlow(ledger, Door())])) for log in logs]


async def start(company: Sequence[Engine], count: int) -> list[str]:
    """Start flows, in one engine after the other; every second one gets its answer at once. Returns their ids."""
    flow_ids = [f"f{number}" for number in range(count)]
    for number, flow_id in enumerate(flow_ids):
        flow = company[number % len(company)].get_flow(DurableWorksFlow, flow_id)
        await flow.works.start(TIMES)
        if number // len(company) % 2:
            await flow.answered.send(ANSWER)
    return flow_ids


async def answer(engine: Engine, flow_ids: Sequence[str]) -> None:
    """Give every flow its answer; one that has it already reads no other."""
    for flow_id in flow_ids:
        with contextlib.suppress(FlowEnded):
            await engine.get_flow(DurableWorksFlow, flow_id).answered.send(ANSWER)


async def results(engine: Engine, flow_ids: Sequence[str]) -> list[int]:
    """What the flows come to."""
    flows = [engine.get_flow(DurableWorksFlow, flow_id) for flow_id in flow_ids]
    return [await flow.works.result(timeout=PATIENCE) for flow in flows]


async def go_on(path: Path, ledger: Ledger) -> list[str]:
    """Bring every flow of a log to its right end in an engine of its own; returns their ids."""
    async with engines(ledger, path) as (engine,):
        flow_ids = [flow.flow_id for flow in await engine.flows(limit=1000)]
        await answer(engine, flow_ids)
        assert await results(engine, flow_ids) == [RESULT] * len(flow_ids)
        assert {flow.status for flow in await engine.flows(limit=1000)} <= {FlowStatus.COMPLETE}
    return flow_ids


def ended_in(path: Path) -> set[str]:
    """The steps that have an outcome on record, each as `flow step`, as in the ledger."""
    with closing(sqlite3.connect(path)) as log:
        found = log.execute(
            "SELECT flow_id, step FROM execution_log WHERE step > 0 AND status IN ('COMPLETE', 'FAILED')"
        )
        return {f"{flow_id} {step}" for flow_id, step in found}


def ran_once(ledger: Ledger, flow_ids: Sequence[str]) -> bool:
    """Whether every step of the flows ran, and none of them twice."""
    counted = Counter(line.split()[0] for line in ledger.lines())
    return len(set(ledger.lines())) == len(ledger.lines()) and counted == dict.fromkeys(flow_ids, STEPS)
