"""G3: what a flow sees, and what a body is given, is what was logged, also the first time."""

from __future__ import annotations

import asyncio
import math
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pytest

from persistasaurus import FlowStatus, OutcomeNotStorable, Status, StepFailed

from .flows_exceptions import CardExpired, OddLookup, PaymentError, Strange
from .flows_exceptions_durable import DurableCollectingFlow
from .flows_orders_durable import DurableRaceFlow
from .flows_values import Everything, Line, Money, Point, Rank, Size, ValuesFlow
from .flows_values_durable import DurableValuesFlow
from .machine import Machine, Outside, play
from .scenario import scenario

NOW = datetime(2025, 3, 30, 1, 30, 0, 7)

EVERYTHING = Everything(
    line=Line("book", Money(Decimal("12.50"), "EUR"), {"new"}),
    lines=[Line("a", Money(Decimal("-0"), "USD")), Line("b", Money(Decimal("1E+3"), "EUR"))],
    size=Size.LARGE,
    rank=Rank.HIGH,
    amount=Decimal("0.10"),
    naive=NOW,
    aware=NOW.replace(tzinfo=UTC),
    day=date(1, 1, 1),
    clock=time(23, 59, 59, 999999),
    span=timedelta(days=-1, microseconds=1),
    number=UUID(int=7),
    raw=b"\x00\xff",
    pair=(1, "one"),
    many=(1.0, 2.5),
    names=frozenset({"only"}),
    point=Point(1, 2.0),
    label={"colour": Size.SMALL, "text": "fragile"},  # keys come back sorted (G12), here and below
    maybe=None,
    other="5",
    nothing=None,
    empty_list=[],
    empty_dict={},
    by_number={1: "one", 2: "two"},
    large=2**63 - 1,
    folder=Path("/tmp/here"),
    any_json={"a": [1, 2.5, None, True, {"b": "c"}]},
)


@scenario
async def test_every_type_is_seen_live_as_it_is_seen_in_replay(machine: Machine, outside: Outside) -> None:
    live, replayed = DurableValuesFlow(outside), DurableValuesFlow(outside)
    outside.shut("pause")
    async with machine.engine(live) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").pass_on.start(EVERYTHING)
        await outside.arrived("pause")
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        result = await engine.get_flow(DurableValuesFlow, "v1").pass_on.result()
    assert live.flow_saw == replayed.flow_saw == [EVERYTHING, EVERYTHING]
    assert live.bodies_saw == [EVERYTHING]
    assert replayed.bodies_saw == []
    assert result == EVERYTHING
    for seen in (*live.flow_saw, *live.bodies_saw, *replayed.flow_saw, result):
        assert repr(seen) == repr(EVERYTHING)  # a Decimal with its zeros, a tuple as a tuple, an Enum as an Enum
        assert seen is not EVERYTHING


@scenario
async def test_a_time_keeps_its_zone_as_an_offset_live_and_replayed(machine: Machine, outside: Outside) -> None:
    zone = timezone(timedelta(hours=5, minutes=45))
    live, replayed = DurableValuesFlow(outside), DurableValuesFlow(outside)
    outside.shut("pause")
    async with machine.engine(live) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").leave_out.start(NOW.replace(tzinfo=zone))
        await outside.arrived("pause")
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").leave_out.result()
    for values in (live, replayed):
        (seen,) = values.flow_saw
        assert isinstance(seen, tuple)
        when, price, note = seen
        assert (when, price, note) == (NOW.replace(tzinfo=zone), Decimal("1.50"), None)
        assert when.utcoffset() == timedelta(hours=5, minutes=45)


@scenario
async def test_leaving_an_argument_out_does_not_change_the_types_of_the_others(
    machine: Machine, outside: Outside
) -> None:
    values = DurableValuesFlow(outside)
    async with machine.engine(values) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").leave_out.run(NOW)
    standard, rate = Decimal("1.50"), Decimal("0.10")
    assert repr(values.bodies_saw) == repr(
        [(NOW, standard, None, None), (NOW, standard, None, rate), (NOW, standard, "n", rate)]
    )


@scenario
async def test_values_have_their_declared_types_live_and_replayed(machine: Machine, outside: Outside) -> None:
    live, replayed = DurableValuesFlow(outside), DurableValuesFlow(outside)
    outside.shut("pause")
    async with machine.engine(live) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").read_declared_types.start()
        await outside.arrived("pause")
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").read_declared_types.result()
    assert repr(live.flow_saw) == repr(replayed.flow_saw) == "[[1.0, 2.5]]"  # the body returned `[1, 2.5]`


