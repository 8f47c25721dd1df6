"""G4: how a flow ends: what it left over is ended first, in order, and one that waits for nothing fails."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from persistasaurus import FlowDeadlock, FlowStatus
from persistasaurus.records import FlowChanged, Status

from .flows_asyncio import Declined
from .flows_asyncio_durable import DurableAsyncioFlow
from .machine import Machine
from .scenario import all_is_still, scenario


@scenario
async def test_left_over_tasks_are_cancelled_in_order_of_creation_and_run_to_their_end(machine: Machine) -> None:
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableAsyncioFlow, "f")
        assert await flow.leaves_tasks_over.run(["c", "a", "b"]) == "ended with 3 left"
    assert machine.outside.seen == ["body", "clean c", "clean a", "clean b"]
    assert machine.statuses("f") == [Status.COMPLETE] * 4


@scenario
async def test_nothing_is_logged_after_the_outcome_of_the_flow(machine: Machine) -> None:
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        await engine.get_flow(DurableAsyncioFlow, "f").leaves_tasks_over.run(["a", "b"])
    last = machine.log.writes[-1]
    assert isinstance(last, FlowChanged)
    assert last.status is FlowStatus.COMPLETE


@scenario
async def test_a_crash_while_left_over_tasks_end_goes_on_with_them(machine: Machine) -> None:
    machine.outside.shut("clean b")
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        await engine.get_flow(DurableAsyncioFlow, "f").leaves_tasks_over.start(["a", "b"])
        await machine.outside.arrived("clean b")
        await machine.until(lambda: machine.statuses("f")[1] is Status.COMPLETE)
        again = machine.crashed()
    machine.outside.open("clean b")
    async with again.engine(DurableAsyncioFlow(machine.outside)) as engine:
        result = await engine.get_flow(DurableAsyncioFlow, "f").leaves_tasks_over.run(["a", "b"])
    assert result == "ended with 2 left"
    assert machine.outside.seen == ["body", "clean a", "clean b", "clean b"]


@scenario
async def test_steps_still_running_when_the_body_fails_are_stopped_before_the_failure_is_told(
    machine: Machine,
) -> None:
    machine.outside.shut("slow")
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableAsyncioFlow, "f")
        with pytest.raises(Declined, match="the body with 1 left"):
            await flow.leaves_a_failing_task_over.run()
        assert await flow.status() is FlowStatus.FAILED
        assert machine.statuses("f") == [Status.COMPLETE, Status.CANCELLED]


@scenario
async def test_a_flow_that_waits_for_what_nothing_can_bring_fails(machine: Machine) -> None:
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableAsyncioFlow, "f")
        with pytest.raises(FlowDeadlock, match="no step, timer or signal is outstanding"):
            await flow.waits_for_nothing.run()
        assert await flow.status() is FlowStatus.FAILED
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableAsyncioFlow, "f")
        with pytest.raises(FlowDeadlock):
            await flow.waits_for_nothing.result()


@scenario
async def test_many_flows_run_side_by_side_and_see_only_their_own_steps(machine: Machine) -> None:
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        flows = {name: engine.get_flow(DurableAsyncioFlow, f"flow-{name}") for name in "abcdefgh"}
        results = await asyncio.gather(*(flow.gathers.run([name, name * 2]) for name, flow in flows.items()))
        assert results == [f"['{name.upper()}', '{name.upper() * 2}']" for name in flows]
        for name in flows:
            assert [row.step for row in machine.calls(f"flow-{name}")] == [1, 2, 3]


@scenario
async def test_a_left_over_task_whose_step_had_ended_when_it_was_cancelled_ends_all_the_same(machine: Machine) -> None:
    machine.outside.shut("work", "poll")
    engine = machine.engine(DurableAsyncioFlow(machine.outside), closing_grace=timedelta(minutes=1))
    await engine.open()
    await engine.get_flow(DurableAsyncioFlow, "f").polls_meanwhile.start()
    await machine.outside.arrived("work")
    await machine.outside.arrived("poll")
    closing = asyncio.ensure_future(engine.close())
    await all_is_still()
    machine.outside.open("work", "poll")  # both outcomes are on record before the flow sees either
    await closing
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableAsyncioFlow, "f").polls_meanwhile.result() == "WORK"
    assert machine.outside.seen.count("work") == 1
    assert machine.statuses("f")[:2] == [Status.COMPLETE] * 2
