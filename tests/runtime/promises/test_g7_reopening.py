"""G7: a failed flow that is run again goes on from its failure; everything from there on is undone, and on record."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from persistasaurus import Engine, FlowConflict, FlowNotReopened, FlowStatus, Invocation, Status, StepFailed
from persistasaurus.records import Reopen
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_failing import Declined, Flaky
from .flows_reopened_durable import DurableFragileFlow, DurablePlainFragileFlow
from .machine import Machine, Outside
from .scenario import all_is_still, scenario

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def argument_of(call: Invocation) -> str:
    """What a call of `do` was to do."""
    return call.parameters.split('"')[3]


def in_force(history: list[Invocation]) -> list[tuple[str, Status, int, int]]:
    """Argument, status, attempts and round of the calls in force."""
    return [(argument_of(call), call.status, call.attempts, call.round) for call in history if not call.archived]


def archived(history: list[Invocation]) -> list[tuple[str, Status]]:
    """Argument and status of the calls of earlier rounds."""
    return [(argument_of(call), call.status) for call in history if call.archived]


@scenario
async def test_an_exception_that_leaves_the_body_fails_the_flow_and_is_on_record(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("second", Declined("no", 7))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined) as raised:
            await fragile.one_by_one.run()
        assert raised.value.args == ("no", 7)
        (flow,) = await engine.flows(status=FlowStatus.FAILED)
        assert flow.flow_id == "f1"
        assert flow.ended_at is not None
        assert "Declined" in (flow.return_value or "")


@scenario
async def test_the_step_that_failed_the_flow_runs_again_and_what_was_done_before_does_not(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("second", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined):
            await fragile.one_by_one.run()
        after = machine.crashed()
    async with after.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        assert await fragile.one_by_one.run() == "first done, second done, third done"
        assert in_force(await fragile.history()) == [
            ("first", Status.COMPLETE, 1, 0),
            ("second", Status.COMPLETE, 2, 1),
            ("third", Status.COMPLETE, 1, 1),
        ]
        assert await fragile.status() is FlowStatus.COMPLETE
    assert outside.seen == ["first", "second", "second", "third"]


@scenario
async def test_starting_a_failed_flow_reopens_it_too(machine: Machine, outside: Outside) -> None:
    outside.refuse("second", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined):
            await fragile.one_by_one.run()
        await fragile.one_by_one.start()
        assert await fragile.one_by_one.result() == "first done, second done, third done"


@scenario
async def test_a_failed_flow_run_twice_in_one_moment_is_reopened_once(machine: Machine, outside: Outside) -> None:
    outside.refuse("second", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined):
            await fragile.one_by_one.run()
        for result in await asyncio.gather(fragile.one_by_one.run(), fragile.one_by_one.run()):
            assert result == "first done, second done, third done"
        assert {call.round for call in await fragile.history()} == {0, 1}
    assert outside.seen == ["first", "second", "second", "third"]


@scenario
async def test_a_failed_id_belongs_to_its_flow(machine: Machine, outside: Outside) -> None:
    outside.refuse("second", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined):
            await fragile.one_by_one.run()
        with pytest.raises(FlowConflict, match=r"FragileFlow\.one_by_one.*FragileFlow\.side_by_side"):
            await fragile.side_by_side.run()
        assert await fragile.status() is FlowStatus.FAILED


@scenario
async def test_a_failure_that_was_caught_stays_as_it_is(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("caught"))
    outside.refuse("second", Declined("not caught"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined, match="not caught"):
            await fragile.once_caught.run()
        assert await fragile.once_caught.run() == "second done"
        assert in_force(await fragile.history()) == [
            ("first", Status.FAILED, 1, 0),
            ("instead", Status.COMPLETE, 1, 0),
            ("second", Status.COMPLETE, 2, 1),
        ]
    assert outside.seen == ["first", "instead", "second", "second"]


@scenario
async def test_calls_made_after_the_failure_become_history_and_are_made_anew(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("first", Declined("no"), Declined("still no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        for reason in ("no", "still no"):
            with pytest.raises(Declined, match=f"^{reason}$"):
                await fragile.cleaning_up.run()
        after = machine.crashed()
    async with after.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        assert await fragile.cleaning_up.run() == "first done, second done"
        history = await fragile.history()
        assert in_force(history) == [
            ("first", Status.COMPLETE, 3, 2),
            ("sweep", Status.COMPLETE, 1, 2),
            ("second", Status.COMPLETE, 1, 2),
        ]
        assert archived(history) == [("refund", Status.COMPLETE), ("sweep", Status.COMPLETE)] * 2
    assert outside.seen == ["first", "refund", "sweep", "first", "refund", "sweep", "first", "sweep", "second"]


@scenario
async def test_calls_a_plain_flow_made_after_its_failure_become_history_too(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("no"))
    async with machine.engine(DurablePlainFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurablePlainFragileFlow, "f1")
        with pytest.raises(Declined):
            await fragile.cleaning_up.run()
        assert await fragile.cleaning_up.run() == "first done, second done"
        assert archived(await fragile.history()) == [("refund", Status.COMPLETE)]
    assert outside.seen == ["first", "refund", "first", "second"]


@scenario
async def test_a_signal_taken_after_the_failure_is_unread_again(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        await fragile.explained.start()
        await fragile.tell.send("why")
        with pytest.raises(Declined):
            await fragile.explained.result()
        assert machine.log.unread_signals("f1") == []
        after = machine.crashed()
    async with after.engine(DurableFragileFlow(outside)) as engine:
        assert await engine.get_flow(DurableFragileFlow, "f1").explained.run() == "told why"
    assert outside.seen == ["first", "note told why", "first"]


@scenario
async def test_an_outcome_that_came_after_the_failure_keeps_its_value_and_no_body_runs(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("first", Declined("no"))
    outside.shut("second")
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        await fragile.patiently_side_by_side.start()
        await machine.until(lambda: Status.FAILED in machine.statuses("f1"))
        outside.open("second")
        with pytest.raises(Declined):
            await fragile.patiently_side_by_side.result()
        assert await fragile.patiently_side_by_side.run() == "['first done', 'second done']"
        assert in_force(await fragile.history()) == [
            ("first", Status.COMPLETE, 2, 1),
            ("second", Status.COMPLETE, 1, 0),
        ]
    assert sorted(outside.seen) == ["first", "first", "second"]


@scenario
async def test_a_failure_that_came_after_the_first_one_is_delivered_anew_and_then_runs_again_itself(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("first", Declined("first says no"))
    outside.refuse("second", Declined("second says no"))
    outside.shut("second")
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        await fragile.patiently_side_by_side.start()
        await machine.until(lambda: Status.FAILED in machine.statuses("f1"))
        outside.open("second")
        with pytest.raises(Declined, match="first says no"):
            await fragile.patiently_side_by_side.result()
        with pytest.raises(Declined, match="second says no"):
            await fragile.patiently_side_by_side.run()
        assert sorted(outside.seen) == ["first", "first", "second"]
        assert await fragile.patiently_side_by_side.run() == "['first done', 'second done']"
        assert in_force(await fragile.history()) == [
            ("first", Status.COMPLETE, 2, 1),
            ("second", Status.COMPLETE, 2, 2),
        ]
    assert sorted(outside.seen) == ["first", "first", "second", "second"]


@scenario
async def test_all_failures_of_a_group_run_again(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("first says no"))
    outside.refuse("second", Declined("second says no"))
    outside.shut("first", "second")
    async with machine.engine(DurablePlainFragileFlow(outside), closing_grace=HOUR) as engine:
        fragile = engine.get_flow(DurablePlainFragileFlow, "f1")
        await fragile.side_by_side.start()
        await asyncio.gather(outside.arrived("first"), outside.arrived("second"))
        closing = asyncio.ensure_future(engine.close())
        await all_is_still()
        outside.open("first", "second")  # both failures are on record before the flow gets either
        await closing
        after = machine.crashed()
    async with after.engine(DurablePlainFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurablePlainFragileFlow, "f1")
        with pytest.raises(ExceptionGroup) as raised:
            await fragile.side_by_side.result()
        assert sorted(map(str, raised.value.exceptions)) == ["first says no", "second says no"]
        assert await fragile.side_by_side.run() == "first done, second done"
    assert sorted(outside.seen) == ["first", "first", "second", "second"]


@pytest.mark.parametrize("plain", [False, True])
@scenario
async def test_a_step_cancelled_because_of_the_failure_runs_again(
    machine: Machine, outside: Outside, plain: bool
) -> None:
    outside.refuse("first", Declined("no"))
    outside.shut("second")
    async with machine.engine(DurableFragileFlow(outside), DurablePlainFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        plain_fragile = engine.get_flow(DurablePlainFragileFlow, "p1")
        run = plain_fragile.side_by_side.run if plain else fragile.side_by_side.run
        failing = asyncio.ensure_future(run())
        await outside.arrived("second")
        with pytest.raises(ExceptionGroup) as raised:
            await failing
        assert raised.group_contains(Declined, match="no")
        outside.open("second")
        assert await run() == "first done, second done"
    assert sorted(outside.seen) == ["first", "first", "second", "second"]


@scenario
async def test_a_failure_in_the_cause_chain_is_what_runs_again(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(StepFailed, match="OrderFailed: not placed"):
            await fragile.with_a_cause.run()
        assert await fragile.with_a_cause.run() == "first done"
    assert outside.seen == ["first", "first"]


@scenario
async def test_a_flow_that_failed_by_its_own_code_is_replayed_which_helps_after_a_fix(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("first", Declined("caught"))
    buggy, fixed = DurableFragileFlow(outside), DurableFragileFlow(outside)
    buggy.has_bug = True
    async with machine.engine(buggy) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        for _ in range(2):
            with pytest.raises(ZeroDivisionError, match="a bug"):
                await fragile.with_an_error_of_its_own.run()
        after = machine.crashed()
    async with after.engine(fixed) as engine:
        assert await engine.get_flow(DurableFragileFlow, "f1").with_an_error_of_its_own.run() == "second done"
    assert outside.seen == ["first", "second"]


@scenario
async def test_a_timer_open_at_the_failure_keeps_the_time_it_had_left(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("no"))
    outside.shut("first")
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        await fragile.with_a_nap.start()
        await outside.arrived("first")
        machine.clock.advance(20 * MINUTE)
        outside.open("first")
        with pytest.raises(Declined):
            await fragile.with_a_nap.result()
        machine.clock.advance(5 * HOUR)
        after = machine.crashed()
    async with after.engine(DurableFragileFlow(outside)) as engine:
        napping = asyncio.ensure_future(engine.get_flow(DurableFragileFlow, "f1").with_a_nap.run())
        await after.waiting("f1")
        assert after.flow("f1").due == after.clock.now() + 40 * 60 * 1_000_000
        after.clock.advance(40 * MINUTE)
        assert await napping == "first done"


@scenario
async def test_a_wait_open_at_the_failure_keeps_the_time_it_had_left(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("no"))
    outside.shut("first")
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        await fragile.with_an_impatient_wait.start()
        await outside.arrived("first")
        machine.clock.advance(20 * MINUTE)
        outside.open("first")
        with pytest.raises(Declined):
            await fragile.with_an_impatient_wait.result()
        machine.clock.advance(5 * HOUR)
        waiting = asyncio.ensure_future(fragile.with_an_impatient_wait.run())
        await machine.waiting("f1")
        assert machine.flow("f1").due == machine.clock.now() + 40 * 60 * 1_000_000
        machine.clock.advance(40 * MINUTE)
        assert await waiting == "first done, nobody told"


@scenario
async def test_a_delayed_step_cancelled_because_of_the_failure_keeps_the_delay_it_had_left(
    machine: Machine, outside: Outside
) -> None:
    outside.refuse("first", Declined("no"))
    outside.shut("first")
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        await fragile.with_a_delayed_step.start()
        await outside.arrived("first")
        machine.clock.advance(20 * MINUTE)
        outside.open("first")
        with pytest.raises(ExceptionGroup):
            await fragile.with_a_delayed_step.result()
        machine.clock.advance(5 * HOUR)
        running = asyncio.ensure_future(fragile.with_a_delayed_step.run())
        await machine.waiting("f1")
        assert machine.flow("f1").due == machine.clock.now() + 40 * 60 * 1_000_000
        assert "later" not in outside.seen
        machine.clock.advance(40 * MINUTE)
        assert await running == "first done, later done"


@scenario
async def test_a_wait_whose_time_out_failed_the_flow_waits_anew_for_its_whole_time(
    machine: Machine, outside: Outside
) -> None:
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(TimeoutError):
            await machine.through_time(fragile.told_in_time.run())
        machine.clock.advance(5 * HOUR)
        waiting = asyncio.ensure_future(fragile.told_in_time.run())
        await machine.waiting("f1")
        assert machine.flow("f1").due == machine.clock.now() + 60 * 60 * 1_000_000
        await fragile.tell.send("late")
        assert await waiting == "told late"


@scenario
async def test_an_at_most_once_step_that_failed_its_flow_is_not_reopened(machine: Machine, outside: Outside) -> None:
    outside.refuse("launch", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined):
            await fragile.only_once.run()
        before = machine.record("f1")
        for _ in range(2):
            with pytest.raises(FlowNotReopened, match=r"f1.*FragileFlow\.launch \(step 1\).*at most once") as caught:
                await fragile.only_once.run()
            assert isinstance(caught.value.__cause__, Declined)
        assert machine.record("f1") == before
        with pytest.raises(Declined):
            await fragile.only_once.result()
    assert outside.seen == ["launch"]


@scenario
async def test_a_reopened_step_gets_all_its_attempts_again(machine: Machine, outside: Outside) -> None:
    outside.refuse("insist", Flaky("1"), Flaky("2"), Flaky("3"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Flaky, match="2"):
            await fragile.stubbornly.run()
        assert await fragile.stubbornly.run() == "granted"
        assert [call.attempts for call in await fragile.history()] == [4]
    assert outside.seen == ["insist"] * 4


@scenario
async def test_reopening_is_one_transaction() -> None:
    log, outside = InMemoryLog(), Outside()
    outside.refuse("first", Declined("no"))

    async def run(log: InMemoryLog) -> str:
        async with Engine(log, flows=[DurableFragileFlow(outside)], clock=ManualClock()) as engine:
            return await engine.get_flow(DurableFragileFlow, "f1").cleaning_up.run()

    with pytest.raises(Declined):
        await run(log)
    failed_after = len(log.journal)
    assert await run(log) == "first done, second done"
    reopenings = [
        position for position, write in enumerate(log.journal) if isinstance(write, Reopen) and position >= failed_after
    ]
    assert len(reopenings) == 1
    (reopening,) = reopenings
    for writes in range(failed_after, len(log.journal) + 1):
        crashed = log.crashed(writes)
        flow = crashed.flow("f1")
        assert flow is not None
        assert (flow.status is FlowStatus.FAILED) == (writes <= reopening)
        assert (len(crashed.archived("f1")) == 0) == (writes <= reopening)
        assert await run(crashed) == "first done, second done"
        assert [row.method_name for row in crashed.archived("f1")] == ["do", "do"]


@scenario
async def test_a_reopened_flow_goes_on_after_a_crash_as_any_other(machine: Machine, outside: Outside) -> None:
    outside.refuse("first", Declined("no"))
    async with machine.engine(DurableFragileFlow(outside)) as engine:
        fragile = engine.get_flow(DurableFragileFlow, "f1")
        with pytest.raises(Declined):
            await fragile.cleaning_up.run()
        outside.shut("second")
        await fragile.cleaning_up.start()
        await outside.arrived("second")
        after = machine.crashed()
    outside.open("second")
    async with after.engine(DurableFragileFlow(outside)) as engine:
        assert await engine.get_flow(DurableFragileFlow, "f1").cleaning_up.result() == "first done, second done"
    assert outside.seen == ["first", "refund", "sweep", "first", "sweep", "second", "second"]
