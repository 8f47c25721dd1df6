"""G6: failures are on record, attempts are counted and spaced as the step says, and a caught failure stays caught."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from persistasaurus import Engine, FlowStatus, Status, StepFailed
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_failing import Broken, Declined, Flaky
from .flows_failing_durable import DurablePayFlow, DurablePlainPayFlow
from .flows_retried_durable import DurableRetriedFlow
from .machine import Machine, Outside
from .scenario import all_is_still, scenario

MINUTE = timedelta(minutes=1)


def time_of(machine: Machine) -> timedelta:
    """How far the machine's clock is from where it began."""
    return timedelta(microseconds=machine.clock.now()) - (datetime(2025, 1, 1) - datetime(1970, 1, 1))


@scenario
async def test_a_step_without_retry_has_one_attempt(machine: Machine, outside: Outside) -> None:
    outside.refuse("charge", Declined("no"))
    async with machine.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        with pytest.raises(Declined):
            await payment.pay.run(5)
        (charge,) = await payment.history()
        assert (charge.status, charge.attempts) == (Status.FAILED, 1)
    assert outside.seen == ["charge"]


@scenario
async def test_a_step_is_tried_until_it_succeeds(machine: Machine, outside: Outside) -> None:
    outside.refuse("charge", Flaky("1"), Flaky("2"))
    async with machine.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        assert await machine.through_time(payment.pay_patiently.run(5)) == "charged 5"
        (charge,) = await payment.history()
        assert (charge.status, charge.attempts) == (Status.COMPLETE, 3)
    assert outside.seen == ["charge"] * 3


@scenario
async def test_a_plain_step_is_tried_until_it_succeeds(machine: Machine, outside: Outside) -> None:
    outside.refuse("charge", Flaky("1"), Flaky("2"))
    async with machine.engine(DurablePlainPayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePlainPayFlow, "p1")
        assert await machine.through_time(payment.pay_patiently.run(5)) == "charged 5"
        assert [call.attempts for call in await payment.history()] == [3]
    assert outside.seen == ["charge"] * 3


