"""`now()`, `uuid4()`, `random()`: in flow code the same live and replayed, without a record of their own (G3)."""

from __future__ import annotations

import random as chance
import re
import uuid
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from persistasaurus import Engine, FlowStatus, now, random, uuid4
from persistasaurus.engine import registered_flows
from persistasaurus.generated import Async
from persistasaurus.log import SEED_SIZE
from persistasaurus.offline import Recorded, rehearse
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_draws import Declined, DrawingFlow, drawn
from .flows_draws_durable import DrawingFlowInstance, DurableDrawingFlow
from .machine import Machine, Outside, play
from .replaying import FLOW_ID, Event, comes, ends, live_and_replay, passes, waits
from .scenario import scenario
from .scenario import waits as until_it_waits

Flow = DrawingFlowInstance[Async]

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
TIME = re.compile(r" at (\S+)")
NIGHT = timedelta(hours=8)
SEED = b"a seed for tests"


def side_by_side(flow: Flow) -> Coroutine[Any, Any, str]:
    return flow.side_by_side.run()


def plainly(flow: Flow) -> Coroutine[Any, Any, str]:
    return flow.plainly.run()


BOTH = pytest.mark.parametrize("run", [side_by_side, plainly])
Run = Callable[[Flow], Coroutine[Any, Any, str]]


# -- live and replayed ------------------------------------------------------------------------------------------------


@BOTH
def test_what_a_flow_and_its_branches_drew_they_draw_again_after_a_crash(machine: Machine, run: Run) -> None:
    events: list[Event] = [comes("north"), comes("southern"), passes(NIGHT.total_seconds())]
    events += [ends("southern"), ends("north"), waits(), passes(5), waits(), passes(3)]
    if run is side_by_side:
        events.append(ends("plain"))
    seen = play(live_and_replay(machine, lambda: DurableDrawingFlow(machine.outside), run, *events))
    assert len(set(UUID.findall(seen))) == (10 if run is side_by_side else 11)
    assert len(set(TIME.findall(seen))) == 4  # at the start, in the morning, and when each timer fired


@BOTH
@scenario
async def test_a_crash_behind_any_write_leaves_what_was_drawn_before_it(memory_machine: Machine, run: Run) -> None:
    async def live(machine: Machine) -> dict[int, str]:
        async with machine.engine(DurableDrawingFlow(machine.outside)) as engine:
            await machine.through_time(run(engine.get_flow(DurableDrawingFlow, FLOW_ID)))
        return {row.step: row.parameters for row in machine.calls(FLOW_ID)}

    lived = await live(memory_machine)
    compared = 0
    for writes in range(1, len(memory_machine.journal)):
        again = memory_machine.crashed(writes)
        on_record = len(again.calls(FLOW_ID))
        again.clock.advance(NIGHT)
        after = await live(again)
        assert again.flow(FLOW_ID).status is FlowStatus.COMPLETE
        assert [after[step] for step in range(1, on_record + 1)] == [lived[step] for step in range(1, on_record + 1)]
        compared += on_record
    assert compared > 20


@scenario
async def test_time_stands_still_between_deliveries_and_never_goes_backwards(machine: Machine) -> None:
    machine.outside.shut("clock")
    async with machine.engine(DurableDrawingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableDrawingFlow, FLOW_ID)
        await flow.tells_the_time.start()
        await machine.outside.arrived("clock")
        machine.clock.advance(timedelta(hours=1))
        machine.outside.open("clock")
        await machine.waiting(FLOW_ID)
        machine.clock.advance(timedelta(hours=-5))
        machine.clock.advance(timedelta(hours=9))
        times = await flow.tells_the_time.result()
    start = "2025-01-01T00:00:00+00:00"
    assert times == [start, "2025-01-01T01:00:00+00:00", "2025-01-01T01:00:00+00:00", "2025-01-01T05:00:00+00:00"]


@scenario
async def test_a_reopened_flow_draws_the_same_up_to_its_failure_and_other_values_from_there_on(
    machine: Machine,
) -> None:
    machine.outside.refuse("charge", Declined())
    async with machine.engine(DurableDrawingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableDrawingFlow, FLOW_ID)
        with pytest.raises(Declined):
            await flow.fails_once.run()
        result = await flow.fails_once.run()  # the clock stands still: it is not the time that makes the difference
    before, charged, failed, charged_again, after = machine.outside.seen
    assert (charged, charged_again) == ("charge", "charge")
    assert [text.partition(" ")[0] for text in (before, failed, after)] == ["before", "failed", "charged"]
    assert len({*UUID.findall(before + failed + after), result}) == 4
    assert [row.method_name for row in machine.calls(FLOW_ID)] == ["note", "charge", "note"]


