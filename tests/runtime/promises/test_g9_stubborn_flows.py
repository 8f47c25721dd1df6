"""G9: whatever a flow does while it is thrown out of memory, it runs no step and writes nothing, into no flow."""

from __future__ import annotations

import asyncio
import gc
from typing import Final

import pytest

from persistasaurus.generated import Async
from persistasaurus.records import Status

from .flows_evicted_durable import DurableBystander, DurableStubbornFlow, StubbornFlowInstance
from .machine import Machine
from .scenario import all_is_still, scenario

ASYNC_FLOWS: Final = {
    "cleans_up_in_finally": "yes, cleaned finally",
    "catches_everything": "yes, cleaned at the end",
    "swallows_everything": "yes, cleaned at the end",
    "swallows_everything_and_never_waits": "yes, cleaned at the end",
    "waits_in_finally": "yes, cleaned after a sleep",
    "groups": "yes, cleaned at the end",
    "gathers_more_in_finally": "yes, cleaned a cleaned b",
    "limits_its_time": "yes, cleaned within a minute",
    "generates": "begun, yes, cleaned at the end",
    "keeps_a_generator_open": "yes, 0, 1",
    "enters_a_context": "yes, cleaned before",
    "delays_a_plain_step": "yes, cleaned later",
    "is_part_of_a_cycle": "yes, cleaned at the end",
    "swallows_everything_and_sleeps": "yes, cleaned at the end",
    "swallows_everything_round_a_plain_step": "yes, cleaned later",
}
PLAIN_FLOWS: Final = {
    "cleans_up_in_plain_code": "yes, cleaned finally",
    "swallows_everything_in_plain_code": "yes, cleaned at the end",
    "branches_in_plain_code": "yes, cleaned at the end",
}
ENDINGS: Final = ASYNC_FLOWS | PLAIN_FLOWS

Flow = StubbornFlowInstance[Async]


async def tell(flow: Flow, name: str) -> None:
    """Tell a flow what it waits for."""
    if name in PLAIN_FLOWS:
        await flow.told_plainly.send("yes")
    else:
        await flow.told.send("yes")


@pytest.mark.parametrize("name", ENDINGS)
@scenario
async def test_leaving_memory_runs_no_step_writes_nothing_and_changes_nothing(
    evicting_machine: Machine, name: str
) -> None:
    machine = evicting_machine
    async with machine.engine(DurableStubbornFlow(machine.outside)) as engine:
        flow: Flow = engine.get_flow(DurableStubbornFlow, "f")
        await getattr(flow, name).start()
        await machine.waiting("f")  # and is evicted
        written, seen, record = len(machine.log.writes), list(machine.outside.seen), machine.record("f")
        gc.collect()
        await all_is_still()
        gc.collect()
        assert len(machine.log.writes) == written
        assert machine.outside.seen == seen
        assert machine.record("f") == record
        await tell(flow, name)
        assert await machine.through_time(getattr(flow, name).result()) == ENDINGS[name]
    assert len(machine.outside.seen) == len(set(machine.outside.seen)), "a step ran twice"
    assert Status.PENDING not in machine.statuses("f")


@pytest.mark.parametrize("name", ENDINGS)
@scenario
async def test_closing_the_engine_runs_no_step_and_writes_nothing(memory_machine: Machine, name: str) -> None:
    machine = memory_machine
    async with machine.engine(DurableStubbornFlow(machine.outside)) as engine:
        await getattr(engine.get_flow(DurableStubbornFlow, "f"), name).start()
        await machine.waiting("f")
        written, seen = len(machine.log.writes), list(machine.outside.seen)
    gc.collect()
    assert len(machine.log.writes) == written
    assert machine.outside.seen == seen
    async with machine.engine(DurableStubbornFlow(machine.outside)) as engine:
        flow: Flow = engine.get_flow(DurableStubbornFlow, "f")
        await tell(flow, name)
        assert await machine.through_time(getattr(flow, name).result()) == ENDINGS[name]
    assert len(machine.outside.seen) == len(set(machine.outside.seen)), "a step ran twice"


@scenario
async def test_dying_flows_write_nothing_into_a_flow_that_runs_meanwhile(evicting_machine: Machine) -> None:
    machine = evicting_machine
    threshold = gc.get_threshold()
    gc.set_threshold(1)
    try:
        async with machine.engine(DurableStubbornFlow(machine.outside), DurableBystander(machine.outside)) as engine:
            bystander = engine.get_flow(DurableBystander, "bystander")
            walking = asyncio.ensure_future(bystander.walks_by.run(2 * len(ENDINGS)))
            for name in ENDINGS:
                await getattr(engine.get_flow(DurableStubbornFlow, name), name).start()
            await machine.waiting(*ENDINGS)
            await walking
            for name, ending in ENDINGS.items():
                flow: Flow = engine.get_flow(DurableStubbornFlow, name)
                await tell(flow, name)
                assert await machine.through_time(getattr(flow, name).result()) == ending
    finally:
        gc.set_threshold(*threshold)
    assert machine.names("bystander") == ["count"] * (2 * len(ENDINGS))
    assert Status.PENDING not in machine.statuses("bystander")


@pytest.mark.parametrize("name", ["swallows_everything_and_never_waits", "swallows_everything_in_plain_code"])
@scenario
async def test_a_flow_that_will_not_let_go_is_reported(
    evicting_machine: Machine, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    machine = evicting_machine
    async with machine.engine(DurableStubbornFlow(machine.outside)) as engine:
        await getattr(engine.get_flow(DurableStubbornFlow, "f"), name).start()
        await machine.waiting("f")
        await all_is_still()
    assert "a flow body swallows Evicted for ever" in caplog.text