@scenario
async def test_a_body_that_changes_its_argument_changes_nothing_of_the_flow(machine: Machine, outside: Outside) -> None:
    live, replayed = DurableValuesFlow(outside), DurableValuesFlow(outside)
    outside.shut("pause")
    async with machine.engine(live) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").lend_a_list.start()
        await outside.arrived("pause")
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        assert await engine.get_flow(DurableValuesFlow, "v1").lend_a_list.result() == [1]
    assert live.flow_saw == replayed.flow_saw == [[1, 2], [1]]


@scenario
async def test_each_attempt_is_given_arguments_of_its_own(machine: Machine, outside: Outside) -> None:
    values = DurableValuesFlow(outside)
    outside.refuse("change", ValueError(), ValueError())
    async with machine.engine(values) as engine:
        assert await engine.get_flow(DurableValuesFlow, "v1").lend_a_list.run() == [1]
    assert values.bodies_saw == [[1], [1], [1]]
    assert values.flow_saw == [[1, 2], [1]]


@scenario
async def test_a_result_that_its_body_keeps_and_changes_does_not_change_for_the_flow(
    machine: Machine, outside: Outside
) -> None:
    live, replayed = DurableValuesFlow(outside), DurableValuesFlow(outside)
    outside.shut("pause")
    async with machine.engine(live) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").get_what_the_body_keeps.start()
        await outside.arrived("pause")
        assert live.kept == [1, 2]
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        assert await engine.get_flow(DurableValuesFlow, "v1").get_what_the_body_keeps.result() == [1]
    assert live.flow_saw == replayed.flow_saw == [[1]]


@scenario
async def test_arguments_of_a_flow_are_taken_when_it_is_started(machine: Machine, outside: Outside) -> None:
    values = DurableValuesFlow(outside)
    outside.shut("pause")
    given = Everything(**{**vars(EVERYTHING), "empty_list": []})
    async with machine.engine(values) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").pass_on.start(given)
        given.empty_list.append(1)
        outside.open("pause")
        assert (await engine.get_flow(DurableValuesFlow, "v1").pass_on.result()).empty_list == []
    assert values.flow_saw == [EVERYTHING, EVERYTHING]


def planned_failures() -> dict[str, BaseException]:
    """What bodies raise under a name."""
    caused = ValueError("with a cause", 1)
    caused.__cause__ = KeyError("the cause")
    caused.add_note("and a note")
    return {
        "payment": PaymentError(code=7, reason="limit"),
        "expired": CardExpired(code=8, reason="expired"),
        "odd": OddLookup("nowhere", 3),
        "strange": Strange("very"),
        "caused": caused,
        "system": FileNotFoundError(2, "No such file", "/tmp/x"),
        "group": ExceptionGroup("several", [PaymentError(code=9, reason="group"), Strange("too"), OSError(5, "io")]),
        "cancelled": asyncio.CancelledError("by itself"),
        "stopped": StopIteration(3),
    }


NAMES = list(planned_failures())


async def collect(machine: Machine) -> tuple[DurableCollectingFlow, DurableCollectingFlow]:
    """Live a flow that meets every planned failure, and replay it; both lives with what they saw."""
    outside = machine.outside
    live, replayed = DurableCollectingFlow(outside), DurableCollectingFlow(outside)
    for name, error in planned_failures().items():
        outside.refuse(name, error)
    outside.shut("pause")
    async with machine.engine(live) as engine:
        await engine.get_flow(DurableCollectingFlow, "c1").collect.start(NAMES)
        await outside.arrived("pause")
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        assert await engine.get_flow(DurableCollectingFlow, "c1").collect.result() == f"{len(NAMES)} collected"
    assert len(outside.seen) == len(NAMES) + 2
    return live, replayed


def described(error: BaseException) -> object:
    """All a flow can see of an exception."""
    attributes = {name: value for name, value in vars(error).items() if name != "exceptions"}
    members = [described(member) for member in error.exceptions] if isinstance(error, BaseExceptionGroup) else []
    return type(error), error.args if not members else str(error), attributes, str(error), members


@scenario
async def test_exceptions_are_seen_live_as_they_are_seen_in_replay(machine: Machine) -> None:
    live, replayed = await collect(machine)
    assert [described(error) for error in live.saw] == [described(error) for error in replayed.saw]