@scenario
async def test_a_step_that_exhausts_its_attempts_is_failed_and_raises_its_last_exception(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("charge", Flaky("1"), Flaky("2"), Flaky("3"))
    async with machine.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        with pytest.raises(Flaky, match=r"^3$"):
            await machine.through_time(payment.pay_patiently.run(5))
        (charge,) = await payment.history()
        assert (charge.status, charge.attempts) == (Status.FAILED, 3)
        assert await payment.status() is FlowStatus.FAILED
    assert outside.seen == ["charge"] * 3


@scenario
async def test_pauses_grow_up_to_the_longest_and_there_is_none_after_the_last_attempt(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("charge", Flaky("1"), Flaky("2"), Flaky("3"))
    async with machine.engine(DurablePayFlow(outside), random=lambda: 0.0) as engine:
        paid = asyncio.ensure_future(engine.get_flow(DurablePayFlow, "p1").pay_patiently.run(5))
        await machine.waiting("p1")
        machine.clock.advance(MINUTE - timedelta(microseconds=1))
        await all_is_still()
        assert outside.seen == ["charge"]
        machine.clock.advance(timedelta(microseconds=1))
        await outside.arrived("charge", times=2)
        await machine.waiting("p1")
        machine.clock.advance(5 * MINUTE - timedelta(microseconds=1))  # 10 minutes by its factor, 5 at most
        await all_is_still()
        assert outside.seen == ["charge"] * 2
        machine.clock.advance(timedelta(microseconds=1))
        with pytest.raises(Flaky):
            await paid
    assert time_of(machine) == 6 * MINUTE


@scenario
async def test_chance_shortens_a_pause_by_at_most_the_share_of_its_jitter(machine: Machine, outside: Outside) -> None:
    outside.refuse("charge", Flaky("1"))
    async with machine.engine(DurablePayFlow(outside), random=lambda: 0.5) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        await machine.through_time(payment.pay_patiently.run(5))
    assert time_of(machine) == 0.75 * MINUTE  # half of the jitter, which is 0.5 unless the step says otherwise


@scenario
async def test_an_exception_that_is_not_to_be_retried_fails_the_step_at_once(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("charge", ValueError("of another kind"), Broken("excluded"))
    async with machine.engine(DurablePayFlow(outside)) as engine:
        with pytest.raises(ValueError, match="of another kind"):
            await engine.get_flow(DurablePayFlow, "p1").pay_patiently.run(5)
        with pytest.raises(Broken):
            await engine.get_flow(DurablePayFlow, "p2").pay_patiently.run(5)
    assert outside.seen == ["charge"] * 2


@scenario
async def test_an_exception_that_is_not_to_be_retried_ends_the_retries_of_others(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("charge", Flaky("again"), Broken("for good"))
    async with machine.engine(DurablePayFlow(outside)) as engine:
        with pytest.raises(Broken):
            await machine.through_time(engine.get_flow(DurablePayFlow, "p1").pay_patiently.run(5))
    assert outside.seen == ["charge"] * 2


@scenario
async def test_count_and_due_time_of_attempts_go_on_after_a_crash_during_the_pause(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("charge", Flaky("1"), Flaky("2"), Flaky("3"))
    async with machine.engine(DurablePayFlow(outside), random=lambda: 0.0) as engine:
        await engine.get_flow(DurablePayFlow, "p1").pay_patiently.start(5)
        await machine.waiting("p1")
        machine.clock.advance(0.5 * MINUTE)
        after = machine.crashed()
    async with after.engine(DurablePayFlow(outside), random=lambda: 0.0) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        paid = asyncio.ensure_future(payment.pay_patiently.result())
        await after.waiting("p1")
        after.clock.advance(0.5 * MINUTE - timedelta(microseconds=1))
        await all_is_still()
        assert outside.seen == ["charge"]
        after.clock.advance(timedelta(microseconds=1))
        await outside.arrived("charge", times=2)
        await after.waiting("p1")
        after.clock.advance(5 * MINUTE)
        with pytest.raises(Flaky, match=r"^3$"):
            await paid
        assert [(call.status, call.attempts) for call in await payment.history()] == [(Status.FAILED, 3)]
    assert outside.seen == ["charge"] * 3


@scenario
async def test_an_attempt_cut_off_by_a_crash_is_counted_but_not_against_the_limit(
    machine: Machine, outside: Outside
) -> None:
    outside.shut("charge")
    async with machine.engine(DurablePayFlow(outside)) as engine:
        await engine.get_flow(DurablePayFlow, "p1").pay_patiently.start(5)
        await outside.arrived("charge")
        after = machine.crashed()
    outside.open("charge")
    outside.refuse("charge", Flaky("1"), Flaky("2"))
    async with after.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        assert await after.through_time(payment.pay_patiently.result()) == "charged 5"
        assert [(call.status, call.attempts) for call in await payment.history()] == [(Status.COMPLETE, 4)]
    assert outside.seen == ["charge"] * 4


@scenario
async def test_without_retry_too_an_attempt_cut_off_by_a_crash_is_made_again(
    machine: Machine, outside: Outside
) -> None:
    outside.shut("charge")
    async with machine.engine(DurablePayFlow(outside)) as engine:
        await engine.get_flow(DurablePayFlow, "p1").pay.start(5)
        await outside.arrived("charge")
        after = machine.crashed()
    outside.open("charge")
    async with after.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        assert await payment.pay.result() == "charged 5"
        assert [(call.status, call.attempts) for call in await payment.history()] == [(Status.COMPLETE, 2)]


@scenario
async def test_replay_raises_the_recorded_failure_and_takes_the_same_branch(machine: Machine, outside: Outside) -> None:
    outside.refuse("charge", Flaky("1"), Flaky("2"), Flaky("3"))
    outside.shut("bill")
    async with machine.engine(DurablePayFlow(outside)) as engine:
        started = engine.get_flow(DurablePayFlow, "p1").pay_patiently_or_bill.start(5)
        await started
        await machine.through_time(outside.arrived("bill"))
        after = machine.crashed()
    outside.open("bill")
    async with after.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        assert await payment.pay_patiently_or_bill.result() == "billed 5: 3"
        assert [call.status for call in await payment.history()] == [Status.FAILED, Status.COMPLETE]
        assert await payment.status() is FlowStatus.COMPLETE
    assert outside.seen == ["charge"] * 3 + ["bill"] * 2


@scenario
async def test_a_failed_flow_raises_the_recorded_failure_to_whoever_asks_for_its_result(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("charge", Declined("no", 7))
    async with machine.engine(DurablePayFlow(outside)) as engine:
        with pytest.raises(Declined):
            await engine.get_flow(DurablePayFlow, "p1").pay.run(5)
        after = machine.crashed()
    async with after.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        with pytest.raises(Declined) as raised:
            await payment.pay.result()
        assert raised.value.args == ("no", 7)
        assert await payment.status() is FlowStatus.FAILED
    assert outside.seen == ["charge"]


@scenario
async def test_a_crash_between_any_two_writes_of_a_retried_step_costs_at_most_one_more_attempt() -> None:
    async def run(log: InMemoryLog, outside: Outside) -> int:
        clock = ManualClock()
        clock.advance(timedelta(hours=1))
        async with Engine(log, flows=[DurablePayFlow(outside)], clock=clock, closing_grace=timedelta()) as engine:
            payment = engine.get_flow(DurablePayFlow, "p1")
            paid = asyncio.ensure_future(payment.pay_patiently.run(5))
            while not paid.done():
                await all_is_still()
                clock.advance(clock.next_alarm() or timedelta())
            assert await paid == "charged 5"
            (charge,) = await payment.history()
            return charge.attempts

    log, outside = InMemoryLog(), Outside()
    outside.refuse("charge", Flaky("1"), Flaky("2"))
    assert await run(log, outside) == 3
    for writes in range(len(log.journal) + 1):
        crashed, again = log.crashed(writes), Outside()
        (row,) = crashed.invocations("p1") or (None,)
        failed = row.failures if row is not None else 0
        again.refuse("charge", *[Flaky(str(number)) for number in range(failed + 1, 3)])
        attempts = await run(crashed, again)
        assert attempts in (3, 4), f"after {writes} writes"
        assert len(again.seen) == attempts - (row.attempts if row is not None else 0)


@scenario
async def test_an_unlisted_failure_is_retried_as_what_it_is_and_raised_as_step_failed(
    machine: Machine, outside: Outside
) -> None:
    class Sudden(Flaky):
        """Not listed, but its base is."""

    outside.refuse("charge", Sudden("1"), Sudden("2"), Sudden("3"))
    async with machine.engine(DurablePayFlow(outside)) as engine:
        with pytest.raises(Flaky) as raised:
            await machine.through_time(engine.get_flow(DurablePayFlow, "p1").pay_patiently.run(5))
        assert isinstance(raised.value, StepFailed)
    assert outside.seen == ["charge"] * 3


@scenario
async def test_a_step_with_attempts_left_that_fails_while_it_is_stopped_was_given_up_and_has_not_failed(
    machine: Machine,
) -> None:
    machine.outside.shut("slow")
    machine.outside.refuse("quick", ValueError("no"))
    async with machine.engine(DurableRetriedFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableRetriedFlow, "f").aborts
        with pytest.raises(ExceptionGroup) as caught:
            await flow.run()
        assert [str(error) for error in caught.value.exceptions] == ["no"]
        assert machine.statuses("f") == [Status.CANCELLED, Status.FAILED]
        machine.outside.open("slow")
        assert await flow.run() == ["slow", "quick"]  # reopened, it is tried again
