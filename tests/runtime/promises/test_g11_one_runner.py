"""G11 One runner: many engines share a log, each flow runs in one of them, and what one knows all get to know."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from msgspec.structs import replace

from persistasaurus import FlowParked, FlowStatus, IncompatibleChange
from persistasaurus.failed_flow import FailurePoint, encode_failed_flow
from persistasaurus.records import FlowChanged
from persistasaurus.row_changes import change_of

from .flows_orders_durable import DurableOrderFlow
from .flows_signals_durable import DurableApprovalFlow
from .flows_waiting_durable import DurableWaitingFlow
from .machine import Machine, Outside
from .scenario import all_is_still, scenario

PLACED = "book reserved, book charged, book shipped"
ASKED = "question, yes, holding Ballast"


@scenario
async def test_a_flow_started_in_two_engines_at_once_runs_once_and_both_get_its_result(machine: Machine) -> None:
    async with (
        machine.engine(DurableOrderFlow(machine.outside)) as first,
        machine.beside(DurableOrderFlow(machine.outside)) as second,
    ):
        orders = [engine.get_flow(DurableOrderFlow, "o") for engine in (first, second) for _ in range(3)]
        results = await asyncio.gather(*(order.place.run("book") for order in orders))
    assert results == [PLACED] * 6
    assert sorted(machine.outside.seen) == ["charge", "reserve", "ship"]


@scenario
async def test_the_result_of_a_flow_that_runs_elsewhere_arrives(machine: Machine) -> None:
    machine.outside.shut("charge")
    async with (
        machine.engine(DurableOrderFlow(machine.outside)) as first,
        machine.beside(DurableOrderFlow(Outside())) as second,
    ):
        await first.get_flow(DurableOrderFlow, "o").place.start("book")
        await machine.outside.arrived("charge")
        result = asyncio.ensure_future(second.get_flow(DurableOrderFlow, "o").place.result())
        await all_is_still()
        machine.outside.open("charge")
        assert await result == PLACED


@scenario
async def test_the_error_of_a_flow_that_runs_elsewhere_arrives_and_it_is_reopened_there_or_here(
    machine: Machine,
) -> None:
    machine.outside.refuse("charge", ValueError("no money"))
    async with (
        machine.engine(DurableOrderFlow(machine.outside)) as first,
        machine.beside(DurableOrderFlow(machine.outside)) as second,
    ):
        with pytest.raises(ValueError, match="no money"):
            await first.get_flow(DurableOrderFlow, "o").place.run("book")
        with pytest.raises(ValueError, match="no money"):
            await second.get_flow(DurableOrderFlow, "o").place.result()
        assert await second.get_flow(DurableOrderFlow, "o").place.run("book") == PLACED
        assert await first.get_flow(DurableOrderFlow, "o").place.result() == PLACED
    assert machine.outside.seen == ["reserve", "charge", "charge", "ship"]


@pytest.mark.parametrize("waits_in_memory", [True, False])
@scenario
async def test_a_signal_sent_through_one_engine_wakes_a_flow_of_another(
    machine: Machine, waits_in_memory: bool
) -> None:
    async with (
        machine.engine(DurableWaitingFlow(machine.outside)) as first,
        machine.beside(DurableWaitingFlow(Outside())) as second,
    ):
        await first.get_flow(DurableWaitingFlow, "f").asks.start()
        await machine.waiting("f")
        if not waits_in_memory:
            machine.clock.advance(timedelta(seconds=2))
            await all_is_still()
        result = asyncio.ensure_future(second.get_flow(DurableWaitingFlow, "f").asks.result())
        await second.get_flow(DurableWaitingFlow, "f").answered.send("yes")
        assert await result == ASKED
    assert machine.outside.seen == ["question"]


@scenario
async def test_a_signal_sent_through_another_engine_while_a_body_runs_is_heard_of(machine: Machine) -> None:
    machine.outside.shut("work")
    async with (
        machine.engine(DurableWaitingFlow(machine.outside)) as first,
        machine.beside(DurableWaitingFlow(Outside())) as second,
    ):
        flow = first.get_flow(DurableWaitingFlow, "f")
        await flow.asks_and_works.start()
        await machine.outside.arrived("work")
        await second.get_flow(DurableWaitingFlow, "f").answered.send("yes")
        while not any(row.method_name == "answered" and row.attempts for row in machine.calls("f")):
            await machine.log.changed.wait()
            machine.log.changed.clear()
        machine.outside.open("work")
        assert await flow.asks_and_works.result() == "work, yes, holding Ballast"


@scenario
async def test_a_flow_goes_on_in_another_engine_when_its_own_closes(machine: Machine) -> None:
    machine.outside.shut("charge")
    elsewhere = Outside()
    async with machine.engine(DurableOrderFlow(machine.outside)) as first:
        await first.get_flow(DurableOrderFlow, "o").place.start("book")
        await machine.outside.arrived("charge")
        second = machine.beside(DurableOrderFlow(elsewhere))
        await second.open()
        result = asyncio.ensure_future(second.get_flow(DurableOrderFlow, "o").place.result())
        await all_is_still()
        assert elsewhere.seen == []
    assert await result == PLACED
    assert elsewhere.seen == ["charge", "ship"]
    await second.close()


@scenario
async def test_a_due_flow_whose_engine_is_gone_goes_on_in_another(machine: Machine) -> None:
    elsewhere = Outside()
    async with machine.beside(DurableWaitingFlow(elsewhere)) as second:
        async with machine.engine(DurableWaitingFlow(machine.outside)) as first:
            await first.get_flow(DurableWaitingFlow, "f").delays.start()
            await machine.waiting("f")
        await second.flows()
        result = asyncio.ensure_future(second.get_flow(DurableWaitingFlow, "f").delays.result())
        await machine.clock.until_alarm(timedelta(days=2))
        machine.clock.advance(timedelta(days=3))
        assert await result == "hello"
    assert (machine.outside.seen, elsewhere.seen) == ([], ["hello"])


@scenario
async def test_a_due_flow_goes_on_where_it_was_if_that_engine_lives(machine: Machine) -> None:
    elsewhere = Outside()
    async with (
        machine.engine(DurableWaitingFlow(machine.outside)) as first,
        machine.beside(DurableWaitingFlow(elsewhere)),
    ):
        flow = first.get_flow(DurableWaitingFlow, "f")
        await flow.delays.start()
        await machine.waiting("f")
        await machine.clock.until_alarm(timedelta(days=2))
        machine.clock.advance(timedelta(days=3))
        assert await flow.delays.result() == "hello"
    assert elsewhere.seen == []


@scenario
async def test_no_more_flows_are_in_memory_than_the_engine_may_have(machine: Machine) -> None:
    machine.outside.shut("reserve")
    async with machine.engine(DurableOrderFlow(machine.outside), max_concurrency=2) as engine:
        flows = [engine.get_flow(DurableOrderFlow, f"o{number}").place for number in range(6)]
        results = asyncio.gather(*(each.run("book") for each in flows))
        await machine.outside.arrived("reserve", times=2)
        await all_is_still()
        assert machine.outside.seen == ["reserve", "reserve"]
        assert len(await engine.flows(status=FlowStatus.RUNNING)) == 6
        machine.outside.open("reserve")
        assert await results == [PLACED] * 6
    assert machine.outside.seen.count("ship") == 6


@scenario
async def test_a_flow_that_waits_gives_its_place_to_one_that_can_go_on(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside), max_concurrency=1) as engine:
        waiting = [engine.get_flow(DurableWaitingFlow, f"f{number}") for number in range(3)]
        for flow in waiting:
            await flow.asks.start()
        await machine.waiting("f0", "f1", "f2")
        results = asyncio.gather(*(flow.asks.result() for flow in waiting))
        for flow in waiting:
            await flow.answered.send("yes")
        assert await results == [ASKED] * 3


@scenario
async def test_what_one_engine_has_no_room_for_another_runs(machine: Machine) -> None:
    elsewhere = Outside()
    machine.outside.shut("reserve")
    async with (
        machine.engine(DurableOrderFlow(machine.outside), max_concurrency=1) as first,
        machine.beside(DurableOrderFlow(elsewhere)),
    ):
        await first.get_flow(DurableOrderFlow, "o0").place.start("book")
        await machine.outside.arrived("reserve")
        assert await first.get_flow(DurableOrderFlow, "o1").place.run("book") == PLACED
        machine.outside.open("reserve")
        assert await first.get_flow(DurableOrderFlow, "o0").place.result() == PLACED
    assert elsewhere.seen == ["reserve", "charge", "ship"]


@scenario
async def test_flows_of_classes_an_engine_does_not_have_are_left_to_those_that_have_them(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as waits:
        await waits.get_flow(DurableWaitingFlow, "f").asks.start()
        await machine.waiting("f")
        async with machine.beside(DurableOrderFlow(machine.outside)) as orders:
            assert await orders.get_flow(DurableOrderFlow, "o").place.run("book") == PLACED
            await waits.get_flow(DurableWaitingFlow, "f").answered.send("yes")
            assert await waits.get_flow(DurableWaitingFlow, "f").asks.result() == ASKED


@scenario
async def test_a_flow_parked_elsewhere_is_said_to_be_parked(machine: Machine) -> None:
    async with (
        machine.engine(DurableOrderFlow(machine.outside), max_recoveries=1) as first,
        machine.beside(DurableOrderFlow(machine.outside)) as second,
    ):
        machine.outside.shut("charge")
        await first.get_flow(DurableOrderFlow, "o").place.start("book")
        await machine.outside.arrived("charge")
        result = asyncio.ensure_future(second.get_flow(DurableOrderFlow, "o").place.result())
        await all_is_still()
        machine.log.put(_parked(machine, "o"))
        with pytest.raises(FlowParked, match="o"):
            await result


@scenario
async def test_a_flow_parked_elsewhere_by_older_code_is_tried_by_who_waits_for_it(machine: Machine) -> None:
    machine.outside.shut("charge")
    elsewhere = Outside()
    async with (
        machine.engine(DurableOrderFlow(machine.outside)) as first,
        machine.beside(DurableOrderFlow(elsewhere)) as second,
    ):
        await first.get_flow(DurableOrderFlow, "o").place.start("book")
        await machine.outside.arrived("charge")
        result = asyncio.ensure_future(second.get_flow(DurableOrderFlow, "o").place.result())
        await all_is_still()
        machine.log.put(_parked(machine, "o", digest="that of the older code"))
        assert await result == PLACED
        machine.outside.open("charge")
        assert await first.get_flow(DurableOrderFlow, "o").place.result() == PLACED
    assert elsewhere.seen == ["charge", "ship"]


@scenario
async def test_a_signal_that_comes_before_its_flow_has_begun_is_not_lost(machine: Machine) -> None:
    async with (
        machine.engine(DurableWaitingFlow(machine.outside)) as first,
        machine.beside(DurableWaitingFlow(Outside())) as second,
    ):
        machine.log.keep_silent()
        flow = first.get_flow(DurableWaitingFlow, "f")
        started = asyncio.ensure_future(flow.asks.start())
        while machine.log.flow("f") is None:
            machine.log.changed.clear()
            await machine.log.changed.wait()
        await second.get_flow(DurableWaitingFlow, "f").answered.send("yes")
        machine.log.hear()
        await all_is_still()
        machine.log.tell_all()
        await started
        assert await flow.asks.result() == ASKED


@scenario
async def test_a_signal_that_was_read_elsewhere_is_not_read_again_when_it_is_heard_of(machine: Machine) -> None:
    machine.log.hears = False
    elsewhere = Outside()
    elsewhere.shut("approve 1")
    async with machine.engine(DurableApprovalFlow(machine.outside)) as first:
        async with machine.beside(DurableApprovalFlow(elsewhere)) as second:
            flow = second.get_flow(DurableApprovalFlow, "f")
            await flow.ask_twice.start()
            await flow.approve.send("1")
            await elsewhere.arrived("approve 1")
        here = first.get_flow(DurableApprovalFlow, "f")
        result = asyncio.ensure_future(here.ask_twice.result())
        await machine.outside.arrived("approve 1")
        await machine.waiting("f")
        machine.log.hear()
        await all_is_still()
        assert machine.outside.seen == ["approve 1"]
        await here.approve.send("2")
        assert "2" in str(await result)


@scenario
async def test_a_claim_that_was_lost_to_another_leaves_no_trace_and_its_result_arrives(machine: Machine) -> None:
    machine.log.hears = False
    elsewhere = Outside()
    async with (
        machine.engine(DurableWaitingFlow(machine.outside), waiting_grace=timedelta(days=30)) as first,
        machine.beside(DurableWaitingFlow(elsewhere)) as second,
    ):
        flow = first.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        await machine.waiting("f")
        result = asyncio.ensure_future(flow.asks.result())
        other = second.get_flow(DurableWaitingFlow, "f")
        await other.answered.send("yes")
        machine.clock.advance(timedelta(seconds=1))  # more than a head start: the second engine takes it
        assert await other.asks.result() == ASKED
        machine.log.hear()
        assert await result == ASKED
    assert machine.outside.seen == ["question"]


def _parked(machine: Machine, flow_id: str, digest: str | None = None) -> FlowChanged:
    """How the engine that runs a flow parks it when its code makes other calls."""
    reason = encode_failed_flow(_FAILURES, IncompatibleChange("other code"), FailurePoint())
    flow = replace(machine.flow(flow_id), status=FlowStatus.PARKED, return_value=reason, digest=digest)
    return change_of(flow)


_FAILURES = DurableOrderFlow.__persistasaurus__.failures
