"""What very many waiting flows cost: memory, the time to open their log, and how late others get their turn.

Half of the flows wait for a signal, half for a time far off. Their rows are written straight into the log, as an engine
would have written them; `test_benchmarks` holds the two against each other. Memory is the resident set of a process in
which an engine has opened the log and run one flow, less that of such a process with a log that was empty. What two
processes that do the same take differs a little, so the difference may come out below zero.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue

from msgspec.structs import replace

from persistasaurus import Engine, FlowStatus, Kind, Status
from persistasaurus.flow_record import PYTHON
from persistasaurus.records import CallMade, Commit, FlowRow, Start, Write
from persistasaurus.row_changes import change_of
from persistasaurus.sqlite_log import SqliteLog

from .bench_flows_durable import DurablePatient, DurableWatched
from .measuring import Figures, in_fresh_process, medians, percentile, resident_mb, scaled, scratch

_CHUNK = 10_000
FAR_OFF = 1e9
"""Seconds: some thirty years."""
_NOT_YET = 2.0
"""Seconds until the first of the flows that become due: by then they have long left memory, by default after one."""
_DURING = 4.0
"""Seconds over which they become due."""
_SETTLING = 1.2
"""Seconds until an engine has looked around once in the background."""


def figures(rounds: int, scale: float) -> Figures:
    """Megabytes, seconds to open, and milliseconds late, with a hundred thousand flows."""
    return _with_flows("100k", scaled(100_000, scale), rounds, due=scaled(300, scale), during=_DURING * min(scale, 1))


def figures_of_a_million(rounds: int, scale: float) -> Figures:
    """Megabytes and seconds to open."""
    return _with_flows("1m", scaled(1_000_000, scale), rounds, due=0, during=0.0)


def _with_flows(label: str, count: int, rounds: int, *, due: int, during: float) -> Figures:
    found: list[Figures] = []
    with scratch() as place:
        fill(place / "log.db", count)
        for number in range(rounds):
            idle = in_fresh_process(_engine_with, place / f"empty-{number}.db", 0, number, 0, 0.0)
            full = in_fresh_process(_engine_with, place / "log.db", count, number, due, during)
            figures = {f"waiting_{label}_mb": full.pop("mb") - idle.pop("mb"), f"open_{label}_s": full.pop("open_s")}
            found.append(figures | full)
    return medians(found)


def _engine_with(path: Path, count: int, number: int, due: int, during: float) -> Figures:
    return asyncio.run(_open(path, count, number, due, during))


async def _open(path: Path, count: int, number: int, due: int, during: float) -> Figures:
    begun: list[float] = []
    woken: dict[int, float] = {}
    watched = DurableWatched(lambda _: begun.append(time.perf_counter()))
    patient = DurablePatient(lambda number: woken.setdefault(number, time.time()))
    opening = time.perf_counter()
    async with Engine(path, flows=[watched, patient]) as engine:
        await engine.get_flow(DurableWatched, f"first-{number}").count.run(1)
        found = {"open_s": begun[0] - opening}
        await asyncio.sleep(_SETTLING)
        found["mb"] = resident_mb()
        if due:
            found |= await _lateness(engine, number, due, during, woken)
        if count > number * 2:
            # One that waits for a signal, another one each time: what was written is what an engine goes on from.
            flow = engine.get_flow(DurablePatient, flow_id_of(number * 2))
            await flow.go_on.send(number)
            if await flow.await_signal.result() != number:
                raise AssertionError("a flow that was written into the log came to another result")
        return found


async def _lateness(engine: Engine, round_: int, count: int, during: float, woken: dict[int, float]) -> Figures:
    """How much later than due the bodies behind `count` delays begin."""
    flows = [engine.get_flow(DurablePatient, f"due-{round_}-{number}") for number in range(count)]
    await asyncio.gather(
        *(flow.await_time.start(number, _NOT_YET + during * number / count) for number, flow in enumerate(flows))
    )
    # Nobody waits for a result until they have all run: it would be brought back ahead of its turn.
    while len(woken) < count:  # noqa: ASYNC110  # nor does anything else happen here meanwhile
        await asyncio.sleep(0.1)
    late: list[float] = []
    for number, flow in enumerate(flows):
        await flow.await_time.result()
        timer = (await flow.history())[0]
        assert timer.due is not None
        late.append((datetime.fromtimestamp(woken[number], UTC) - timer.due).total_seconds() * 1000)
    return {"due_p50_ms": percentile(late, 50), "due_p99_ms": percentile(late, 99)}


# -- a log full of flows that wait ------------------------------------------------------------------------------------


def flow_id_of(number: int) -> str:
    """The id of a flow that was written; even numbers wait for a signal, odd ones for a time."""
    return f"waiting-{number}"


def fill(path: Path, count: int) -> None:
    """Write so many waiting flows into a log."""
    commits: SimpleQueue[Commit] = SimpleQueue()
    log = SqliteLog(path, durability="process")
    log.open(commits.put)
    try:
        for begin in range(0, count, _CHUNK):
            position = 0
            for number in range(begin, min(begin + _CHUNK, count)):
                for write in _writes_of(number):
                    position = log.put(write)
            settled = 0
            while settled < position:  # a queue of a million flows would need more memory than is measured here
                commit = commits.get()
                settled = commit.position
                for error in commit.refused.values():
                    raise error
    finally:
        log.close()


def _writes_of(number: int) -> Iterator[Write]:
    now = time.time_ns() // 1000
    flow_id = flow_id_of(number)
    if number % 2:
        delay = round(FAR_OFF * 1e6)
        due, parameters = now + delay, f'{{"number":{number},"seconds":{FAR_OFF}}}'
        flow = FlowRow(flow_id, "Patient", "await_time", now, parameters, FlowStatus.RUNNING, PYTHON)
        yield Start(flow)
        yield CallMade(flow_id, 1, Kind.TIMER, "", "", None, now, 0, "{}", delay, 0, Status.PENDING, 0, due)
        yield change_of(_waiting(flow, due), heard=0)
    else:
        flow = FlowRow(flow_id, "Patient", "await_signal", now, "{}", FlowStatus.RUNNING, PYTHON)
        waits = Status.WAITING_FOR_SIGNAL
        yield Start(flow)
        yield CallMade(flow_id, 1, Kind.SIGNAL, "Patient", "go_on", None, now, 0, "{}", None, 0, waits, 0, None)
        yield change_of(_waiting(flow, None), heard=0)


def _waiting(flow: FlowRow, due: int | None) -> FlowRow:
    return replace(flow, status=FlowStatus.WAITING, due=due)
