"""G13: bad input gets an error that says what is wrong and what to do, and nothing recorded is lost or overwritten."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from persistasaurus import (
    CorruptRow,
    DuplicateFlow,
    Engine,
    FlowConflict,
    FlowParked,
    FlowStatus,
    LogInUse,
    LogUnavailable,
    NewerSchema,
    NotAnExecutionLog,
    OutcomeNotStorable,
    UnknownFlow,
    ValueNotStorable,
    ValueTooLarge,
)
from persistasaurus.records import Status
from persistasaurus.testing import InMemoryLog

from .flows_asyncio import AsyncioFlow
from .flows_asyncio_durable import DurableAsyncioFlow
from .flows_billing_v1_durable import DurableBillingFlow as FirstBillingFlow
from .flows_billing_v2_durable import DurableBillingFlow as SecondBillingFlow
from .flows_large_durable import DurableLargeFlow
from .flows_waiting_durable import DurableWaitingFlow
from .machine import Machine, Outside
from .scenario import all_is_still, scenario

# -- flows that are not there ----------------------------------------


@scenario
async def test_an_unknown_flow_id_is_named_and_says_what_to_do(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "nobody")
        for ask in (flow.asks.result, flow.status, flow.history, flow.resume):
            with pytest.raises(UnknownFlow, match="there is no flow 'nobody' in this log: start it with") as caught:
                await ask()
            assert caught.value.flow_id == "nobody"
        with pytest.raises(UnknownFlow, match="no flow 'nobody'"):
            await flow.answered.send("yes")
        assert await engine.flows() == []


@scenario
async def test_a_flow_id_taken_by_another_flow_is_a_conflict(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        with pytest.raises(FlowConflict, match=r"taken by WaitingFlow\.asks, it cannot be WaitingFlow\.delays"):
            await flow.delays.run()
        with pytest.raises(FlowConflict, match=r"flow f is WaitingFlow\.asks, not WaitingFlow\.delays"):
            await flow.delays.result()


@scenario
async def test_a_signal_of_another_class_is_a_conflict(machine: Machine) -> None:
    flows = DurableWaitingFlow(machine.outside), DurableAsyncioFlow(machine.outside)
    async with machine.engine(*flows) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").asks.start()
        with pytest.raises(FlowConflict, match="cannot get the signal"):
            await engine.get_flow(DurableAsyncioFlow, "f").approved.send("x")


@pytest.mark.parametrize("method", ["run", "start"])
@scenario
async def test_other_arguments_than_those_on_record_are_a_conflict_that_shows_both(
    machine: Machine, method: str
) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        sleeps = engine.get_flow(DurableWaitingFlow, "f").sleeps
        await sleeps.start(1000)
        with pytest.raises(FlowConflict, match=r'was started with \{"seconds":1000.*cannot be run with \{"seconds":1'):
            await getattr(sleeps, method)(1)


@scenario
async def test_resuming_a_flow_that_is_not_parked_is_a_conflict(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        await machine.waiting("f")
        with pytest.raises(FlowConflict, match="flow f is WAITING, only a PARKED flow is resumed"):
            await flow.resume()


@scenario
async def test_a_result_that_takes_too_long_is_a_timeout_and_the_flow_goes_on(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        with pytest.raises(TimeoutError, match=r"flow f \(WaitingFlow\.asks\) has not ended within .*; it goes on"):
            await flow.asks.result(timeout=timedelta(milliseconds=1))
        await flow.answered.send("yes")
        assert await flow.asks.result(timeout=timedelta(minutes=1)) == "question, yes, holding Ballast"


# -- flow ids ----------------------------------------


@pytest.mark.parametrize(
    ("flow_id", "message"),
    [
        ("", "a flow id has 1 to 512 characters, this one has 0"),
        ("x" * 513, "this one has 513"),
        ("a\0b", "cannot hold NUL or lone surrogates"),
        ("\ud800", "cannot hold NUL or lone surrogates"),
    ],
)
@scenario
async def test_a_flow_id_that_cannot_be_stored_is_refused(memory_machine: Machine, flow_id: str, message: str) -> None:
    async with memory_machine.engine(DurableWaitingFlow(memory_machine.outside)) as engine:
        with pytest.raises(ValueError, match=message):
            engine.get_flow(DurableWaitingFlow, flow_id)


@scenario
async def test_a_flow_id_of_another_type_is_refused(memory_machine: Machine) -> None:
    number: Any = 42
    async with memory_machine.engine(DurableWaitingFlow(memory_machine.outside)) as engine:
        with pytest.raises(TypeError, match="a flow id is a str, not int: 42"):
            engine.get_flow(DurableWaitingFlow, number)


@pytest.mark.parametrize("flow_id", ["x" * 512, "Bestellung 42/ü", "'; DROP TABLE execution_log; --", "🦕", " ", "%_"])
@scenario
async def test_any_other_text_is_a_flow_id(machine: Machine, flow_id: str) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "bystander").asks.start()
        await engine.get_flow(DurableWaitingFlow, flow_id).asks.start()
        await machine.waiting(flow_id, "bystander")
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, flow_id)
        await flow.answered.send("yes")
        assert await flow.asks.result() == "question, yes, holding Ballast"
        assert [call.flow_id for call in await flow.history()] == [flow_id] * 2
        assert await engine.get_flow(DurableWaitingFlow, "bystander").status() is FlowStatus.WAITING


# -- engines ----------------------------------------


def test_what_is_no_proxy_object_is_refused_with_what_to_give() -> None:
    for wrong, hint in (
        (
            AsyncioFlow(Outside()),
            r"AsyncioFlow is no proxy object; give a DurableAsyncioFlow\(\.\.\.\), which `persistc",
        ),
        (DurableAsyncioFlow, r"DurableAsyncioFlow is no proxy object; give an object, DurableAsyncioFlow\(\.\.\.\)"),
        (None, "NoneType is no proxy object"),
    ):
        flows: Any = [wrong]
        with pytest.raises(TypeError, match=hint):
            Engine(InMemoryLog(), flows=flows)


@scenario
async def test_get_flow_of_what_is_no_proxy_class_is_refused_with_what_to_give(memory_machine: Machine) -> None:
    wrong: Any = AsyncioFlow
    async with memory_machine.engine(DurableAsyncioFlow(memory_machine.outside)) as engine:
        with pytest.raises(TypeError, match=r"AsyncioFlow is no proxy; give the class DurableAsyncioFlow"):
            engine.get_flow(wrong, "f")


def test_two_flows_of_one_name_are_refused_and_both_named() -> None:
    outside = Outside()
    with pytest.raises(DuplicateFlow, match=r"recorded as BillingFlow\.bill: .*_v1.*_v2.*@flow\(name=\.\.\.\)"):
        Engine(InMemoryLog(), flows=[FirstBillingFlow(outside), SecondBillingFlow(outside)])


@pytest.mark.parametrize(
    ("option", "value", "error", "message"),
    [
        ("durabilty", "power", TypeError, r"Engine has no option durabilty; its options are clock, durability"),
        ("durability", "none", ValueError, r"Engine\(durability='none'\): give \"power\" or \"process\""),
        ("max_concurrent_recoveries", 0, ValueError, r"Engine\(max_concurrent_recoveries=0\): give 1 or more"),
        ("max_recoveries", 0, ValueError, "give 1 or more"),
        (
            "waiting_grace",
            timedelta(seconds=-1),
            ValueError,
            r"Engine\(waiting_grace=.*: give a duration of zero or more",
        ),
        ("closing_grace", timedelta(seconds=-1), ValueError, "give a duration of zero or more"),
        ("max_waiting_in_memory", -1, ValueError, "give 0 or more"),
        ("threads", 0, ValueError, "give 1 or more"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(
    option: str, value: object, error: type[Exception], message: str
) -> None:
    options: Any = {option: value}
    with pytest.raises(error, match=message):
        Engine(InMemoryLog(), flows=[], **options)


@scenario
async def test_a_second_engine_on_the_same_log_object_is_refused_and_the_first_goes_on(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        second = Engine(machine.log.inner, flows=[DurableWaitingFlow(machine.outside)])
        with pytest.raises(LogInUse, match="another engine"):
            await second.open()
        await second.close()
        await flow.answered.send("yes")
        assert await flow.asks.result() == "question, yes, holding Ballast"


@scenario
async def test_an_engine_that_could_not_open_may_try_again(machine: Machine) -> None:
    late = Engine(machine.log.inner, flows=[DurableWaitingFlow(machine.outside)])
    async with machine.engine(DurableWaitingFlow(machine.outside)):
        with pytest.raises(LogInUse):
            await late.open()
    async with late:
        assert await late.flows() == []


# -- files ----------------------------------------


def another_database(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE customers (name TEXT)")
    connection.close()


def newer_log(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1000")
    connection.close()


@scenario
async def test_a_file_that_is_something_else_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    text, database = tmp_path / "notes.txt", tmp_path / "customers.db"
    text.write_text("buy milk\n" * 100)
    another_database(database)
    for path in (text, database):
        before = path.read_bytes()
        with pytest.raises(NotAnExecutionLog, match=path.name):
            await Engine(path, flows=[]).open()
        assert path.read_bytes() == before


@scenario
async def test_a_log_of_a_newer_version_is_refused_and_left_as_it_is(sqlite_machine: Machine) -> None:
    async with sqlite_machine.engine(DurableWaitingFlow(sqlite_machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "f").asks.start()
    newer_log(sqlite_machine.path)
    before = sqlite_machine.path.read_bytes()
    with pytest.raises(NewerSchema, match="1000"):
        await Engine(sqlite_machine.path, flows=[]).open()
    assert sqlite_machine.path.read_bytes() == before


@scenario
async def test_a_path_without_a_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(LogUnavailable, match="nowhere"):
        await Engine(tmp_path / "nowhere" / "log.db", flows=[]).open()


# -- values ----------------------------------------


@scenario
async def test_an_argument_that_is_too_large_is_refused_before_anything_is_recorded(memory_machine: Machine) -> None:
    async with memory_machine.engine(DurableLargeFlow()) as engine:
        with pytest.raises(ValueTooLarge, match=r"the arguments of LargeFlow\.echoes .* the log takes 16,777,216"):
            await engine.get_flow(DurableLargeFlow, "f").echoes.run("x" * 17 * 2**20)
        assert await engine.flows() == []


@scenario
async def test_an_argument_of_a_step_that_is_too_large_is_an_error_in_the_flow(memory_machine: Machine) -> None:
    async with memory_machine.engine(DurableLargeFlow()) as engine:
        refused = await engine.get_flow(DurableLargeFlow, "f").gives_a_step_too_much.run()
    assert "ValueTooLarge" in refused
    assert memory_machine.names("f") == ["measure"]  # the one after it


@scenario
async def test_a_result_that_is_too_large_fails_its_step_once(memory_machine: Machine) -> None:
    async with memory_machine.engine(DurableLargeFlow()) as engine:
        with pytest.raises(OutcomeNotStorable):
            await engine.get_flow(DurableLargeFlow, "f").gets_too_much.run()
    assert memory_machine.statuses("f") == [Status.FAILED]
    assert memory_machine.calls("f")[0].attempts == 1


@scenario
async def test_a_value_of_another_type_than_declared_is_refused(machine: Machine) -> None:
    wrong: Any = "soon"
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        with pytest.raises(ValueNotStorable, match="seconds"):
            await flow.sleeps.run(wrong)
        assert await engine.flows() == []
        await flow.asks.start()
        nothing: Any = None
        with pytest.raises(ValueNotStorable, match="text"):
            await flow.answered.send(nothing)


@scenario
async def test_a_missing_or_unknown_argument_is_refused(machine: Machine) -> None:
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        sleeps: Any = engine.get_flow(DurableWaitingFlow, "f").sleeps
        with pytest.raises(TypeError, match="seconds"):
            await sleeps.run()
        with pytest.raises(TypeError, match="minutes"):
            await sleeps.run(1, minutes=2)
        assert await engine.flows() == []


# -- damaged rows ----------------------------------------


async def damage(machine: Machine, statement: str) -> None:
    """Leave two flows behind that wait for an answer, and damage what the log holds of the first."""
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        for flow_id in ("damaged", "sound"):
            await engine.get_flow(DurableWaitingFlow, flow_id).asks.start()
        await machine.waiting("damaged", "sound")
    with sqlite3.connect(machine.path) as connection:
        assert connection.execute(statement).rowcount == 1
    connection.close()


async def sound_flow_ends(engine: Engine) -> None:
    """The flow beside the damaged one comes to its end."""
    sound = engine.get_flow(DurableWaitingFlow, "sound")
    await sound.answered.send("yes")
    assert await sound.asks.result() == "question, yes, holding Ballast"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE execution_log SET return_value = '{' WHERE flow_id = 'damaged' AND step = 1",
        "UPDATE execution_log SET return_value = '42' WHERE flow_id = 'damaged' AND step = 1",
        "UPDATE execution_log SET return_value = CAST(X'22FF22' AS TEXT) WHERE flow_id = 'damaged' AND step = 1",
        "UPDATE execution_log SET status = 'DONE' WHERE flow_id = 'damaged' AND step = 1",
        "UPDATE execution_log SET kind = 'LEAP' WHERE flow_id = 'damaged' AND step = 2",
        "UPDATE execution_log SET delivery = 7 WHERE flow_id = 'damaged' AND step = 1",
        "UPDATE execution_log SET delivered_at = NULL WHERE flow_id = 'damaged' AND step = 1",
        "DELETE FROM execution_log WHERE flow_id = 'damaged' AND step = 1",
        "UPDATE execution_log SET parameters = '[]' WHERE flow_id = 'damaged' AND step = 0",
    ],
)
@scenario
async def test_a_damaged_row_parks_its_flow_and_no_other(sqlite_machine: Machine, statement: str) -> None:
    machine = sqlite_machine
    await damage(machine, statement)
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        damaged = engine.get_flow(DurableWaitingFlow, "damaged")
        await damaged.answered.send("yes")
        with pytest.raises(FlowParked, match="damaged") as caught:
            await damaged.asks.result()
        assert isinstance(caught.value.reason, CorruptRow)
        assert await damaged.status() is FlowStatus.PARKED
        await sound_flow_ends(engine)
    assert machine.outside.seen == ["question", "question"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE execution_log SET status = 'SLEEPING' WHERE flow_id = 'damaged' AND step = 0",
        "UPDATE execution_log SET parameters = CAST(X'FF' AS TEXT) WHERE flow_id = 'damaged' AND step = 0",
        "UPDATE execution_log SET python = CAST(X'FF' AS TEXT), status = 'RUNNING' "
        "WHERE flow_id = 'damaged' AND step = 0",
        "UPDATE execution_log SET python = CAST(X'FF' AS TEXT), due = 1 WHERE flow_id = 'damaged' AND step = 0",
    ],
)
@scenario
async def test_a_damaged_row_of_a_flow_itself_is_said_to_be_and_keeps_no_other_from_going_on(
    sqlite_machine: Machine, statement: str
) -> None:
    machine = sqlite_machine
    await damage(machine, statement)
    machine.outside.shut("work")
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableWaitingFlow, "interrupted").asks_and_works.start()
        await machine.outside.arrived("work")
    machine.outside.open("work")
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        with pytest.raises(CorruptRow, match="damaged"):
            await engine.get_flow(DurableWaitingFlow, "damaged").status()
        await machine.waiting("interrupted")  # younger than the damaged one, it was recovered all the same
        await sound_flow_ends(engine)


@scenario
async def test_a_signal_on_record_that_does_not_fit_parks_its_flow(sqlite_machine: Machine) -> None:
    machine = sqlite_machine
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        machine.outside.shut("work")
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks_and_works.start()
        await machine.outside.arrived("work")
        again = machine.crashed()
    with sqlite3.connect(again.path) as connection:
        connection.execute(
            "INSERT INTO signals (flow_id, signal_id, method_name, arguments, sent_at) "
            "VALUES ('f', '00000000000000001-00000000', 'answered', '{\"text\":7}', 1)"
        )
    connection.close()
    async with again.engine(DurableWaitingFlow(machine.outside)) as engine:
        with pytest.raises(
            FlowParked, match=r"a signal does not fit the code any more: the arguments of WaitingFlow\.answered"
        ):
            await engine.get_flow(DurableWaitingFlow, "f").asks_and_works.result()
        await all_is_still()
