"""G10: at start every interrupted flow goes on, a bounded number at a time, and none for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import FlowStatus

from .flows_asyncio_durable import DurableAsyncioFlow
from .machine import Machine
from .scenario import all_is_still, scenario


@scenario
async def test_a_flow_that_is_on_record_before_its_engine_knows_runs_once(machine: Machine) -> None:
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableAsyncioFlow, "f")
        machine.log.keep_silent()
        started = asyncio.ensure_future(flow.gathers.start(["a", "b"]))
        await machine.until(lambda: machine.log.flow("f") is not None)
        other = asyncio.ensure_future(flow.gathers.result())  # sees a flow that runs and that nobody runs
        for _ in range(10):
            await asyncio.sleep(0)
        machine.log.tell_all()
        await started
        assert await other == "['A', 'B']"
    assert machine.outside.seen == ["a", "b", "finish"]


@scenario
async def test_a_flow_that_ended_before_its_turn_in_the_recovery_is_left_as_it_is(machine: Machine) -> None:
    machine.outside.shut("a", "b", "c")
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        for name in "abc":
            await engine.get_flow(DurableAsyncioFlow, name).gathers.start([name])
            await machine.outside.arrived(name)
            machine.clock.advance(timedelta(seconds=1))  # recovery goes by age
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_concurrent_recoveries=1) as engine:
        waiting = asyncio.ensure_future(engine.get_flow(DurableAsyncioFlow, "c").gathers.result())
        await machine.outside.arrived("a", times=2)
        machine.outside.open("a", "c")
        assert await waiting == "['C']"  # ahead of b: somebody waits for it
        record = machine.record("c")
        machine.clock.advance(timedelta(hours=1))
        machine.outside.open("b")
        await machine.ended("b")
        await all_is_still()
        assert machine.record("c") == record


@scenario
async def test_flows_are_recovered_though_the_clock_was_set_back_meanwhile(machine: Machine) -> None:
    machine.outside.shut("a")
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        await engine.get_flow(DurableAsyncioFlow, "f").gathers.start(["a"])
        await machine.outside.arrived("a")
    machine.clock.advance(-timedelta(hours=1))
    machine.outside.open("a")
    async with machine.engine(DurableAsyncioFlow(machine.outside)):
        await machine.ended("f")
        assert machine.flow("f").status is FlowStatus.COMPLETE
