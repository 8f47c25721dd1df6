"""G10: at start every interrupted flow goes on, a bounded number at a time, and none for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from persistasaurus import FlowNotRegistered, FlowParked, FlowStatus, LogUnavailable, RecoveryLimit

from .flows_asyncio_durable import DurableAsyncioFlow
from .flows_nested_durable import DurableNestedFlow
from .flows_waiting_durable import DurableWaitingFlow
from .machine import Machine
from .scenario import all_is_still, scenario


async def interrupt(machine: Machine, *names: str) -> None:
    """Leave a flow behind for each name, cut off in a step of that name; the flow's id is the name, too."""
    machine.outside.shut(*names)
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        for name in names:
            await engine.get_flow(DurableAsyncioFlow, name).gathers.start([name])
            await machine.outside.arrived(name)
            machine.clock.advance(timedelta(seconds=1))  # recovery goes by age


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
    await interrupt(machine, "a", "b", "c")
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
    await interrupt(machine, "a")
    machine.clock.advance(-timedelta(hours=1))
    machine.outside.open("a")
    async with machine.engine(DurableAsyncioFlow(machine.outside)):
        await machine.ended("a")
        assert machine.flow("a").status is FlowStatus.COMPLETE


@scenario
async def test_opening_an_engine_waits_for_no_recovery(machine: Machine) -> None:
    await interrupt(machine, "a", "b", "c")
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_concurrent_recoveries=1) as engine:
        assert machine.outside.seen == ["a", "b", "c"]  # what ran before; nothing of it again so far
        await machine.outside.arrived("a", times=2)  # the one that is recovered holds up the recovery ...
        result = await engine.get_flow(DurableAsyncioFlow, "new").gathers.run(["x"])  # ... and nobody else
        assert result == "['X']"
        machine.outside.open("a", "b", "c")
        await machine.ended("a", "b", "c")


@scenario
async def test_a_bounded_number_of_flows_is_recovered_at_a_time(machine: Machine) -> None:
    names = [f"body-{number}" for number in range(7)]
    await interrupt(machine, *names)
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_concurrent_recoveries=3) as engine:
        for done, name in enumerate(names):
            for admitted in names[done : done + 3]:
                await machine.outside.arrived(admitted, times=2)
            await all_is_still()
            begun = [each for each in machine.outside.seen[len(names) :] if each != "finish"]
            assert begun == names[: done + 3]
            machine.outside.open(name)
            await machine.ended(name)
        assert len(await engine.flows(status=FlowStatus.COMPLETE)) == len(names)


@scenario
async def test_a_log_that_cannot_be_read_for_a_while_strands_no_flow(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    await interrupt(machine, "a", "b")
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "due").delays.start()
        await machine.waiting("due")
    machine.clock.advance(timedelta(days=4))
    machine.outside.open("a", "b")
    machine.log.unreadable = LogUnavailable("disk I/O error")
    async with machine.engine(DurableAsyncioFlow(machine.outside), DurableWaitingFlow(machine.outside)):
        for _ in range(5):
            await all_is_still()
            machine.clock.advance(timedelta(seconds=1))
        assert "the log cannot be read: disk I/O error" in caplog.text
        machine.log.unreadable = None
        machine.clock.advance(timedelta(seconds=1))
        await machine.ended("a", "b", "due")
    assert machine.outside.seen.count("a") == machine.outside.seen.count("b") == 2
    assert machine.outside.seen.count("hello") == 1


# -- bodies that wait for other flows ----------------------------------------


@scenario
async def test_a_flow_is_recovered_though_what_waits_for_it_was_first(machine: Machine) -> None:
    nested, asyncio_flow = DurableNestedFlow(), DurableAsyncioFlow(machine.outside)
    machine.outside.shut("inner")
    async with machine.engine(nested, asyncio_flow) as nested.async_engine:
        await nested.async_engine.get_flow(DurableNestedFlow, "outer").has_another_flow_gather.start("inner")
        await machine.outside.arrived("inner")
    machine.outside.open("inner")
    async with machine.engine(nested, asyncio_flow, max_concurrent_recoveries=1) as nested.async_engine:
        await machine.ended("outer")
        assert machine.flow("outer").return_value == "\"['INNER']\""


@scenario
async def test_a_body_does_not_keep_out_the_due_flow_it_waits_for(machine: Machine) -> None:
    nested, waiting_flow = DurableNestedFlow(), DurableWaitingFlow(machine.outside)
    async with machine.engine(nested, waiting_flow) as nested.async_engine:
        await nested.async_engine.get_flow(DurableNestedFlow, "outer").has_another_flow_delay.start("inner")
        await machine.waiting("inner")
    machine.clock.advance(timedelta(days=4))
    async with machine.engine(nested, waiting_flow, max_concurrent_recoveries=1) as nested.async_engine:
        await machine.until(lambda: machine.flow("outer").recoveries == 1)
        await all_is_still()
        machine.clock.advance(timedelta(seconds=6))
        await machine.ended("outer")
        assert machine.flow("outer").return_value == '"hello"'


# -- flows that take their process with them ----------------------------------------


async def recover_and_crash(machine: Machine, times: int) -> Machine:
    """Have the flow recovered so many times, and crash each time in its first step."""
    for _ in range(times):
        visits = machine.outside.seen.count("a")
        async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=3):
            await machine.outside.arrived("a", times=visits + 1)
            machine = machine.crashed()
    return machine


