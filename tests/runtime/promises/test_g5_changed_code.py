"""G5: replay compares what the code does with what the log holds, and parks the flow before anything is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from persistasaurus import FlowParked, FlowStatus, IncompatibleChange, wait_for_signal
from persistasaurus.engine import registered_flows
from persistasaurus.offline import Recorded, rehearse
from persistasaurus.records import FlowRow

from .flows_changes import EditedFlow, Sold
from .flows_changes_durable import DurableEditedFlow
from .machine import Machine, play
from .scenario import scenario

Body = Callable[[EditedFlow], Coroutine[Any, Any, str]]


async def reserve_then_charge(flow: EditedFlow) -> str:
    """What most of these tests change."""
    item = await flow.reserve("dinosaur", 2)
    amount = await flow.charge({"price": 10, "shipping": 3})
    return f"{item} for {amount}, {await flow.pause()}"


async def live_until_paused(machine: Machine, body: Body) -> None:
    """Run a flow until it stands in its step `pause`, and stop the engine there."""
    machine.outside.shut("pause")
    async with machine.engine(DurableEditedFlow(machine.outside, body)) as engine:
        await engine.get_flow(DurableEditedFlow, "f").order.start()
        await machine.outside.arrived("pause")
    machine.outside.open("pause")


def untouched(flow: FlowRow) -> FlowRow:
    """A flow's row without what bringing it back and parking it may change."""
    return msgspec.structs.replace(flow, status=FlowStatus.RUNNING, return_value=None, digest=None, due=None, claims=0)


def parked(machine: Machine, before: Body, after: Body) -> str:
    """Run a flow until it pauses, edit it, and run it again: it must be parked, its log untouched; gives the reason."""

    async def edit() -> str:
        await live_until_paused(machine, before)
        flow, calls = machine.record("f")
        seen = list(machine.outside.seen)
        problem = rehearsed(machine, after)
        async with machine.engine(DurableEditedFlow(machine.outside, after)) as engine:
            edited = engine.get_flow(DurableEditedFlow, "f")
            with pytest.raises(FlowParked) as caught:
                await edited.order.run()
            assert await edited.status() is FlowStatus.PARKED
        assert machine.outside.seen == seen, "a step ran though the code does not fit the log"
        flow_now, calls_now = machine.record("f")
        assert calls_now == calls
        assert untouched(flow_now) == untouched(flow)
        assert isinstance(caught.value.reason, IncompatibleChange)
        assert str(caught.value.reason) in str(caught.value)
        assert str(problem) == str(caught.value.reason), "a rehearsal says something else"
        return str(caught.value.reason)

    return play(edit())


def rehearsed(machine: Machine, after: Body) -> Exception | None:
    """What a replay in memory says of the edited flow; no body may run for it, and nothing be recorded."""
    flow, calls = machine.record("f")
    seen = list(machine.outside.seen)
    proxies = registered_flows([DurableEditedFlow(machine.outside, after)])
    problem = rehearse(Recorded(flow, tuple(calls), ()), proxies, seed=bytes(16))  # these bodies draw nothing
    assert machine.outside.seen == seen, "a step ran though it was only a rehearsal"
    assert machine.record("f") == (flow, calls)
    return problem


def goes_on(machine: Machine, before: Body, after: Body) -> str:
    """Run a flow until it pauses, edit it, and run it to its end; gives its result."""

    async def edit() -> str:
        await live_until_paused(machine, before)
        assert rehearsed(machine, after) is None
        async with machine.engine(DurableEditedFlow(machine.outside, after)) as engine:
            return await engine.get_flow(DurableEditedFlow, "f").order.run()

    return play(edit())


# -- what parks ----------------------------------------