@scenario
async def test_a_listed_exception_comes_back_as_its_own_class_without_a_call_of_its_init(machine: Machine) -> None:
    made = PaymentError.made
    live, replayed = await collect(machine)
    assert PaymentError.made - made == 3  # those that `planned_failures` makes
    for collected in (live, replayed):
        error = collected.saw[NAMES.index("payment")]
        assert type(error) is PaymentError
        assert (error.args, error.code, error.reason) == (("code 7",), 7, "limit")
        missing = collected.saw[NAMES.index("system")]
        assert type(missing) is FileNotFoundError
        assert (missing.errno, missing.filename) == (2, "/tmp/x")


@scenario
async def test_any_other_exception_is_a_step_failed_that_matches_what_the_user_would_catch(machine: Machine) -> None:
    for collected in await collect(machine):
        expired = collected.saw[NAMES.index("expired")]
        assert isinstance(expired, PaymentError)
        assert (expired.code, expired.reason) == (8, "expired")
        assert issubclass(type(expired), StepFailed)
        assert not issubclass(type(expired), CardExpired)
        odd = collected.saw[NAMES.index("odd")]
        assert isinstance(odd, StepFailed)
        assert isinstance(odd, LookupError)
        assert odd.type_name == f"{OddLookup.__module__}.OddLookup"
        assert odd.message == str(OddLookup("nowhere", 3))
        assert "raise error" in odd.traceback_text  # the line of the body's code that raised it
        strange = collected.saw[NAMES.index("strange")]
        assert isinstance(strange, StepFailed)
        assert (strange.type_name, strange.message) == (f"{Strange.__module__}.Strange", "very")


@pytest.mark.parametrize(
    ("error", "branch"),
    [
        (PaymentError(code=1, reason="a"), "payment 1 a"),
        (CardExpired(code=2, reason="b"), "payment 2 b"),
        (OddLookup("c"), f"lookup {OddLookup.__module__}.OddLookup: c"),
        (KeyError("d"), "lookup 'd'"),
        (ArithmeticError("e"), "other"),
    ],
)
@scenario
async def test_the_except_that_the_user_wrote_still_matches(
    machine: Machine, outside: Outside, error: Exception, branch: str
) -> None:
    outside.refuse("it", error)
    async with machine.engine(DurableCollectingFlow(outside)) as engine:
        assert await engine.get_flow(DurableCollectingFlow, "c1").match.run("it") == branch


@scenario
async def test_a_group_comes_back_member_by_member(machine: Machine) -> None:
    for collected in await collect(machine):
        group = collected.saw[NAMES.index("group")]
        assert isinstance(group, ExceptionGroup)
        assert group.message == "several"
        payment, strange, system = group.exceptions
        assert type(payment) is PaymentError
        assert payment.code == 9
        assert isinstance(strange, StepFailed)
        assert strange.message == "too"
        assert type(system) is OSError
        assert system.errno == 5


@scenario
async def test_cause_notes_and_traceback_do_not_come_back_live_or_replayed(machine: Machine) -> None:
    for collected in await collect(machine):
        error = collected.saw[NAMES.index("caused")]
        assert type(error) is ValueError
        assert error.args == ("with a cause", 1)
        assert error.__cause__ is None
        assert not hasattr(error, "__notes__")
        frames = []
        trace = error.__traceback__
        while trace is not None:
            frames.append(trace.tb_frame.f_code.co_name)
            trace = trace.tb_next
        assert "visit" not in frames  # where the body raised it


@scenario
async def test_a_body_that_raises_cancelled_error_unasked_has_failed(machine: Machine) -> None:
    for collected in await collect(machine):
        error = collected.saw[NAMES.index("cancelled")]
        assert isinstance(error, StepFailed)
        assert not isinstance(error, asyncio.CancelledError)
        assert error.type_name.endswith("CancelledError")
        assert error.message == "by itself"


