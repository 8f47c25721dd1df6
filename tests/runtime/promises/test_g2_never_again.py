"""G2: a step that has ended is never executed again; one that was cut off is, under the same key, if still wanted."""

from __future__ import annotations

import pytest

from persistasaurus import Retry, Status, StepInterrupted, step

from .flows_failing import Declined
from .flows_failing_durable import DurablePayFlow
from .flows_orders_durable import (
    DurableKeyFlow,
    DurableMaybeFlow,
    DurableOrderFlow,
    DurablePlainOrderFlow,
    DurableRaceFlow,
    DurableRocketFlow,
)
from .machine import Machine, Outside
from .scenario import scenario


@scenario
async def test_completed_steps_are_not_executed_again_after_a_crash(machine: Machine, outside: Outside) -> None:
    outside.shut("charge")
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        await engine.get_flow(DurableOrderFlow, "o1").place.start("book")
        await outside.arrived("charge")
        after = machine.crashed()
    outside.open("charge")
    async with after.engine(DurableOrderFlow(outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        assert await order.place.result() == "book reserved, book charged, book shipped"
    assert outside.seen == ["reserve", "charge", "charge", "ship"]


@scenario
async def test_completed_steps_of_a_plain_flow_are_not_executed_again_after_a_crash(
    machine: Machine, outside: Outside
) -> None:
    outside.shut("charge")
    async with machine.engine(DurablePlainOrderFlow(outside)) as engine:
        await engine.get_flow(DurablePlainOrderFlow, "o1").place.start("book")
        await outside.arrived("charge")
        after = machine.crashed()
    outside.open("charge")
    async with after.engine(DurablePlainOrderFlow(outside)) as engine:
        order = engine.get_flow(DurablePlainOrderFlow, "o1")
        assert await order.place.result() == "book reserved, book charged, book shipped"
    assert outside.seen == ["reserve", "charge", "charge", "ship"]


@scenario
async def test_an_ended_flow_executes_nothing_when_it_is_run_again_after_a_crash(
    machine: Machine, outside: Outside
) -> None:
    async with machine.engine(DurableOrderFlow(outside)) as engine:
        result = await engine.get_flow(DurableOrderFlow, "o1").place.run("book")
        after = machine.crashed()
    outside.seen.clear()
    async with after.engine(DurableOrderFlow(outside)) as engine:
        assert await engine.get_flow(DurableOrderFlow, "o1").place.run("book") == result
    assert outside.seen == []


@scenario
async def test_a_failed_step_is_not_executed_again_after_a_crash(machine: Machine, outside: Outside) -> None:
    outside.refuse("charge", Declined("no money"))
    outside.shut("bill")
    async with machine.engine(DurablePayFlow(outside)) as engine:
        await engine.get_flow(DurablePayFlow, "p1").pay_or_bill.start(5)
        await outside.arrived("bill")
        after = machine.crashed()
    outside.open("bill")
    async with after.engine(DurablePayFlow(outside)) as engine:
        assert await engine.get_flow(DurablePayFlow, "p1").pay_or_bill.result() == "billed 5: no money"
    assert outside.seen == ["charge", "bill", "bill"]


@scenario
async def test_a_step_that_was_cut_off_is_executed_again_with_one_more_attempt_on_record(
    machine: Machine, outside: Outside
) -> None:
    flow = DurableKeyFlow(outside)
    outside.shut("first")
    async with machine.engine(flow) as engine:
        await engine.get_flow(DurableKeyFlow, "k1").act_twice.start()
        await outside.arrived("first")
        after = machine.crashed()
    async with after.engine(flow) as engine:
        await outside.arrived("first", times=2)
        twice_crashed = after.crashed()
    outside.open("first")
    async with twice_crashed.engine(flow) as engine:
        keys = engine.get_flow(DurableKeyFlow, "k1")
        await keys.act_twice.result()
        assert [(call.attempts, call.status) for call in await keys.history()] == [
            (3, Status.COMPLETE),
            (1, Status.COMPLETE),
        ]
    assert [(name, attempt) for name, _, attempt, _ in flow.keys] == [
        ("first", 1),
        ("first", 2),
        ("first", 3),
        ("second", 1),
    ]


@scenario
async def test_an_idempotency_key_is_the_same_for_all_attempts_of_a_step_and_for_no_other_step(
    machine: Machine, outside: Outside
) -> None:
    flow = DurableKeyFlow(outside)
    outside.shut("first")
    async with machine.engine(flow) as engine:
        await engine.get_flow(DurableKeyFlow, "k1").act_twice.start()
        await outside.arrived("first")
        after = machine.crashed()
    outside.open("first")
    async with after.engine(flow) as engine:
        await engine.get_flow(DurableKeyFlow, "k1").act_twice.result()
        await engine.get_flow(DurableKeyFlow, "k2").act_twice.run()
    first_cut_off, first, second, first_of_other, second_of_other = [key for _, _, _, key in flow.keys]
    assert first_cut_off == first
    assert len({first, second, first_of_other, second_of_other}) == 4


@scenario
async def test_an_idempotency_key_changes_when_a_failed_flow_is_reopened(machine: Machine, outside: Outside) -> None:
    flow = DurableKeyFlow(outside)
    outside.refuse("second", ValueError("not today"))
    async with machine.engine(flow) as engine:
        keys = engine.get_flow(DurableKeyFlow, "k1")
        with pytest.raises(ValueError, match="not today"):
            await keys.act_twice.run()
        await keys.act_twice.run()
    assert [name for name, _, _, _ in flow.keys] == ["first", "second", "second"]
    (_, step, _, before), (_, same_step, _, now) = flow.keys[1:]
    assert step == same_step
    assert before != now


@scenario
async def test_an_at_most_once_step_that_was_cut_off_fails_and_never_runs_again(
    machine: Machine, outside: Outside
) -> None:
    outside.shut("launch", "look")
    async with machine.engine(DurableRocketFlow(outside)) as engine:
        await engine.get_flow(DurableRocketFlow, "r1").launch_and_look.start()
        await outside.arrived("launch")
        after = machine.crashed()
    async with after.engine(DurableRocketFlow(outside)) as engine:
        await outside.arrived("look")
        later = after.crashed()
    outside.open("launch", "look")
    async with later.engine(DurableRocketFlow(outside)) as engine:
        rocket = engine.get_flow(DurableRocketFlow, "r1")
        assert await rocket.launch_and_look.result() == "nobody knows"
        launch, look = await rocket.history()
        assert (launch.status, launch.attempts) == (Status.FAILED, 1)
        assert (look.status, look.attempts) == (Status.COMPLETE, 2)
    assert outside.seen == ["launch", "look", "look"]


@scenario
async def test_an_interrupted_at_most_once_step_can_fail_its_flow(machine: Machine, outside: Outside) -> None:
    outside.shut("launch")
    async with machine.engine(DurableRocketFlow(outside)) as engine:
        await engine.get_flow(DurableRocketFlow, "r1").just_launch.start()
        await outside.arrived("launch")
        after = machine.crashed()
    async with after.engine(DurableRocketFlow(outside)) as engine:
        with pytest.raises(StepInterrupted, match=r"launch.*step 1 of flow r1.*at most once"):
            await engine.get_flow(DurableRocketFlow, "r1").just_launch.result()
    assert outside.seen == ["launch"]


@scenario
async def test_an_at_most_once_step_that_had_ended_keeps_its_outcome(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableRocketFlow(outside)) as engine:
        assert await engine.get_flow(DurableRocketFlow, "r1").launch_and_look.run() == "launched"
        after = machine.crashed()
    async with after.engine(DurableRocketFlow(outside)) as engine:
        assert await engine.get_flow(DurableRocketFlow, "r1").launch_and_look.run() == "launched"
    assert outside.seen == ["launch"]


@scenario
async def test_an_at_most_once_step_whose_delay_was_cut_off_runs_once(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableRocketFlow(outside)) as engine:
        await engine.get_flow(DurableRocketFlow, "r1").launch_tomorrow.start()
        await machine.waiting("r1")
        after = machine.crashed()
    async with after.engine(DurableRocketFlow(outside)) as engine:
        launched = engine.get_flow(DurableRocketFlow, "r1").launch_tomorrow.result()
        assert await after.through_time(launched) == "launched"
    assert outside.seen == ["launch"]


def test_at_most_once_and_retry_exclude_each_other() -> None:
    with pytest.raises(ValueError, match=r"at_most_once.*retry"):
        step(at_most_once=True, retry=Retry())


@scenario
async def test_a_step_the_flow_had_given_up_is_not_executed_again(machine: Machine, outside: Outside) -> None:
    outside.shut("slow", "last")
    async with machine.engine(DurableRaceFlow(outside)) as engine:
        await engine.get_flow(DurableRaceFlow, "r1").race.start()
        await outside.arrived("last")
        after = machine.crashed()  # on record is that `fast` has ended, so the flow gives `slow` up in every replay
    outside.open("slow", "last")
    outside.seen.clear()
    async with after.engine(DurableRaceFlow(outside)) as engine:
        race = engine.get_flow(DurableRaceFlow, "r1")
        assert await race.race.result() == "fast, last, slow given up"
        fast, slow, last = await race.history()
        assert [fast.status, slow.status, last.status] == [Status.COMPLETE, Status.CANCELLED, Status.COMPLETE]
        assert slow.attempts == 1
        once_more = after.crashed()
    async with once_more.engine(DurableRaceFlow(outside)) as engine:
        assert await engine.get_flow(DurableRaceFlow, "r1").race.run() == "fast, last, slow given up"
    assert outside.seen == ["last"]


@scenario
async def test_none_is_a_result_and_not_the_absence_of_one(machine: Machine, outside: Outside) -> None:
    outside.shut("second")
    async with machine.engine(DurableMaybeFlow(outside)) as engine:
        await engine.get_flow(DurableMaybeFlow, "m1").look_twice.start()
        await outside.arrived("second")
        after = machine.crashed()
    outside.open("second")
    async with after.engine(DurableMaybeFlow(outside)) as engine:
        maybe = engine.get_flow(DurableMaybeFlow, "m1")
        assert await maybe.look_twice.result() == "None None"
        assert [call.return_value for call in await maybe.history()] == ["null", "null"]
    assert outside.seen == ["first", "second", "second"]


@scenario
async def test_flows_do_not_see_each_others_steps(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableOrderFlow(outside), DurablePlainOrderFlow(outside)) as engine:
        first = await engine.get_flow(DurableOrderFlow, "o1").place.run("book")
        second = await engine.get_flow(DurableOrderFlow, "o2").place.run("lamp")
        plain = await engine.get_flow(DurablePlainOrderFlow, "o3").place.run("desk")
        after = machine.crashed()
    async with after.engine(DurableOrderFlow(outside), DurablePlainOrderFlow(outside)) as engine:
        assert await engine.get_flow(DurableOrderFlow, "o1").place.result() == first
        assert await engine.get_flow(DurableOrderFlow, "o2").place.result() == second
        assert await engine.get_flow(DurablePlainOrderFlow, "o3").place.result() == plain
    assert [first, second, plain] == [
        f"{what} reserved, {what} charged, {what} shipped" for what in ("book", "lamp", "desk")
    ]
    assert outside.seen == ["reserve", "charge", "ship"] * 3