@scenario
async def test_a_flow_that_kills_its_process_again_and_again_is_parked(machine: Machine) -> None:
    await interrupt(machine, "a")
    machine = await recover_and_crash(machine, 3)
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=3) as engine:
        await machine.ended("a")
        assert machine.flow("a").status is FlowStatus.PARKED
        with pytest.raises(FlowParked, match="recovered 3 times") as caught:
            await engine.get_flow(DurableAsyncioFlow, "a").gathers.run(["a"])
        assert isinstance(caught.value.reason, RecoveryLimit)
    assert machine.outside.seen == ["a"] * (1 + 3)


@scenario
async def test_a_flow_parked_for_its_crashes_is_not_tried_again_by_itself_but_with_resume(machine: Machine) -> None:
    await interrupt(machine, "a")
    machine = await recover_and_crash(machine, 3)
    for _ in range(3):
        async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=3):
            await machine.ended("a")
            await all_is_still()
    assert machine.outside.seen == ["a"] * 4
    machine.outside.open("a")
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=3) as engine:
        flow = engine.get_flow(DurableAsyncioFlow, "a")
        await flow.resume()
        assert await flow.gathers.result() == "['A']"


@scenario
async def test_the_count_of_recoveries_is_on_record_before_the_body_runs(machine: Machine) -> None:
    await interrupt(machine, "a")
    async with machine.engine(DurableAsyncioFlow(machine.outside)):
        await machine.outside.arrived("a", times=2)
        assert machine.flow("a").recoveries == 1
        assert [row.attempts for row in machine.calls("a")] == [2]


@scenario
async def test_a_flow_that_makes_a_record_between_crashes_is_not_parked(machine: Machine) -> None:
    machine.outside.shut_all()
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        await engine.get_flow(DurableAsyncioFlow, "f").gathers_pairs.start(["a", "b", "c"])
        await machine.outside.arrived("c1")
    for name in ("a1", "a2", "b1", "b2", "c1", "c2"):
        async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=2):
            visits = machine.outside.seen.count(name)
            await machine.outside.arrived(name, times=visits + (visits > 0))
            ending = [row.step for row in machine.calls("f") if f'"{name}"' in row.parameters]
            machine.outside.open(name)
            await machine.until(lambda: any(row.delivery for row in machine.calls("f") if row.step in ending))  # noqa: B023
    machine.outside.open_all()
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=2) as engine:
        result = await engine.get_flow(DurableAsyncioFlow, "f").gathers_pairs.result()
    assert result == "['A1A2', 'B1B2', 'C1C2']"


@scenario
async def test_waiting_through_many_restarts_is_no_reason_to_be_parked(machine: Machine) -> None:
    for _ in range(10):
        async with machine.engine(DurableWaitingFlow(machine.outside), max_recoveries=1) as engine:
            flow = engine.get_flow(DurableWaitingFlow, "f")
            await flow.asks.start()
            await machine.waiting("f")
    async with machine.engine(DurableWaitingFlow(machine.outside), max_recoveries=1) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.answered.send("yes")
        assert await flow.asks.result() == "question, yes, holding Ballast"


@scenario
async def test_other_flows_are_recovered_though_one_is_poison(machine: Machine) -> None:
    await interrupt(machine, "a", "b")
    machine = await recover_and_crash(machine, 2)
    machine.outside.open("b")
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=3):
        await machine.ended("b")
        machine = machine.crashed()
    async with machine.engine(DurableAsyncioFlow(machine.outside), max_recoveries=3):
        await machine.ended("a")
    assert machine.flow("a").status is FlowStatus.PARKED
    assert machine.flow("b").status is FlowStatus.COMPLETE


# -- flows nobody is registered for ----------------------------------------


@scenario
async def test_a_flow_whose_class_is_not_registered_is_left_alone_with_one_warning(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    await interrupt(machine, "a", "b")
    before = machine.record("a")
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await all_is_still()
        assert await engine.get_flow(DurableWaitingFlow, "other").sleeps.run(0) == "slept, holding Ballast"
        with pytest.raises(FlowNotRegistered, match="was not given one"):
            engine.get_flow(DurableAsyncioFlow, "a")
        assert [flow.flow_id for flow in await engine.flows(status=FlowStatus.RUNNING)] == ["a", "b"]
    assert machine.record("a") == before
    warnings = [record.getMessage() for record in caplog.records if "left alone" in record.getMessage()]
    assert len(warnings) == 1
    assert "AsyncioFlow.gathers" in warnings[0]
    machine.outside.open("a", "b")
    async with machine.engine(DurableAsyncioFlow(machine.outside)):
        await machine.ended("a", "b")
        assert machine.flow("a").status is FlowStatus.COMPLETE


@scenario
async def test_a_due_flow_whose_class_is_not_registered_stays_due(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").delays.start()
        await machine.waiting("f")
    machine.clock.advance(timedelta(days=3))
    before = machine.record("f")
    async with machine.engine(DurableAsyncioFlow(machine.outside)):
        await all_is_still()
    assert machine.record("f") == before
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableWaitingFlow, "f").delays.result() == "hello"
