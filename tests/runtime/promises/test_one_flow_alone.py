"""What goes wrong with one flow is no matter for the others, and nobody waits for it for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest

from persistasaurus import CorruptRow, Engine, FlowParked, FlowStatus, Status
from persistasaurus.records import CallChanged, FlowRow, Send, SignalRow, Write, flow_of
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_alone_durable import DurableAloneFlow
from .machine import Machine, Outside, WatchedLog
from .scenario import all_is_still, scenario, waits


class FaultyLog(WatchedLog):
    """A log with a fault: it takes no outcome of a flow called "cursed"."""

    def put(self, write: Write) -> int:
        if isinstance(write, CallChanged) and flow_of(write) == "cursed":
            raise ZeroDivisionError("a fault in the log")
        return super().put(write)


class CountingLog(WatchedLog):
    """A log that counts how often a flow's row is read."""

    reads = 0

    def flow(self, flow_id: str) -> FlowRow | None:
        self.reads += 1
        return super().flow(flow_id)


@scenario
async def test_a_fault_that_meets_one_flow_parks_it_alone(memory_machine: Machine, outside: Outside) -> None:
    machine = memory_machine
    machine.log = FaultyLog(InMemoryLog())
    machine.outside.shut("alice")
    async with machine.engine(DurableAloneFlow(machine.outside)) as engine:
        flows = [engine.get_flow(DurableAloneFlow, flow_id) for flow_id in ("before", "cursed", "after")]
        for flow in flows:
            await flow.greets.start("alice")
        await machine.outside.arrived("alice", times=3)
        machine.outside.open("alice")
        assert await flows[0].greets.result() == "hello alice"
        assert await flows[2].greets.result() == "hello alice"
        with pytest.raises(FlowParked, match="a fault in the log"):
            await flows[1].greets.result()


@scenario
async def test_an_error_with_thousands_of_causes_fails_its_flow(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableAloneFlow(outside)) as engine:
        with pytest.raises(ValueError, match="4999"):
            await engine.get_flow(DurableAloneFlow, "f").fails_after.run(5000)
        assert machine.flow("f").status is FlowStatus.FAILED


@scenario
async def test_a_flow_held_up_beyond_the_time_of_a_timer_is_not_read_again_and_again(evicting_machine: Machine) -> None:
    machine = evicting_machine
    log = machine.log = CountingLog(InMemoryLog())
    async with machine.engine(DurableAloneFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableAloneFlow, "f")
        await flow.holds_itself_up.start()
        await machine.waiting("f")
        machine.clock.advance(timedelta(seconds=6))
        await all_is_still()
        reads = log.reads
        await all_is_still()
        assert log.reads == reads
        machine.clock.advance(timedelta(hours=1))
        assert await flow.holds_itself_up.result() == "hello, rung"


@scenario
async def test_a_signal_that_does_not_fit_parks_a_flow_that_is_held_up(machine: Machine, outside: Outside) -> None:
    outside.shut("plainly")
    async with machine.engine(DurableAloneFlow(outside)) as engine:
        flow = engine.get_flow(DurableAloneFlow, "f")
        await flow.is_told_while_held_up.start()
        await outside.arrived("plainly")
        # As another version of the program would have sent it.
        runner = engine._runner
        assert runner is not None
        signal = SignalRow("0-0", "f", "tell", None, '{"whatever":1}', 0)
        await runner.ask(Send(signal), lambda flow: runner.signal_stored(signal, flow))
        with pytest.raises(FlowParked, match="a signal does not fit") as caught:
            await flow.is_told_while_held_up.result()
        assert isinstance(caught.value.reason, CorruptRow)
        outside.open("plainly")


@scenario
async def test_a_flow_held_up_by_a_delay_waits_and_leaves_memory_whatever_comes_meanwhile(
    evicting_machine: Machine,
) -> None:
    machine = evicting_machine
    async with machine.engine(DurableAloneFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableAloneFlow, "f")
        await flow.is_told_while_held_up_for_an_hour.start()
        await machine.waiting("f")
        await flow.tell.send("it is late")
        await machine.until(lambda: machine.calls("f")[0].status is Status.COMPLETE)
        await machine.waiting("f")
        await all_is_still()
        assert engine._runner is not None
        assert "f" not in engine._runner.executions
        machine.clock.advance(timedelta(minutes=10))
        await machine.outside.arrived("slowly")  # what is delayed beside it starts in time
        await machine.waiting("f")
        machine.clock.advance(timedelta(minutes=50))
        assert await flow.is_told_while_held_up_for_an_hour.result() == "hello, it is late, hello there"
        assert machine.outside.seen == ["slowly"]


@scenario
async def test_a_signal_on_record_that_does_not_fit_parks_a_flow_that_comes_back_held_up() -> None:
    outside = Outside()
    log, clock = InMemoryLog(), ManualClock()
    async with Engine(log, flows=[DurableAloneFlow(outside)], clock=clock) as engine:
        flow = engine.get_flow(DurableAloneFlow, "f")
        await flow.is_told_while_held_up_for_an_hour.start()
        await waits(log, "f")
    log.open(lambda commit: None)
    log.put(Send(SignalRow("0-0", "f", "tell", None, '{"whatever":1}', 0)))  # as another version would have sent it
    log.close()
    async with Engine(log, flows=[DurableAloneFlow(outside)], clock=clock) as engine:
        flow = engine.get_flow(DurableAloneFlow, "f")
        with pytest.raises(FlowParked, match="a signal does not fit"):
            await flow.is_told_while_held_up_for_an_hour.result()
        assert await flow.status() is FlowStatus.PARKED
