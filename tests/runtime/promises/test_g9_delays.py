"""G9: delays are durable and never early."""

from __future__ import annotations

import asyncio
import math
from datetime import timedelta

import pytest

from persistasaurus import FlowStatus, wait_for_signal

from .flows_changes import EditedFlow
from .flows_changes_durable import DurableEditedFlow
from .flows_retried_durable import DurableRetriedFlow
from .flows_waiting_durable import DurableWaitingFlow
from .machine import Machine
from .scenario import all_is_still, scenario

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@scenario
async def test_a_delayed_step_runs_when_its_time_has_come_and_not_before(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.delays.start()
        await machine.waiting("f")
        machine.clock.advance(3 * DAY - INSTANT)
        await all_is_still()
        assert machine.outside.seen == []
        machine.clock.advance(INSTANT)
        assert await flow.delays.result() == "hello"


@scenario
async def test_only_the_remainder_of_a_delay_is_waited_for_after_a_restart(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").delays.start()
        await machine.waiting("f")
        machine.clock.advance(DAY)
    machine.clock.advance(DAY)
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        machine.clock.advance(DAY - INSTANT)
        await all_is_still()
        assert machine.outside.seen == []
        machine.clock.advance(INSTANT)
        assert await engine.get_flow(DurableWaitingFlow, "f").delays.result() == "hello"


@scenario
async def test_a_delay_that_a_crash_cut_off_ends_when_it_would_have(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").delays.start()
        await machine.waiting("f")
        machine.clock.advance(2 * DAY)
        again = machine.crashed()
    async with again.engine(DurableWaitingFlow(machine.outside)) as engine:
        again.clock.advance(DAY - INSTANT)
        await all_is_still()
        assert machine.outside.seen == []
        again.clock.advance(INSTANT)
        assert await engine.get_flow(DurableWaitingFlow, "f").delays.result() == "hello"


@scenario
async def test_what_became_due_while_no_engine_ran_runs_at_once(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").delays.start()
        await machine.waiting("f")
    machine.clock.advance(30 * DAY)
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableWaitingFlow, "f").delays.result() == "hello"


@scenario
async def test_a_clock_set_back_makes_a_delay_longer(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.delays.start()
        await machine.waiting("f")
        machine.clock.advance(-DAY)
        machine.clock.advance(3 * DAY)
        await all_is_still()
        assert machine.outside.seen == []
        machine.clock.advance(DAY)
        assert await flow.delays.result() == "hello"


@scenario
async def test_the_time_in_a_flow_never_goes_back_live_or_replayed(machine: Machine) -> None:
    machine.outside.shut("a", "b", "c")
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").tells_the_time.start()
        await machine.outside.arrived("a")
        machine.clock.advance(timedelta(seconds=10))
        machine.outside.open("a")
        await machine.outside.arrived("b")
        machine.clock.advance(timedelta(seconds=-60))
        machine.outside.open("b")
        await machine.outside.arrived("c")
    machine.clock.advance(timedelta(seconds=70))
    machine.outside.open("c")
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        times = await engine.get_flow(DurableWaitingFlow, "f").tells_the_time.result()
    assert times == [0, 10, 10, 20]


@scenario
async def test_sleeps_of_a_flow_are_as_durable_as_delays(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").sleeps.start(1000)
        await machine.waiting("f")
        machine.clock.advance(timedelta(seconds=999))
        again = machine.crashed()
    async with again.engine(DurableWaitingFlow(machine.outside)) as engine:
        await all_is_still()
        assert machine.outside.seen == []
        again.clock.advance(timedelta(seconds=1))
        assert await engine.get_flow(DurableWaitingFlow, "f").sleeps.run(1000) == "slept, holding Ballast"


@scenario
async def test_a_flow_of_many_waits_comes_to_its_end(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        result = await machine.through_time(flow.reminds.run(3))
    assert result == "reminder 0, reminder 1, reminder 2"
    assert machine.outside.seen == ["reminder 0", "reminder 1", "reminder 2"]
    assert machine.names("f") == ["answered", "mail", "timer"] * 3


@scenario
async def test_a_waiting_flow_says_when_it_goes_on(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").delays.start()
        await engine.get_flow(DurableWaitingFlow, "g").asks.start()
        await machine.waiting("f", "g")
        asking, delayed = sorted(await engine.flows(status=FlowStatus.WAITING), key=lambda flow: flow.name)
    assert asking.due is None
    assert delayed.due is not None
    assert delayed.due - delayed.started_at == 3 * DAY


@pytest.mark.parametrize("count", [40])
@scenario
async def test_flows_that_are_due_together_all_go_on(machine: Machine, count: int) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside), max_concurrent_recoveries=3) as engine:
        flow_ids = [f"flow-{number}" for number in range(count)]
        for flow_id in flow_ids:
            await engine.get_flow(DurableWaitingFlow, flow_id).delays.start()
        await machine.waiting(*flow_ids)
        machine.clock.advance(3 * DAY)
        await machine.ended(*flow_ids)
        assert len(await engine.flows(status=FlowStatus.COMPLETE)) == count
    assert machine.outside.seen == ["hello"] * count


@pytest.mark.parametrize("seconds", [1e12, 1e18, math.inf])
@scenario
async def test_a_sleep_may_be_longer_than_time_itself(machine: Machine, seconds: float) -> None:
    async def sleep(flow: EditedFlow) -> str:
        await asyncio.sleep(seconds)
        return "never"

    async with machine.engine(DurableEditedFlow(machine.outside, sleep)) as engine:
        flow = engine.get_flow(DurableEditedFlow, "f")
        await flow.order.start()
        await machine.waiting("f")
        machine.clock.advance(timedelta(days=300_000))
        await all_is_still()
        assert await flow.status() is FlowStatus.WAITING
        [summary] = await engine.flows()
        assert summary.due is not None
        [timer] = await flow.history()
        assert timer.due == summary.due


@scenario
async def test_the_longest_timedelta_is_a_time_limit_too(machine: Machine) -> None:
    async def ask(flow: EditedFlow) -> str:
        return await wait_for_signal(flow.approved, timeout=timedelta.max)

    async with machine.engine(DurableEditedFlow(machine.outside, ask)) as engine:
        flow = engine.get_flow(DurableEditedFlow, "f")
        await flow.order.start()
        await machine.waiting("f")
        [call] = await flow.history()
        assert call.due is not None
        assert call.due - call.called_at >= timedelta(days=300_000)
    async with machine.engine(DurableEditedFlow(machine.outside, ask)) as engine:
        flow = engine.get_flow(DurableEditedFlow, "f")
        await flow.approved.send("alice")
        assert await flow.order.result() == "alice"


@scenario
async def test_the_pause_between_attempts_may_be_as_long_as_one_likes(machine: Machine) -> None:
    machine.outside.refuse("a", ConnectionError("down"))
    async with machine.engine(DurableRetriedFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableRetriedFlow, "f")
        await flow.insists_for_ever.start("a")
        await machine.waiting("f")
        [call] = await flow.history()
        assert call.due is not None
        assert call.due - call.called_at >= timedelta(days=300_000)
