"""G7: what running a flow's id again does, while it runs, and when it has ended."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from persistasaurus import BlockingEngine, Engine, FlowConflict, FlowStatus
from persistasaurus.records import Commit
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_orders_durable import DurableOrderFlow, DurablePlainOrderFlow
from .machine import Machine, Outside
from .scenario import all_is_still, scenario

PLACED = "book reserved, book charged, book shipped"


@scenario
async def test_running_a_complete_id_again_returns_the_recorded_result(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        assert await order.place.run("book") == PLACED
        assert await order.place.run("book") == PLACED
        await order.place.start("book")
        assert await order.place.result() == PLACED
        after = machine.crashed()
    async with after.engine(DurableOrderFlow(outside)) as engine:
        assert await engine.get_flow(DurableOrderFlow, "o1").place.run("book") == PLACED
    assert outside.seen == ["reserve", "charge", "ship"]


@scenario
async def test_an_id_run_twice_in_one_moment_runs_once_and_both_callers_get_the_result(
    machine: Machine, outside: Outside
) -> None:
    async with machine.engine(DurableOrderFlow(outside), DurablePlainOrderFlow(outside)) as engine:
        order, plain = engine.get_flow(DurableOrderFlow, "o1"), engine.get_flow(DurablePlainOrderFlow, "o2")
        for result in await asyncio.gather(
            order.place.run("book"), order.place.run("book"), plain.place.run("book"), plain.place.run("book")
        ):
            assert result == PLACED
    assert sorted(outside.seen) == sorted(["reserve", "charge", "ship"] * 2)


@scenario
async def test_a_running_id_is_joined(machine: Machine, outside: Outside) -> None:
    outside.shut("charge")
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        await order.place.start("book")
        await outside.arrived("charge")
        joined = asyncio.ensure_future(order.place.run("book"))
        outside.open("charge")
        assert await joined == PLACED
    assert outside.seen == ["reserve", "charge", "ship"]


@scenario
async def test_an_interrupted_id_is_joined_by_whoever_runs_it_after_the_crash(
    machine: Machine, outside: Outside
) -> None:
    outside.shut("charge")
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        await engine.get_flow(DurableOrderFlow, "o1").place.start("book")
        await outside.arrived("charge")
        after = machine.crashed()
    outside.open("charge")
    async with after.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        for result in await asyncio.gather(order.place.run("book"), order.place.run("book")):
            assert result == PLACED
    assert outside.seen == ["reserve", "charge", "charge", "ship"]


@pytest.mark.parametrize("log", ["memory", "sqlite"])
def test_an_id_run_by_two_threads_in_one_moment_runs_once(log: str, tmp_path: Path) -> None:
    outside, count = Outside(), 50
    opened = InMemoryLog() if log == "memory" else SqliteLog(tmp_path / "log.db", durability="process")
    with (
        BlockingEngine(opened, flows=[DurableOrderFlow(outside)]) as engine,
        ThreadPoolExecutor(2) as threads,
    ):
        together = threading.Barrier(2)

        def run(number: int) -> str:
            together.wait()
            return engine.get_flow(DurableOrderFlow, f"o{number // 2}").place.run("book")

        assert set(threads.map(run, range(2 * count))) == {PLACED}
    assert len(outside.seen) == 3 * count


class LateLog(InMemoryLog):
    """A log that commits, but tells of it only when the test lets it: another thread may be slow to be heard."""

    def __init__(self) -> None:
        super().__init__()
        self._late: list[Commit] | None = []
        self._tell: Callable[[Commit], None] = lambda commit: None

    def open(self, on_commit: Callable[[Commit], None], on_news: Callable[[], None] = lambda: None) -> None:
        self._tell = on_commit
        super().open(self._committed, on_news)

    def _committed(self, commit: Commit) -> None:
        if self._late is None:
            self._tell(commit)
        else:
            self._late.append(commit)

    def tell(self) -> None:
        """Tell of all that was committed, and from now on at once."""
        late, self._late = self._late or [], None
        for commit in late:
            self._tell(commit)


@scenario
async def test_a_flow_found_on_record_before_its_start_is_heard_of_runs_once() -> None:
    outside, log = Outside(), LateLog()
    async with Engine(log, flows=[DurableOrderFlow(outside)], clock=ManualClock()) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        run = asyncio.ensure_future(order.place.run("book"))
        await all_is_still()
        assert await order.status() is FlowStatus.RUNNING
        joined = asyncio.ensure_future(order.place.result())
        await all_is_still()
        log.tell()
        assert await run == await joined == PLACED
    assert outside.seen == ["reserve", "charge", "ship"]


@scenario
async def test_other_arguments_are_an_error_that_shows_both(machine: Machine, outside: Outside) -> None:
    outside.shut("charge")
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        await order.place.start("book")
        with pytest.raises(FlowConflict, match=r'o1.*"book".*"lamp"'):
            await order.place.run("lamp")
        with pytest.raises(FlowConflict, match=r'o1.*"book".*"lamp"'):
            await order.place.start("lamp")
        outside.open("charge")
        assert await order.place.result() == PLACED
        with pytest.raises(FlowConflict, match=r'"book".*"express":true'):
            await order.place.run("book", express=True)
        assert await order.place.run("book") == PLACED


@scenario
async def test_an_argument_left_out_is_its_default(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        assert await order.place.run("book") == PLACED
        assert await order.place.run(order="book", express=False) == PLACED
    assert outside.seen == ["reserve", "charge", "ship"]


@scenario
async def test_an_id_belongs_to_one_flow(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableOrderFlow(outside), DurablePlainOrderFlow(outside)) as engine:
        await engine.get_flow(DurableOrderFlow, "o1").place.run("book")
        with pytest.raises(FlowConflict, match=r"o1.*OrderFlow\.place.*OrderFlow\.remind"):
            await engine.get_flow(DurableOrderFlow, "o1").remind.run("book")
        with pytest.raises(FlowConflict, match=r"o1.*OrderFlow\.place.*PlainOrderFlow\.place"):
            await engine.get_flow(DurablePlainOrderFlow, "o1").place.run("book")
        with pytest.raises(FlowConflict, match=r"o1.*OrderFlow\.place.*PlainOrderFlow\.place"):
            await engine.get_flow(DurablePlainOrderFlow, "o1").place.result()


@scenario
async def test_a_crash_is_not_a_failure(machine: Machine, outside: Outside) -> None:
    outside.shut("charge")
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        await engine.get_flow(DurableOrderFlow, "o1").place.start("book")
        await outside.arrived("charge")
        after = machine.crashed()
    async with after.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        assert await order.status() is FlowStatus.RUNNING
        outside.open("charge")
        assert await order.place.result() == PLACED
        assert await order.status() is FlowStatus.COMPLETE


@scenario
async def test_waiting_for_a_result_can_time_out_and_the_flow_goes_on(machine: Machine, outside: Outside) -> None:
    outside.shut("charge")
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        await order.place.start("book")
        await outside.arrived("charge")
        with pytest.raises(TimeoutError, match="o1"):
            await order.place.result(timeout=timedelta(0))
        outside.open("charge")
        assert await order.place.result() == PLACED