@BOTH
@scenario
async def test_a_rehearsal_draws_what_the_flow_drew(memory_machine: Machine, run: Run) -> None:
    machine = memory_machine
    async with machine.engine(DurableDrawingFlow(machine.outside)) as engine:
        await machine.through_time(run(engine.get_flow(DurableDrawingFlow, FLOW_ID)))
        seed = machine.log.seed
    proxies = registered_flows([DurableDrawingFlow(machine.outside)])
    recorded = Recorded(machine.flow(FLOW_ID), tuple(machine.calls(FLOW_ID)), ())
    assert rehearse(recorded, proxies, seed=seed) is None
    assert "arguments" in str(rehearse(recorded, proxies, seed=b"the seed of another log"[:SEED_SIZE]))


# -- what the values depend on ----------------------------------------------------------------------------------------


async def draw_on(log: InMemoryLog, clock: ManualClock, flow_id: str = FLOW_ID, *, more: bool = False) -> list[str]:
    """What `one_after_the_other` draws."""
    async with Engine(log, flows=[DurableDrawingFlow(Outside(), draws_more=more)], clock=clock) as engine:
        flow = engine.get_flow(DurableDrawingFlow, flow_id)
        await flow.one_after_the_other.start()
        await until_it_waits(log, flow_id)
        await flow.told.send("signal")
        return await flow.one_after_the_other.result()


@scenario
async def test_values_are_the_same_in_every_version_of_this_package() -> None:
    drawn = await draw_on(InMemoryLog(seed=SEED), ManualClock())
    assert drawn == [
        "8e9b7ab1-b1cd-4446-aa73-28e6fe017561",
        "bd09b887-b8c9-4579-a593-698f43cabba8",
        "signal",
        "fc00f12f-51ad-4d99-928e-d4e532610ddf",
    ]


@scenario
async def test_another_log_another_id_and_another_start_give_other_values() -> None:
    later = ManualClock(datetime(2025, 1, 1, 0, 0, 0, 1, tzinfo=UTC))
    runs = [
        await draw_on(InMemoryLog(seed=SEED), ManualClock()),
        await draw_on(InMemoryLog(seed=SEED), ManualClock(), "flow-2"),
        await draw_on(InMemoryLog(seed=SEED), later),
        await draw_on(InMemoryLog(), ManualClock()),
        await draw_on(InMemoryLog(), ManualClock()),
    ]
    values = [value for run in runs for value in run if value != "signal"]
    assert len(set(values)) == len(values) == 15


@scenario
async def test_a_draw_put_into_the_code_changes_no_value_behind_the_next_delivery() -> None:
    without = await draw_on(InMemoryLog(seed=SEED), ManualClock())
    assert await draw_on(InMemoryLog(seed=SEED), ManualClock(), more=True) == without


@scenario
async def test_a_flow_under_way_goes_on_though_a_draw_was_put_into_its_code(machine: Machine) -> None:
    async with machine.engine(DurableDrawingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableDrawingFlow, FLOW_ID).one_after_the_other.start()
        await machine.waiting(FLOW_ID)
    async with machine.engine(DurableDrawingFlow(machine.outside, draws_more=True)) as engine:
        flow = engine.get_flow(DurableDrawingFlow, FLOW_ID)
        await flow.told.send("signal")
        assert (await flow.one_after_the_other.result())[2] == "signal"


@scenario
async def test_drawing_writes_nothing_and_takes_no_step_number(machine: Machine) -> None:
    async with machine.engine(DurableDrawingFlow(machine.outside)) as engine:
        await engine.get_flow(DurableDrawingFlow, FLOW_ID).one_after_the_other.start()
        await machine.waiting(FLOW_ID)
    assert machine.names(FLOW_ID) == ["fetch", "told"]


# -- elsewhere --------------------------------------------------------------------------------------------------------


@scenario
async def test_a_flow_that_leaves_memory_gets_no_values_any_more(evicting_machine: Machine) -> None:
    machine = evicting_machine
    proxy = DurableDrawingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flow = engine.get_flow(DurableDrawingFlow, FLOW_ID)
        await flow.leaves_memory.start()
        await machine.waiting(FLOW_ID)
        assert proxy.met == ["now: Evicted", "uuid4: Evicted", "random: Evicted"]
        await flow.told.send("something")
        assert await flow.leaves_memory.result() == "something"
    assert proxy.met == ["now: Evicted", "uuid4: Evicted", "random: Evicted"]


def test_outside_of_flows_they_are_what_their_names_say() -> None:
    before = datetime.now(UTC)
    assert before <= now() <= datetime.now(UTC)
    assert now().tzinfo is UTC
    assert uuid4() != uuid4()
    assert uuid4().version == 4
    assert isinstance(random(), chance.Random)
    assert random().getrandbits(128) != random().getrandbits(128)
    assert UUID.match(drawn())


def test_a_flow_class_without_an_engine_is_a_plain_class() -> None:
    plain = DrawingFlow(Outside())
    assert play(plain.time_in_a_step()) <= datetime.now(UTC).isoformat()
    assert len(UUID.findall(plain.fetch_plainly("north", drawn()))) == 1


@scenario
async def test_the_values_are_of_their_kinds_in_flow_code() -> None:
    values = await draw_on(InMemoryLog(), ManualClock())
    for value in (values[0], values[1], values[3]):
        assert (uuid.UUID(value).version, uuid.UUID(value).variant) == (4, uuid.RFC_4122)