def test_a_renamed_step(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        item = await flow.book("dinosaur", 2)
        return f"{item} for {await flow.charge({'price': 10, 'shipping': 3})}, {await flow.pause()}"

    reason = parked(machine, reserve_then_charge, after)
    assert "the log holds EditedFlow.reserve as step 1, the code now asks for EditedFlow.book" in reason


def test_two_steps_in_another_order(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        amount = await flow.charge({"price": 10, "shipping": 3})
        return f"{await flow.reserve('dinosaur', 2)} for {amount}, {await flow.pause()}"

    reason = parked(machine, reserve_then_charge, after)
    assert "the log holds EditedFlow.reserve as step 1, the code now asks for EditedFlow.charge" in reason


def test_a_step_added_before_the_current_point(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        await flow.wave()
        return await reserve_then_charge(flow)

    reason = parked(machine, reserve_then_charge, after)
    assert "the log holds EditedFlow.reserve as step 1, the code now asks for EditedFlow.wave" in reason


def test_a_removed_step(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        return f"{await flow.charge({'price': 10, 'shipping': 3})}, {await flow.pause()}"

    reason = parked(machine, reserve_then_charge, after)
    assert "the log holds EditedFlow.reserve as step 1, the code now asks for EditedFlow.charge" in reason


def test_a_removed_step_that_was_the_current_one(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        return f"{await flow.reserve('dinosaur', 2)} for {await flow.charge({'price': 10, 'shipping': 3})}"

    reason = parked(machine, reserve_then_charge, after)
    assert "the log holds a call of EditedFlow.pause as step 3, which the code does not make any more" in reason


def test_an_end_that_comes_too_early(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        return await flow.reserve("dinosaur", 2)

    reason = parked(machine, reserve_then_charge, after)
    assert "the code ends where the log still holds the outcome of EditedFlow.charge as step 2" in reason


def test_a_branch_that_was_flipped(machine: Machine) -> None:
    def body(limit: int) -> Body:
        async def order(flow: EditedFlow) -> str:
            amount = await flow.charge({"price": 10})
            if amount > limit:
                await flow.reserve("dinosaur")
            else:
                await flow.wave()
            return await flow.pause()

        return order

    reason = parked(machine, body(limit=5), body(limit=50))
    assert "the log holds EditedFlow.reserve as step 2, the code now asks for EditedFlow.wave" in reason


def test_another_argument(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        item = await flow.reserve("dinosaur", 3)
        return f"{item} for {await flow.charge({'price': 10, 'shipping': 3})}, {await flow.pause()}"

    reason = parked(machine, reserve_then_charge, after)
    assert 'on record with the arguments {"item":"dinosaur","count":2}' in reason
    assert 'the code now gives {"item":"dinosaur","count":3}' in reason


def test_long_arguments_are_shortened_in_the_reason(memory_machine: Machine) -> None:
    def body(letter: str) -> Body:
        async def order(flow: EditedFlow) -> str:
            await flow.reserve(letter * 100_000)
            return await flow.pause()

        return order

    reason = parked(memory_machine, body("a"), body("b"))
    assert "aaa" in reason
    assert "bbb" in reason
    assert "100011 characters" in reason
    assert len(reason) < 1000


def test_a_step_that_became_a_timer(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        await asyncio.sleep(1)
        return await flow.pause()

    reason = parked(machine, reserve_then_charge, after)
    assert "the log holds EditedFlow.reserve as step 1, the code now asks for a timer" in reason


def test_a_timer_that_became_a_step(machine: Machine) -> None:
    async def pause_later(flow: EditedFlow) -> str:
        await asyncio.sleep(0)
        return await flow.pause()

    async def before(flow: EditedFlow) -> str:
        await asyncio.gather(asyncio.sleep(1), pause_later(flow))
        return "rested"

    async def after(flow: EditedFlow) -> str:
        await asyncio.gather(flow.wave(), pause_later(flow))
        return "waved"

    reason = parked(machine, before, after)
    assert "the log holds a timer as step 1, the code now asks for EditedFlow.wave" in reason


def test_another_key_of_a_wait_for_a_signal(machine: Machine) -> None:
    def body(key: str) -> Body:
        async def order(flow: EditedFlow) -> str:
            return ", ".join(await asyncio.gather(wait_for_signal(flow.approved, key=key), flow.pause()))

        return order

    reason = parked(machine, body("alice"), body("bob"))
    assert "a wait for EditedFlow.approved with key 'alice' as step 1" in reason
    assert "a wait for EditedFlow.approved with key 'bob'" in reason


def test_a_wait_for_a_signal_that_became_a_step(machine: Machine) -> None:
    async def before(flow: EditedFlow) -> str:
        return ", ".join(await asyncio.gather(wait_for_signal(flow.approved), flow.pause()))

    async def after(flow: EditedFlow) -> str:
        return ", ".join(await asyncio.gather(flow.reserve("dinosaur"), flow.pause()))

    reason = parked(machine, before, after)
    assert "a wait for EditedFlow.approved as step 1, the code now asks for EditedFlow.reserve" in reason


def test_steps_that_were_parallel_and_are_not_any_more(machine: Machine) -> None:
    async def before(flow: EditedFlow) -> str:
        await asyncio.gather(flow.reserve("dinosaur"), flow.wave())
        return await flow.pause()

    async def after(flow: EditedFlow) -> str:
        await flow.reserve("dinosaur")
        await flow.wave()
        return await flow.pause()

    reason = parked(machine, before, after)
    assert "EditedFlow.wave as step 2" in reason


def test_steps_that_became_parallel(machine: Machine) -> None:
    async def before(flow: EditedFlow) -> str:
        await flow.reserve("dinosaur")
        await flow.wave()
        return await flow.pause()

    async def after(flow: EditedFlow) -> str:
        await asyncio.gather(flow.reserve("dinosaur"), flow.wave())
        return await flow.pause()

    reason = parked(machine, before, after)
    assert "EditedFlow.wave as step 2, called after delivery 1" in reason
    assert "the code now makes this call after delivery 0" in reason


def test_an_outcome_of_a_step_that_the_code_now_gives_up_before(machine: Machine) -> None:
    async def before(flow: EditedFlow) -> str:
        wave = asyncio.create_task(flow.wave())
        await flow.reserve("dinosaur")
        await wave
        return await flow.pause()

    async def after(flow: EditedFlow) -> str:
        wave = asyncio.create_task(flow.wave())
        reserve = asyncio.create_task(flow.reserve("dinosaur"))
        await asyncio.sleep(0)
        wave.cancel()
        await reserve
        return await flow.pause()

    reason = parked(machine, before, after)
    assert "EditedFlow." in reason


def test_a_step_the_code_does_not_give_up_any_more(machine: Machine) -> None:
    def body(cancels: bool) -> Body:
        async def order(flow: EditedFlow) -> str:
            approval = asyncio.create_task(wait_for_signal(flow.approved))
            await asyncio.sleep(0)
            await flow.reserve("dinosaur")
            if cancels:
                approval.cancel()
            return await flow.pause()

        return order

    reason = parked(machine, body(cancels=True), body(cancels=False))
    assert "the flow gave up a wait for EditedFlow.approved" in reason
    assert "the code still waits for it" in reason


def test_a_failure_that_is_handled_in_another_way(machine: Machine) -> None:
    async def before(flow: EditedFlow) -> str:
        try:
            await flow.find("dinosaur")
        except Sold:
            await flow.wave()
        return await flow.pause()

    async def after(flow: EditedFlow) -> str:
        try:
            await flow.find("dinosaur")
        except Sold as error:
            await flow.reserve(str(error))
        return await flow.pause()

    reason = parked(machine, before, after)
    assert "the log holds EditedFlow.wave as step 2, the code now asks for EditedFlow.reserve" in reason


# -- what is no change ----------------------------------------


def test_steps_added_after_the_current_point(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        seen = await reserve_then_charge(flow)
        await flow.wave()
        return f"{seen}, waved"

    assert goes_on(machine, reserve_then_charge, after) == "dinosaur for 13, paused, waved"
    assert machine.outside.seen == ["reserve 2 dinosaur", "charge 13", "pause", "pause", "wave"]


def test_code_between_steps(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        item = (await flow.reserve(item="dinosaur", count=2)).upper()
        shipping = {"shipping": 3}
        return f"{item}: {await flow.charge({**shipping, 'price': 10})}, {await flow.pause()}"

    assert goes_on(machine, reserve_then_charge, after) == "DINOSAUR: 13, paused"


def test_an_argument_left_out_that_has_the_recorded_value_as_its_default(machine: Machine) -> None:
    async def before(flow: EditedFlow) -> str:
        return f"{await flow.reserve('dinosaur', 1)}, {await flow.pause()}"

    async def after(flow: EditedFlow) -> str:
        return f"{await flow.reserve('dinosaur')}, {await flow.pause()}"

    assert goes_on(machine, before, after) == "dinosaur, paused"


def test_another_time_limit_of_a_wait(machine: Machine) -> None:
    def body(limit: timedelta) -> Body:
        async def order(flow: EditedFlow) -> str:
            approval = asyncio.create_task(wait_for_signal(flow.approved, timeout=limit))
            await asyncio.sleep(0)
            seen = await flow.pause()
            approval.cancel()
            return seen

        return order

    assert goes_on(machine, body(timedelta(days=1)), body(timedelta(days=2))) == "paused"


def test_another_length_of_a_sleep_that_is_on_its_way(machine: Machine) -> None:
    def body(seconds: float) -> Body:
        async def order(flow: EditedFlow) -> str:
            nap = asyncio.create_task(asyncio.sleep(seconds, result="rested"))
            await asyncio.sleep(0)
            return f"{await flow.pause()}, {await nap}"

        return order

    async def edit() -> None:
        await live_until_paused(machine, body(60))
        async with machine.engine(DurableEditedFlow(machine.outside, body(3600))) as engine:
            await machine.waiting("f")
            machine.clock.advance(timedelta(seconds=60))  # the sleep on record keeps its end
            assert await engine.get_flow(DurableEditedFlow, "f").order.run() == "paused, rested"

    play(edit())


# -- what can be done then ----------------------------------------


async def edited_wrongly(flow: EditedFlow) -> str:
    """A version of `reserve_then_charge` that does not fit its log."""
    await flow.wave()
    return await reserve_then_charge(flow)


@scenario
async def test_a_parked_flow_goes_on_with_resume_when_the_code_fits_again(machine: Machine) -> None:
    await live_until_paused(machine, reserve_then_charge)
    async with machine.engine(DurableEditedFlow(machine.outside, edited_wrongly)):
        await machine.ended("f")
    async with machine.engine(DurableEditedFlow(machine.outside, reserve_then_charge)) as engine:
        flow = engine.get_flow(DurableEditedFlow, "f")
        with pytest.raises(FlowParked):  # the digest is that of the class, which is the same: nobody tries by itself
            await flow.order.run()
        await flow.resume()
        assert await flow.order.result() == "dinosaur for 13, paused"
    assert machine.outside.seen == ["reserve 2 dinosaur", "charge 13", "pause", "pause"]


@scenario
async def test_resuming_with_code_that_still_does_not_fit_parks_again(machine: Machine) -> None:
    await live_until_paused(machine, reserve_then_charge)
    async with machine.engine(DurableEditedFlow(machine.outside, edited_wrongly)) as engine:
        await machine.ended("f")
        flow = engine.get_flow(DurableEditedFlow, "f")
        await flow.resume()
        with pytest.raises(FlowParked, match=r"now asks for EditedFlow\.wave"):
            await flow.order.result()


@scenario
async def test_who_waits_for_a_flow_learns_that_it_was_parked(machine: Machine) -> None:
    async def after(flow: EditedFlow) -> str:
        machine.outside.seen.append("replayed")
        return await edited_wrongly(flow)

    await live_until_paused(machine, reserve_then_charge)
    async with machine.engine(DurableEditedFlow(machine.outside, after)) as engine:
        flow = engine.get_flow(DurableEditedFlow, "f")
        outcomes = await asyncio.gather(flow.order.result(), flow.order.result(), return_exceptions=True)
    assert [type(each) for each in outcomes] == [FlowParked, FlowParked]
    assert machine.outside.seen.count("replayed") == 1


@scenario
async def test_other_flows_do_not_notice_a_parked_one(machine: Machine) -> None:
    await live_until_paused(machine, reserve_then_charge)
    async with machine.engine(DurableEditedFlow(machine.outside, edited_wrongly)) as engine:
        await machine.ended("f")
        other = engine.get_flow(DurableEditedFlow, "other")
        assert await other.order.run() == "dinosaur for 13, paused"
        assert [flow.flow_id for flow in await engine.flows(status=FlowStatus.PARKED)] == ["f"]
