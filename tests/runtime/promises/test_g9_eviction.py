"""G9: a waiting flow leaves memory after a grace bounded in time and in number, and comes back when it must."""

from __future__ import annotations

import gc
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from .flows_waiting_durable import DurableWaitingFlow
from .machine import Disk, Machine
from .scenario import all_is_still, scenario

SECOND = timedelta(seconds=1)
DISKS = pytest.mark.parametrize("disk", ["memory", "sqlite"])


def in_memory(proxy: DurableWaitingFlow) -> int:
    """How many flows of a proxy are in memory."""
    gc.collect()
    return len(proxy.ballasts)


@DISKS
@scenario
async def test_a_waiting_flow_stays_in_memory_for_its_grace_and_then_leaves_it(disk: Disk, tmp_path: Path) -> None:
    machine = Machine(disk, tmp_path, waiting_grace=10 * SECOND)
    proxy = DurableWaitingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        await machine.waiting("f")
        machine.clock.advance(9 * SECOND)
        await all_is_still()
        assert in_memory(proxy) == 1
        machine.clock.advance(SECOND)
        await all_is_still()
        assert in_memory(proxy) == 0
        await flow.answered.send("yes")
        assert await flow.asks.result() == "question, yes, holding Ballast"
    assert proxy.begun == 2
    assert machine.outside.seen == ["question"]


@scenario
async def test_a_flow_that_goes_on_within_its_grace_is_not_replayed(tmp_path: Path) -> None:
    machine = Machine("memory", tmp_path, waiting_grace=10 * SECOND)
    proxy = DurableWaitingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        await machine.waiting("f")
        machine.clock.advance(9 * SECOND)
        await flow.answered.send("yes")
        await flow.asks.result()
    assert proxy.begun == 1


@DISKS
@scenario
async def test_more_waiting_flows_than_may_stay_leave_at_once_oldest_first(disk: Disk, tmp_path: Path) -> None:
    machine = Machine(disk, tmp_path, waiting_grace=3600 * SECOND, max_waiting_in_memory=3)
    proxy = DurableWaitingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flows = [engine.get_flow(DurableWaitingFlow, f"flow-{number}") for number in range(5)]
        for flow in flows:
            await flow.asks.start()
            await machine.waiting(flow.flow_id)
        await all_is_still()
        assert in_memory(proxy) == 3
        for flow in flows:
            await flow.answered.send(flow.flow_id)
            assert await flow.asks.result() == f"question, {flow.flow_id}, holding Ballast"
    assert proxy.begun == 5 + 2  # the two oldest ones were replayed


@DISKS
@scenario
async def test_no_waiting_flow_need_stay_in_memory_at_all(disk: Disk, tmp_path: Path) -> None:
    machine = Machine(disk, tmp_path, waiting_grace=3600 * SECOND, max_waiting_in_memory=0)
    proxy = DurableWaitingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flow_ids = [f"flow-{number}" for number in range(100)]
        for flow_id in flow_ids:
            await engine.get_flow(DurableWaitingFlow, flow_id).asks.start()
        await machine.waiting(*flow_ids)
        await all_is_still()
        assert in_memory(proxy) == 0


@scenario
async def test_plain_flows_leave_memory_as_well_and_hold_no_thread(evicting_machine: Machine) -> None:
    machine = evicting_machine
    proxy = DurableWaitingFlow(machine.outside)
    threads = threading.active_count()
    async with machine.engine(proxy) as engine:
        flow_ids = [f"flow-{number}" for number in range(50)]
        for flow_id in flow_ids:
            await engine.get_flow(DurableWaitingFlow, flow_id).asks_in_plain_code.start()
        await machine.waiting(*flow_ids)
        await all_is_still()
        assert in_memory(proxy) == 0
        assert threading.active_count() == threads
        machine.clock.advance(timedelta(days=1))
        for flow_id in flow_ids:
            flow = engine.get_flow(DurableWaitingFlow, flow_id)
            await flow.answered_in_plain_code.send(flow_id)
            assert await flow.asks_in_plain_code.result() == f"{flow_id}, holding Ballast"


@scenario
async def test_a_flow_with_a_running_body_stays(evicting_machine: Machine) -> None:
    machine = evicting_machine
    machine.outside.shut("work")
    proxy = DurableWaitingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks_and_works.start()
        await machine.outside.arrived("work")
        machine.clock.advance(timedelta(days=365))
        await all_is_still()
        assert in_memory(proxy) == 1
        machine.outside.open("work")
        await machine.waiting("f")
        await all_is_still()
        assert in_memory(proxy) == 0
        await flow.answered.send("yes")
        assert await flow.asks_and_works.result() == "work, yes, holding Ballast"
    assert machine.outside.seen == ["work"]


@scenario
async def test_a_flow_stays_until_all_it_put_is_durable(evicting_machine: Machine) -> None:
    machine = evicting_machine
    proxy = DurableWaitingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        machine.outside.shut("question")
        await flow.asks.start()
        await machine.outside.arrived("question")
        machine.log.keep_silent()
        machine.outside.open("question")
        await machine.until(lambda: machine.names("f") == ["mail", "answered"])
        await all_is_still()
        assert in_memory(proxy) == 1
        machine.log.tell_all()
        await machine.waiting("f")
        assert in_memory(proxy) == 0


@scenario
async def test_every_wait_of_a_flow_may_be_replayed(evicting_machine: Machine) -> None:
    machine = evicting_machine
    proxy = DurableWaitingFlow(machine.outside)
    async with machine.engine(proxy) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        assert await machine.through_time(flow.reminds.run(3)) == "reminder 0, reminder 1, reminder 2"
    assert proxy.begun == 1 + 2 * 3  # once for each wait, each time limit and each sleep
    assert machine.outside.seen == ["reminder 0", "reminder 1", "reminder 2"]


@scenario
async def test_a_flow_that_left_memory_still_gets_signals_in_order(evicting_machine: Machine) -> None:
    machine = evicting_machine
    async with machine.engine(DurableWaitingFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        await flow.asks.start()
        await machine.waiting("f")
        await flow.answered.send("first")
        await flow.answered.send("second")
        assert await flow.asks.result() == "question, first, holding Ballast"
