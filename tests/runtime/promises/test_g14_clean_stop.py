"""G14: a closing engine lets bodies end, records what they did, lets no flow go on, and waits for nothing else."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from persistasaurus import Engine, EngineClosed, FlowStatus
from persistasaurus.records import Status
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_asyncio_durable import DurableAsyncioFlow
from .flows_orders_durable import DurableOrderFlow, DurableRocketFlow
from .flows_plain_durable import DurablePlainFlow
from .flows_retried_durable import DurableRetriedFlow
from .flows_waiting_durable import DurableWaitingFlow
from .machine import Machine, Outside
from .scenario import all_is_still, scenario

HOUR = timedelta(hours=1)


@scenario
async def test_running_bodies_end_within_the_grace_and_what_they_did_is_recorded(machine: Machine) -> None:
    machine.outside.shut("a")
    engine = machine.engine(DurableAsyncioFlow(machine.outside), closing_grace=HOUR)
    async with engine:
        await engine.get_flow(DurableAsyncioFlow, "f").gathers.start(["a"])
        await machine.outside.arrived("a")
        closing = asyncio.ensure_future(engine.close())
        await all_is_still()
        assert not closing.done()
        machine.outside.open("a")
        await closing
    assert machine.statuses("f") == [Status.COMPLETE]
    assert machine.names("f") == ["fetch"], "the flow went on"
    assert machine.flow("f").status is FlowStatus.RUNNING
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableAsyncioFlow, "f").gathers.result() == "['A']"
    assert machine.outside.seen == ["a", "finish"]


@scenario
async def test_plain_bodies_get_the_grace_as_well(machine: Machine) -> None:
    machine.outside.shut("a")
    engine = machine.engine(DurablePlainFlow(machine.outside), closing_grace=HOUR)
    async with engine:
        await engine.get_flow(DurablePlainFlow, "f").one_after_the_other.start(["a", "b"])
        await machine.outside.arrived("a")
        closing = asyncio.ensure_future(engine.close())
        await all_is_still()
        machine.outside.open("a")
        await closing
    assert machine.statuses("f") == [Status.COMPLETE]
    async with machine.engine(DurablePlainFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurablePlainFlow, "f").one_after_the_other.result() == "['A', 'B']"
    assert machine.outside.seen == ["a", "b", "finish"]


@scenario
async def test_a_body_that_outlasts_the_grace_is_cancelled_and_runs_again_later(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    machine.outside.shut("a")
    async with machine.engine(DurableAsyncioFlow(machine.outside), closing_grace=timedelta(0)) as engine:
        await engine.get_flow(DurableAsyncioFlow, "f").gathers.start(["a"])
        await machine.outside.arrived("a")
    assert machine.statuses("f") == [Status.PENDING]
    assert "1 step bodies had not ended 0.0 s after the engine was told to close" in caplog.text
    machine.outside.open("a")
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableAsyncioFlow, "f").gathers.result() == "['A']"
    assert machine.calls("f")[0].attempts == 2


@scenario
async def test_what_a_plain_body_does_after_the_engine_closed_changes_nothing(machine: Machine) -> None:
    machine.outside.shut("a")
    async with machine.engine(DurablePlainFlow(machine.outside), closing_grace=timedelta(0)) as engine:
        await engine.get_flow(DurablePlainFlow, "f").one_after_the_other.start(["a"])
        await machine.outside.arrived("a")
    record = machine.record("f")
    machine.outside.open("a")
    await all_is_still()
    assert machine.record("f") == record
    assert machine.statuses("f") == [Status.PENDING]


@scenario
async def test_a_step_that_may_run_once_and_had_not_begun_when_the_engine_closed_runs_later(machine: Machine) -> None:
    async with machine.engine(DurableRocketFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableRocketFlow, "f")
        await flow.just_launch.start()  # its first step waits for its record to be durable
    assert machine.outside.seen == []
    async with machine.engine(DurableRocketFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableRocketFlow, "f").just_launch.result() == "launched"
    assert machine.outside.seen == ["launch"]
    assert [row.attempts for row in machine.calls("f")] == [1]


@scenario
async def test_closing_waits_for_no_delay_and_no_signal(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside), closing_grace=HOUR) as engine:
        await engine.get_flow(DurableWaitingFlow, "delayed").delays.start()
        await engine.get_flow(DurableWaitingFlow, "asking").asks.start()
        await engine.get_flow(DurableWaitingFlow, "sleeping").sleeps.start(1000)
        await machine.waiting("delayed", "asking", "sleeping")
    # Here already: no hour and no three days have passed, on any clock.
    for flow_id in ("delayed", "asking", "sleeping"):
        assert machine.flow(flow_id).status is FlowStatus.WAITING


@scenario
async def test_a_failure_while_closing_is_recorded_and_its_next_attempt_left_to_the_next_engine(
    machine: Machine,
) -> None:
    machine.outside.shut("a")
    machine.outside.refuse("a", ConnectionError("down"))
    engine = machine.engine(DurableRetriedFlow(machine.outside), closing_grace=HOUR)
    async with engine:
        await engine.get_flow(DurableRetriedFlow, "f").insists.start("a")
        await machine.outside.arrived("a")
        closing = asyncio.ensure_future(engine.close())
        await all_is_still()
        machine.outside.open("a")
        await closing
    [call] = machine.calls("f")
    assert (call.status, call.attempts, call.failures) == (Status.PENDING, 1, 1)
    assert call.due == machine.clock.now() + 10_000_000
    async with machine.engine(DurableRetriedFlow(machine.outside)) as engine:
        await all_is_still()
        assert machine.outside.seen == ["a"]
        assert await machine.through_time(engine.get_flow(DurableRetriedFlow, "f").insists.result()) == "a"
    assert machine.outside.seen == ["a", "a"]


@scenario
async def test_callers_that_wait_are_told_that_the_engine_was_closed(machine: Machine) -> None:
    engine = machine.engine(DurableWaitingFlow(machine.outside))
    async with engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        running = asyncio.ensure_future(flow.asks.run())
        await machine.waiting("f")
        joined = asyncio.ensure_future(flow.asks.result())
        await all_is_still()
    for caller in (running, joined):
        with pytest.raises(EngineClosed, match="goes on when an engine opens its log again"):
            await caller


@scenario
async def test_a_closed_engine_takes_no_more_work(machine: Machine) -> None:
    engine = machine.engine(DurableWaitingFlow(machine.outside))
    async with engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
    with pytest.raises(EngineClosed):
        await flow.asks.run()
    with pytest.raises(EngineClosed):
        await flow.asks.start()
    with pytest.raises(EngineClosed):
        await flow.asks.result()
    with pytest.raises(EngineClosed):
        await flow.answered.send("yes")
    with pytest.raises(EngineClosed):
        await flow.status()
    with pytest.raises(EngineClosed):
        await flow.history()
    with pytest.raises(EngineClosed):
        await flow.resume()
    with pytest.raises(EngineClosed):
        await engine.flows()
    with pytest.raises(EngineClosed, match="make a new one"):
        await engine.open()


@scenario
async def test_work_that_comes_while_the_engine_closes_is_refused(machine: Machine) -> None:
    machine.outside.shut("a")
    engine = machine.engine(DurableAsyncioFlow(machine.outside), closing_grace=HOUR)
    async with engine:
        await engine.get_flow(DurableAsyncioFlow, "f").gathers.start(["a"])
        await machine.outside.arrived("a")
        closing = asyncio.ensure_future(engine.close())
        await all_is_still()
        with pytest.raises(EngineClosed):
            await engine.get_flow(DurableAsyncioFlow, "g").gathers.start(["b"])
        machine.outside.open("a")
        await closing


@scenario
async def test_closing_twice_is_closing_once(machine: Machine) -> None:
    engine = machine.engine(DurableWaitingFlow(machine.outside))
    async with engine:
        await engine.close()
        await engine.close()
    async with machine.engine(DurableWaitingFlow(machine.outside)):
        pass


def test_an_engine_that_was_never_opened_says_so(machine: Machine) -> None:
    with pytest.raises(EngineClosed, match="write `async with Engine"):
        machine.engine(DurableWaitingFlow(machine.outside)).get_flow(DurableWaitingFlow, "f")


@scenario
async def test_a_cancelled_program_closes_its_engine_and_loses_nothing(machine: Machine) -> None:
    machine.outside.shut("b")

    async def program() -> None:
        async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
            await engine.get_flow(DurableAsyncioFlow, "f").gathers.run(["a", "b"])

    running = asyncio.ensure_future(program())
    await machine.outside.arrived("b")
    await machine.until(lambda: Status.COMPLETE in machine.statuses("f"))
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    machine.outside.open("b")
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableAsyncioFlow, "f").gathers.result() == "['A', 'B']"
    assert machine.outside.seen == ["a", "b", "b", "finish"]


@scenario
async def test_an_impatient_program_may_cancel_the_wait_for_bodies_and_the_log_is_let_go(machine: Machine) -> None:
    machine.outside.shut("a")
    engine = machine.engine(DurableAsyncioFlow(machine.outside), closing_grace=HOUR)
    await engine.open()
    await engine.get_flow(DurableAsyncioFlow, "f").gathers.start(["a"])
    await machine.outside.arrived("a")
    closing = asyncio.ensure_future(engine.close())
    await all_is_still()
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    machine.outside.open("a")
    async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
        assert await engine.get_flow(DurableAsyncioFlow, "f").gathers.result() == "['A']"
    assert machine.outside.seen == ["a", "a", "finish"]


@scenario
async def test_an_error_in_the_program_closes_its_engine_and_comes_through(machine: Machine) -> None:
    async def program() -> None:
        async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
            await engine.get_flow(DurableWaitingFlow, "f").asks.start()
            raise LookupError("of the program")

    with pytest.raises(LookupError, match="of the program"):
        await program()
    async with machine.engine(DurableWaitingFlow(machine.outside)):
        await machine.waiting("f")


@scenario
async def test_a_row_refused_while_the_engine_closes_keeps_no_outcome_of_another_flow_back() -> None:
    log = InMemoryLog(auto_commit=False)
    outside = Outside()
    outside.shut("reserve")
    async with Engine(log, flows=[DurableOrderFlow(outside)], clock=ManualClock()) as engine:
        started = [
            asyncio.ensure_future(engine.get_flow(DurableOrderFlow, name).place.start("book"))
            for name in ("bad", "good")
        ]
        await all_is_still()
        log.commit()
        await asyncio.gather(*started)
        log.commit()
        await outside.arrived("reserve", times=2)
        late = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "later").place.start("book"))
        await all_is_still()
        log.refuse("bad", 1)
        outside.open("reserve")
    await late
    assert log.flow("later") is not None
