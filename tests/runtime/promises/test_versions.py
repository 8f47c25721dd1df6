"""Versions of flows: each runs to its end on the version it was started on, and is parked where that is gone (G5)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from persistasaurus import (
    CorruptRow,
    FlowConflict,
    FlowNotReopened,
    FlowParked,
    FlowStatus,
    IncompatibleChange,
    NotRunByEngine,
)
from persistasaurus.engine import registered_flows
from persistasaurus.log import SEED_SIZE
from persistasaurus.offline import FlowTypes, Recorded, rehearse
from persistasaurus.records import FlowRow, InvocationRow

from .machine import Machine, Outside
from .placing import FIRST, KEPT, RENUMBERED, SECOND
from .scenario import all_is_still, scenario

LEFT_TO_OTHERS = timedelta(seconds=5)
"""How long an engine leaves a flow of a version it lacks to engines that have it."""

OLD = "book for ann"
OLD_CALLS = ["reserve", "paid", "ship"]
NEW_CALLS = ["paid", "reserve", "ship"]


def placing(program: Any, machine: Machine) -> Any:
    """The proxy of a program."""
    return program.DurablePlacingFlow(machine.outside)


def flow_of(program: Any, engine: Any, flow_id: str = "f") -> Any:
    """The flow instance of a program."""
    return engine.get_flow(program.DurablePlacingFlow, flow_id)


async def start_on_the_first(machine: Machine, flow_id: str = "f") -> None:
    """Start a flow on version 1, and have it wait for its signal."""
    async with machine.engine(placing(FIRST, machine)) as engine:
        await flow_of(FIRST, engine, flow_id).place.start("book")
        await machine.waiting(flow_id)


async def is_parked(machine: Machine) -> None:
    """Let time pass until an engine that lacks the version has left the flow to others, in vain."""
    while machine.flow("f").status is not FlowStatus.PARKED:
        await all_is_still()
        machine.clock.advance(timedelta(seconds=1))


def unchanged(machine: Machine, before: tuple[FlowRow, list[InvocationRow]]) -> bool:
    """Whether all that a flow has done is on record as it was."""
    return machine.calls("f") == before[1] and machine.flow("f").parameters == before[0].parameters


# -- one engine after the other ---------------------------------------------------------------------------------------


@scenario
async def test_a_flow_under_way_ends_on_its_version_and_a_new_one_starts_on_the_newest(machine: Machine) -> None:
    await start_on_the_first(machine)
    async with machine.engine(placing(KEPT, machine)) as engine:
        old, new = flow_of(KEPT, engine), flow_of(KEPT, engine, "g")
        await new.place.start("pen", quantity=3)
        await old.paid.send("ann")
        await new.paid.send("bob")
        assert await old.place.result() == OLD
        assert await new.place.result() == KEPT.Receipt("pen", 3, "bob")
        assert {found.flow_id: found.version for found in await engine.flows()} == {"f": 1, "g": 2}
    assert (machine.names("f"), machine.names("g")) == (OLD_CALLS, NEW_CALLS)
    assert {machine.flow("f").name, machine.flow("g").name} == {"PlacingFlow.place"}


@scenario
async def test_a_flow_with_a_name_of_its_own_and_another_colour_ends_on_its_version(machine: Machine) -> None:
    async with machine.engine(placing(FIRST, machine)) as engine:
        await flow_of(FIRST, engine).take_back.start("book")
        await machine.waiting("f")
    async with machine.engine(placing(KEPT, machine)) as engine:
        await flow_of(KEPT, engine, "g").take_back.start("pen")
        await machine.waiting("f", "g")
        machine.clock.advance(timedelta(minutes=1))
        assert await flow_of(KEPT, engine).take_back.result() == 1
        assert await flow_of(KEPT, engine, "g").take_back.result() == "pen is as new"
    assert {machine.flow(flow_id).name for flow_id in "fg"} == {"returns"}


@scenario
async def test_wherever_a_crash_strikes_a_started_flow_ends_on_the_version_it_was_started_on(
    memory_machine: Machine,
) -> None:
    async with memory_machine.engine(placing(FIRST, memory_machine)) as engine:
        await flow_of(FIRST, engine).place.start("book")
        await flow_of(FIRST, engine).paid.send("ann")
        await flow_of(FIRST, engine).place.result()
    for writes in range(len(memory_machine.journal) + 1):
        again = memory_machine.crashed(writes)
        async with again.engine(placing(KEPT, again)) as engine:
            flow = flow_of(KEPT, engine)
            was_started = again.log.flow("f") is not None
            await flow.place.start("book")
            if not again.log.unread_signals("f") and not again.log.inner.taken_signals("f"):
                await flow.paid.send("ann")
            result = await flow.place.result()
        assert result == (OLD if was_started else KEPT.Receipt("book", 1, "ann"))
        assert again.names("f") == (OLD_CALLS if was_started else NEW_CALLS)
        assert again.flow("f").version == (1 if was_started else 2)


@scenario
async def test_a_flow_whose_version_is_gone_is_parked_and_goes_on_when_it_is_back(machine: Machine) -> None:
    await start_on_the_first(machine)
    before = machine.record("f")
    async with machine.engine(placing(SECOND, machine)) as engine:
        flow = flow_of(SECOND, engine)
        await flow.paid.send("ann")
        await is_parked(machine)
        assert unchanged(machine, before)
        with pytest.raises(
            FlowParked,
            match=r"started on version 1 of PlacingFlow\.place, of which this code has no body; it has version 2 "
            r"\(placing_second\.py:\d+\)\. Put its body back, as @flow\(version=1, of=place\): "
            r"`persistc keep PlacingFlow\.place` takes it from git\. It goes on by itself with code that fits",
        ) as parked:
            await flow.place.result()
        assert isinstance(parked.value.reason, IncompatibleChange)
    async with machine.engine(placing(KEPT, machine)):
        await machine.until(lambda: machine.flow("f").status is FlowStatus.COMPLETE)
    assert machine.flow("f").return_value == f'"{OLD}"'
    assert machine.names("f") == OLD_CALLS


@scenario
async def test_an_interrupted_flow_whose_version_is_gone_is_parked_and_its_step_runs_again_when_it_is_back(
    machine: Machine,
) -> None:
    machine.outside.shut("reserve book")
    async with machine.engine(placing(FIRST, machine)) as engine:
        await flow_of(FIRST, engine).place.start("book")
        await machine.outside.arrived("reserve book")
    async with machine.engine(placing(SECOND, machine)) as engine:
        waits = asyncio.ensure_future(flow_of(SECOND, engine).place.run("book"))
        await is_parked(machine)
        with pytest.raises(FlowParked, match="version 1"):
            await waits
    machine.outside.open("reserve book")
    async with machine.engine(placing(KEPT, machine)) as engine:
        await flow_of(KEPT, engine).paid.send("ann")
        assert await flow_of(KEPT, engine).place.run("book") == OLD
    assert machine.outside.seen == ["reserve book", "reserve book", "ship 1 book"]


@scenario
async def test_a_flow_started_by_newer_code_is_parked_by_older_and_goes_on_under_the_newer(machine: Machine) -> None:
    async with machine.engine(placing(KEPT, machine)) as engine:
        await flow_of(KEPT, engine).place.start("book", 2)
        await machine.waiting("f")
    async with machine.engine(placing(FIRST, machine)) as engine:
        await flow_of(FIRST, engine).paid.send("ann")
        await is_parked(machine)
        with pytest.raises(
            FlowParked, match=r"version 2 of .* has version 1 .*started by newer code: deploy that again"
        ):
            await flow_of(FIRST, engine).place.result()
    async with machine.engine(placing(SECOND, machine)) as engine:
        assert await flow_of(SECOND, engine).place.result() == SECOND.Receipt("book", 2, "ann")


@scenario
async def test_another_number_alone_is_other_code(machine: Machine) -> None:
    await start_on_the_first(machine)
    async with machine.engine(placing(RENUMBERED, machine)) as engine:
        await flow_of(RENUMBERED, engine).paid.send("ann")
        await is_parked(machine)
    async with machine.engine(placing(FIRST, machine)):
        await machine.until(lambda: machine.flow("f").status is FlowStatus.COMPLETE)


@scenario
async def test_resuming_a_flow_whose_version_is_gone_parks_it_again(machine: Machine) -> None:
    await start_on_the_first(machine)
    async with machine.engine(placing(SECOND, machine)) as engine:
        flow = flow_of(SECOND, engine)
        await flow.paid.send("ann")
        await is_parked(machine)
        await flow.resume()
        assert machine.flow("f").status is FlowStatus.RUNNING
        await is_parked(machine)


@scenario
async def test_a_rehearsal_runs_the_body_of_the_flows_version_and_says_if_it_is_gone(memory_machine: Machine) -> None:
    machine = memory_machine
    await start_on_the_first(machine)
    recorded = Recorded(machine.flow("f"), tuple(machine.calls("f")), ())
    seed = bytes(SEED_SIZE)  # these bodies draw nothing
    assert rehearse(recorded, registered_flows([placing(KEPT, machine)]), seed=seed) is None
    problem = rehearse(recorded, registered_flows([placing(SECOND, machine)]), seed=seed)
    assert isinstance(problem, IncompatibleChange)
    assert "started on version 1 of PlacingFlow.place" in str(problem)
    types = FlowTypes([KEPT.DurablePlacingFlow.__persistasaurus__])
    found = types.flow(recorded.flow)
    assert found is not None
    assert found[1].name == "place_v1"
    assert FlowTypes([SECOND.DurablePlacingFlow.__persistasaurus__]).flow(recorded.flow) is None


# -- arguments, results, failures -------------------------------------------------------------------------------------


@scenario
async def test_running_an_id_of_an_older_version_joins_it_if_the_arguments_are_the_same(machine: Machine) -> None:
    await start_on_the_first(machine)
    async with machine.engine(placing(KEPT, machine)) as engine:
        flow = flow_of(KEPT, engine)
        await flow.place.start("book")
        await flow.place.start("book", quantity=1)  # what is left out on record is what today's code leaves out
        with pytest.raises(FlowConflict, match=r'was started with \{"item":"book"\}, it cannot be run with .*"pen"'):
            await flow.place.start("pen")
        with pytest.raises(FlowConflict, match=r'cannot be run with .*"quantity":2'):
            await flow.place.run("book", 2)
        await flow.paid.send("ann")
        assert await flow.place.run("book") == OLD
        assert await flow.place.run("book") == OLD
    assert machine.flow("f").version == 1


@scenario
async def test_the_result_of_a_version_that_is_gone_is_read_as_todays_if_it_can_be(machine: Machine) -> None:
    await start_on_the_first(machine)
    async with machine.engine(placing(FIRST, machine)) as engine:
        await flow_of(FIRST, engine).paid.send("ann")
        await flow_of(FIRST, engine).place.result()
    async with machine.engine(placing(KEPT, machine)) as engine:
        assert await flow_of(KEPT, engine).place.result() == OLD
    async with machine.engine(placing(RENUMBERED, machine)) as engine:
        assert await flow_of(RENUMBERED, engine).place.result() == OLD
    async with machine.engine(placing(SECOND, machine)) as engine:
        with pytest.raises(
            CorruptRow,
            match=r"flow f has completed, but its result cannot be read: .*Expected `object`, got `str`.*"
            r"it was started on version 1 of PlacingFlow\.place, of which this code has no body",
        ):
            await flow_of(SECOND, engine).place.result()


@scenario
async def test_a_failed_flow_is_reopened_on_its_version_and_not_without_it(machine: Machine) -> None:
    machine.outside.refuse("ship 1 book", ValueError("no van"))
    await start_on_the_first(machine)
    async with machine.engine(placing(FIRST, machine)) as engine:
        await flow_of(FIRST, engine).paid.send("ann")
        with pytest.raises(ValueError, match="no van"):
            await flow_of(FIRST, engine).place.result()
    before = machine.record("f")
    async with machine.engine(placing(SECOND, machine)) as engine:
        with pytest.raises(FlowNotReopened, match=r"flow f has failed and is not reopened: .*version 1"):
            await flow_of(SECOND, engine).place.run("book")
    assert machine.record("f") == before
    async with machine.engine(placing(KEPT, machine)) as engine:
        assert await flow_of(KEPT, engine).place.run("book") == OLD
    assert machine.outside.seen == ["reserve book", "ship 1 book", "ship 1 book"]


# -- two engines with different code ----------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["a signal through the other", "a signal through its own"])
@scenario
async def test_an_engine_without_the_version_leaves_the_flow_to_one_that_has_it(machine: Machine, how: str) -> None:
    async with (
        machine.engine(placing(KEPT, machine)) as has_it,
        machine.beside(placing(SECOND, machine)) as lacks_it,
    ):
        await start_beside(machine)
        program, engine = (SECOND, lacks_it) if how == "a signal through the other" else (KEPT, has_it)
        await flow_of(program, engine).paid.send("ann")
        results = [flow_of(KEPT, has_it).place.result(), flow_of(KEPT, has_it).place.run("book")]
        assert await asyncio.gather(*results) == [OLD, OLD]
    assert not any(write for write in machine.log.writes if getattr(write, "status", None) is FlowStatus.PARKED)


async def start_beside(machine: Machine) -> None:
    """Start a flow on version 1 through a third engine, which then closes."""
    async with machine.beside(placing(FIRST, machine)) as first:
        await flow_of(FIRST, first).place.start("book")
        await waits_elsewhere(machine)


async def waits_elsewhere(machine: Machine) -> None:
    """Wait until the flow waits, whichever engine runs it."""
    while machine.flow("f").status is not FlowStatus.WAITING:
        await all_is_still()


@scenario
async def test_a_due_flow_is_left_to_the_engine_that_has_its_version(machine: Machine) -> None:
    elsewhere = Outside()
    async with (
        machine.engine(placing(KEPT, machine)) as has_it,
        machine.beside(SECOND.DurablePlacingFlow(elsewhere)),
    ):
        async with machine.beside(placing(FIRST, machine)) as first:
            await flow_of(FIRST, first).take_back.start("book")
            await waits_elsewhere(machine)
        machine.clock.advance(timedelta(minutes=1) + LEFT_TO_OTHERS)
        assert await flow_of(KEPT, has_it).take_back.result() == 1


@scenario
async def test_when_the_engine_that_has_the_version_is_gone_the_other_parks_the_flow(machine: Machine) -> None:
    async with machine.beside(placing(SECOND, machine)) as lacks_it:
        machine.outside.shut("reserve book")
        async with machine.engine(placing(KEPT, machine)):
            async with machine.beside(placing(FIRST, machine)) as first:
                await flow_of(FIRST, first).place.start("book")
                await machine.outside.arrived("reserve book")
            await machine.outside.arrived("reserve book", times=2)
        result = asyncio.ensure_future(flow_of(SECOND, lacks_it).place.result())
        await is_parked(machine)
        with pytest.raises(FlowParked, match="version 1"):
            await result


# -- what a kept body is not ------------------------------------------------------------------------------------------


@scenario
async def test_a_kept_body_is_not_called(memory_machine: Machine) -> None:
    proxy = placing(KEPT, memory_machine)
    with pytest.raises(NotRunByEngine, match=r"place_v1 is the kept body of version 1 of PlacingFlow\.place"):
        await proxy.place_v1("book")
    async with memory_machine.engine(proxy) as engine:
        assert not hasattr(flow_of(KEPT, engine), "place_v1")


def test_a_plain_object_of_a_class_with_kept_bodies_is_plain(tmp_path: Path) -> None:
    outside = Outside()
    plain = KEPT.PlacingFlow(outside)
    asyncio.run(plain.reserve("book"))
    assert outside.seen == ["reserve book"]
