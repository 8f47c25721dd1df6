"""The engine as a program sees it: flows on record, their history, ids, names."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from persistasaurus import FlowStatus, Kind, Status, WrongEventLoop

from .flows_logged_durable import DurableLoggedFlow
from .flows_retried_durable import DurableRetriedFlow
from .flows_signals_durable import DurableApprovalFlow
from .flows_waiting_durable import DurableWaitingFlow
from .machine import Machine
from .scenario import scenario


@scenario
async def test_flows_are_listed_oldest_first_by_status_and_up_to_a_limit(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        for number in (2, 0, 1):
            flow_id = f"asking-{number}"
            await engine.get_flow(DurableWaitingFlow, flow_id).asks.start()
            await machine.waiting(flow_id)
            machine.clock.advance(timedelta(seconds=1))
        await engine.get_flow(DurableWaitingFlow, "sleeping").sleeps.run(0)
        everything = [flow.flow_id for flow in await engine.flows()]
        assert everything == ["asking-2", "asking-0", "asking-1", "sleeping"]
        assert [flow.flow_id for flow in await engine.flows(limit=2)] == ["asking-2", "asking-0"]
        [complete] = await engine.flows(status=FlowStatus.COMPLETE)
        assert (complete.flow_id, complete.name) == ("sleeping", "WaitingFlow.sleeps")
        assert (complete.parameters, complete.return_value) == ('{"seconds":0}', '"slept, holding Ballast"')
        assert complete.ended_at == complete.started_at
        assert await engine.flows(status=FlowStatus.FAILED) == []


@scenario
async def test_the_history_shows_each_call_with_its_kind_status_attempts_and_times(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.reminds.start(2)
        await machine.waiting("f")
        machine.clock.advance(timedelta(days=1))
        await machine.waiting("f")
        machine.clock.advance(timedelta(seconds=60))
        await machine.waiting("f")
        calls = await flow.history()
    assert [(call.step, call.kind, call.name, call.status) for call in calls] == [
        (1, Kind.SIGNAL, "WaitingFlow.answered", Status.FAILED),
        (2, Kind.STEP, "WaitingFlow.mail", Status.COMPLETE),
        (3, Kind.TIMER, "", Status.COMPLETE),
        (4, Kind.SIGNAL, "WaitingFlow.answered", Status.WAITING_FOR_SIGNAL),
    ]
    timed_out, mail, nap, waiting = calls
    assert timed_out.delivered_at == timed_out.called_at + timedelta(days=1)
    assert (mail.parameters, mail.return_value, mail.attempts) == ('{"text":"reminder 0"}', '"reminder 0"', 1)
    assert nap.delivered_at == nap.due == nap.called_at + timedelta(seconds=60)
    assert waiting.due == waiting.called_at + timedelta(days=1)
    assert waiting.delivered_at is None
    assert not any(call.archived or call.round for call in calls)


@scenario
async def test_get_flow_without_an_id_makes_a_new_flow_each_time(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        first, second = engine.get_flow(DurableWaitingFlow), engine.get_flow(DurableWaitingFlow)
        assert first.flow_id != second.flow_id
        await first.sleeps.run(0)
        assert [flow.flow_id for flow in await engine.flows()] == [first.flow_id]


@scenario
async def test_a_flow_is_recorded_under_the_name_it_was_given(machine: Machine) -> None:
    async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
        await engine.get_flow(DurableLoggedFlow, "f").logs_in_plain_code.start()
        assert [flow.name for flow in await engine.flows()] == ["plain-flow"]
        await machine.waiting("f")


@scenario
async def test_one_engine_runs_flows_of_several_classes(machine: Machine) -> None:
    flows = DurableWaitingFlow(machine.outside), DurableRetriedFlow(machine.outside)
    async with machine.engine(*flows) as engine:
        assert await engine.get_flow(DurableWaitingFlow, "f").sleeps.run(0) == "slept, holding Ballast"
        assert await engine.get_flow(DurableRetriedFlow, "g").insists.run("a") == "a"
        assert {flow.name for flow in await engine.flows()} == {"WaitingFlow.sleeps", "RetriedFlow.insists"}


@scenario
async def test_a_caller_that_gives_up_does_not_stop_the_flow(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        impatient, patient = asyncio.ensure_future(flow.asks.run()), asyncio.ensure_future(flow.asks.run())
        await machine.waiting("f")
        impatient.cancel()
        with pytest.raises(asyncio.CancelledError):
            await impatient
        await flow.answered.send("yes")
        assert await patient == "question, yes, holding Ballast"
    assert machine.outside.seen == ["question"]


@pytest.mark.parametrize("count", [250])
@scenario
async def test_hundreds_of_flows_are_run_crashed_and_recovered(machine: Machine, count: int) -> None:
    flow_ids = [f"flow-{number}" for number in range(count)]
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        for flow_id in flow_ids:
            await engine.get_flow(DurableWaitingFlow, flow_id).asks.start()
        again = machine.crashed()
    async with again.engine(DurableWaitingFlow(machine.outside)) as engine:
        await again.waiting(*flow_ids)
        for flow_id in flow_ids:
            await engine.get_flow(DurableWaitingFlow, flow_id).answered.send(flow_id)
        await again.ended(*flow_ids)
        complete = await engine.flows(status=FlowStatus.COMPLETE, limit=2 * count)
        assert {flow.return_value for flow in complete} == {
            f'"question, {flow_id}, holding Ballast"' for flow_id in flow_ids
        }


@scenario
async def test_an_engine_on_another_event_loop_refuses_before_anything_is_recorded(machine: Machine) -> None:
    async with machine.engine(DurableApprovalFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableApprovalFlow, "f")

        def elsewhere() -> None:
            asyncio.run(flow.ask.start())

        with pytest.raises(WrongEventLoop, match="run_coroutine_threadsafe"):
            await asyncio.to_thread(elsewhere)
        with pytest.raises(WrongEventLoop):
            await asyncio.to_thread(asyncio.run, engine.close())
        assert await engine.flows() == []
        await flow.ask.start()


@scenario
async def test_flows_and_signals_of_an_instance_that_are_called_say_what_to_write(machine: Machine) -> None:
    async with machine.engine(DurableApprovalFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableApprovalFlow, "f")
        with pytest.raises(TypeError, match=r"flow ask is not called: write `\.ask\.run\(\.\.\.\)`"):
            flow.ask()  # type: ignore[operator]
        with pytest.raises(TypeError, match=r"signal approve is not called: write `\.approve\.send\(\.\.\.\)`"):
            flow.approve("alice")  # type: ignore[operator]
        await flow.ask.start()
        with pytest.raises(TypeError, match=r"result\(timeout=5\): give a timedelta"):
            await flow.ask.result(timeout=5)  # type: ignore[arg-type]