@scenario
async def test_a_body_whose_task_others_cancel_has_no_outcome_and_runs_again(
    machine: Machine, outside: Outside
) -> None:
    collecting = DurableCollectingFlow(outside)
    outside.shut("work")
    async with machine.engine(collecting) as engine:
        flow = engine.get_flow(DurableCollectingFlow, "c1")
        await flow.collect.start(["work"])
        await outside.arrived("work")
        (task,) = collecting.tasks
        assert task is not None
        task.cancel()  # the program ends, say
        await asyncio.wait([task])
        assert [(call.status, call.attempts) for call in await flow.history()] == [(Status.PENDING, 1)]
        after = machine.crashed()
    outside.open("work")
    async with after.engine(collecting) as engine:
        assert await engine.get_flow(DurableCollectingFlow, "c1").collect.result() == "0 collected"
    assert outside.seen == ["work", "work", "pause"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("plain", [False, True])
def test_what_ends_the_program_is_no_outcome_of_a_step(
    machine: Machine, outside: Outside, error: type[BaseException], plain: bool
) -> None:
    collecting = DurableCollectingFlow(outside)
    outside.refuse("work", error())

    async def first_life() -> None:
        async with machine.engine(collecting) as engine:
            flow = engine.get_flow(DurableCollectingFlow, "c1")
            await (flow.collect_plainly.run(["work"]) if plain else flow.collect.run(["work"]))

    async def second_life(after: Machine) -> str:
        async with after.engine(collecting) as engine:
            flow = engine.get_flow(DurableCollectingFlow, "c1")
            (step,) = [call for call in after.calls("c1") if call.step == 1]
            assert (step.status, step.return_value) == (Status.PENDING, None)
            return await (flow.collect_plainly.result() if plain else flow.collect.result())

    with pytest.raises(error):
        play(first_life())
    assert play(second_life(machine.crashed())) == "0 collected"
    assert outside.seen[:2] == ["work", "work"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
@pytest.mark.parametrize("plain", [False, True])
def test_what_ends_the_program_is_no_outcome_of_a_flow(
    machine: Machine, outside: Outside, error: type[BaseException], plain: bool
) -> None:
    leaving, staying = DurableCollectingFlow(outside), DurableCollectingFlow(outside)
    leaving.ends_the_program = error

    async def first_life() -> None:
        async with machine.engine(leaving) as engine:
            flow = engine.get_flow(DurableCollectingFlow, "c1")
            await (flow.end_the_program_plainly.run() if plain else flow.end_the_program.run())

    async def second_life(after: Machine) -> str:
        async with after.engine(staying) as engine:
            flow = engine.get_flow(DurableCollectingFlow, "c1")
            assert await flow.status() is FlowStatus.RUNNING
            return await (flow.end_the_program_plainly.result() if plain else flow.end_the_program.result())

    with pytest.raises(error):
        play(first_life())
    assert play(second_life(machine.crashed())) == "work"


@scenario
async def test_an_outcome_that_cannot_be_stored_fails_the_step_and_is_never_retried(
    machine: Machine, outside: Outside
) -> None:
    live, replayed = DurableValuesFlow(outside), DurableValuesFlow(outside)
    outside.shut("pause")
    async with machine.engine(live) as engine:
        flow = engine.get_flow(DurableValuesFlow, "v1")
        await flow.survive_nan.start()
        await outside.arrived("pause")
        measure, _ = await flow.history()
        assert (measure.status, measure.attempts) == (Status.FAILED, 1)
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        assert await engine.get_flow(DurableValuesFlow, "v1").survive_nan.result() == "survived"
    assert live.flow_saw == replayed.flow_saw
    (message,) = live.flow_saw
    assert "measure (step 1 of flow v1)" in str(message)
    assert outside.seen.count("measure") == 1


@scenario
async def test_a_result_of_a_flow_that_cannot_be_stored_fails_the_flow(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableValuesFlow(outside)) as engine:
        with pytest.raises(OutcomeNotStorable, match="v1"):
            await engine.get_flow(DurableValuesFlow, "v1").return_nan.run()


def test_the_example_of_an_outcome_that_cannot_be_stored_is_one() -> None:
    assert math.isnan(asyncio.run(ValuesFlow(Outside()).measure()))


@scenario
async def test_a_body_that_ignores_its_cancellation_ends_as_it_likes_live_and_replayed(
    machine: Machine, outside: Outside
) -> None:
    outside.shut("stubborn", "last")
    async with machine.engine(DurableRaceFlow(outside)) as engine:
        race = engine.get_flow(DurableRaceFlow, "r1")
        await race.race.start("stubborn")
        await outside.arrived("last")
        await machine.until(lambda: machine.statuses("r1")[1] is Status.COMPLETE)
        after = machine.crashed()
        outside.open("last")
        assert await race.race.result() == "fast, last, stubborn to the end"
    async with after.engine(DurableRaceFlow(outside)) as engine:
        assert await engine.get_flow(DurableRaceFlow, "r1").race.result() == "fast, last, stubborn to the end"
    assert outside.seen.count("stubborn") == 1
    assert outside.seen.count("stubborn asked to stop") == 1
