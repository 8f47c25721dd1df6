"""G8: a signal is durable from the moment `send` returns, whether the flow waits for it yet or not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest

from persistasaurus import (
    BlockingEngine,
    CorruptRow,
    Engine,
    ExecutionLog,
    FlowConflict,
    FlowEnded,
    FlowParked,
    FlowStatus,
    Kind,
    Status,
    UnknownFlow,
    ValueNotStorable,
)
from persistasaurus.records import FlowChanged, Send, SignalRow, Write
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_orders_durable import DurableOrderFlow
from .flows_signals_durable import DurableApprovalFlow, DurablePlainApprovalFlow
from .machine import Machine, Outside, WatchedLog
from .scenario import all_is_still, scenario, waits

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def record(log: WatchedLog, write: Write) -> None:
    """Have a write on record in a log that no engine has open."""
    log.inner.open(lambda commit: None)
    log.inner.put(write)
    log.inner.close()


def unreadable_signal(flow_id: str) -> Send:
    """A signal that today's signature does not read, as an earlier version of the program may have sent it."""
    return Send(SignalRow("0-0", flow_id, "approve", None, '{"of":1}', 0))


@scenario
async def test_a_signal_sent_before_the_wait_is_kept(machine: Machine, outside: Outside) -> None:
    outside.shut("prepare")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.prepare_and_ask.start()
        await outside.arrived("prepare")
        await approval.approve.send("alice")
        outside.open("prepare")
        assert await approval.prepare_and_ask.result() == "approved by alice"


@scenario
async def test_a_signal_sent_before_the_wait_is_kept_through_a_crash(machine: Machine, outside: Outside) -> None:
    outside.shut("prepare")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.prepare_and_ask.start()
        await outside.arrived("prepare")
        await approval.approve.send("alice")
        after = machine.crashed()
    outside.open("prepare")
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        assert await approval.prepare_and_ask.result() == "approved by alice"


@scenario
async def test_a_signal_sent_during_the_wait_ends_it(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask.run())
        await machine.waiting("a1")
        (call,) = await approval.history()
        assert (call.kind, call.status, call.attempts) == (Kind.SIGNAL, Status.WAITING_FOR_SIGNAL, 0)
        await approval.approve.send("alice")
        assert await asked == "approved by alice"
        (call,) = await approval.history()
        assert (call.status, call.attempts, call.parameters) == (Status.COMPLETE, 1, '{"by":"alice"}')
    assert outside.seen == ["approve alice"]


@scenario
async def test_a_wait_goes_on_after_a_crash(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        await engine.get_flow(DurableApprovalFlow, "a1").ask.start()
        await machine.waiting("a1")
        after = machine.crashed()
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.approve.send("alice")
        assert await approval.ask.result() == "approved by alice"


@scenario
async def test_a_signal_sent_right_before_a_crash_ends_the_wait_after_it(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.ask.start()
        await machine.waiting("a1")
        await approval.approve.send("alice")
        after = machine.crashed()
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        # Nobody sends and nobody asks: the engine itself finds the signal.
        await after.ended("a1")
        assert await engine.get_flow(DurableApprovalFlow, "a1").ask.run() == "approved by alice"


@scenario
async def test_a_crash_between_the_signal_and_the_end_of_its_step_keeps_the_payload(
    machine: Machine, outside: Outside
) -> None:
    outside.shut("approve alice")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.ask.start()
        await machine.waiting("a1")
        await approval.approve.send("alice")
        await outside.arrived("approve alice")
        after = machine.crashed()
    outside.open("approve alice")
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        assert await approval.ask.result() == "approved by alice"
        (call,) = await approval.history()
        assert (call.attempts, call.status) == (2, Status.COMPLETE)
    assert outside.seen == ["approve alice"] * 2


@scenario
async def test_no_write_between_signal_and_step_loses_the_payload_in_a_crash() -> None:
    """Whatever was durable when the process died: once `Send` was, the flow ends by it."""
    log, outside = InMemoryLog(), Outside()
    async with Engine(log, flows=[DurableApprovalFlow(outside)], clock=ManualClock()) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask.run())
        await approval.ask.start()
        await approval.approve.send("alice")
        assert await asked == "approved by alice"
    sent = next(position for position, write in enumerate(log.journal) if isinstance(write, Send))
    for writes in range(sent + 1, len(log.journal) + 1):
        async with Engine(log.crashed(writes), flows=[DurableApprovalFlow(outside)], clock=ManualClock()) as engine:
            approval = engine.get_flow(DurableApprovalFlow, "a1")
            assert await approval.ask.run() == "approved by alice"


@scenario
async def test_several_signals_for_one_method_queue_up_in_order(machine: Machine, outside: Outside) -> None:
    outside.shut("approve alice")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.ask_twice.start()
        for name in ("alice", "bob", "carol"):
            await approval.approve.send(name)
        await outside.arrived("approve alice")
        after = machine.crashed()
    outside.open("approve alice")
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        assert await approval.ask_twice.result() == "approved by alice, then approved by bob"


@scenario
async def test_a_plain_flow_takes_signals_in_order_and_keeps_them_through_a_crash(
    machine: Machine, outside: Outside
) -> None:
    async with machine.engine(DurablePlainApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurablePlainApprovalFlow, "a1")
        await approval.ask_twice.start()
        await machine.waiting("a1")
        await approval.approve.send("alice")
        await machine.until(lambda: len(machine.calls("a1")) == 2)
        await machine.waiting("a1")
        after = machine.crashed()
    async with after.engine(DurablePlainApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurablePlainApprovalFlow, "a1")
        await approval.approve.send("bob")
        assert await approval.ask_twice.result() == "approved by alice, then approved by bob"
    assert outside.seen == ["approve alice", "approve bob"]


@scenario
async def test_two_waits_take_signals_in_the_order_of_their_numbers(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask_two_at_once.run())
        await machine.waiting("a1")
        await approval.approve.send("alice")
        await approval.approve.send("bob")
        assert await asked == ("approved by alice", "approved by bob")


@pytest.mark.parametrize("order", [["alice", "bob"], ["bob", "alice"]])
@scenario
async def test_waits_with_keys_are_resolved_in_either_order(
    machine: Machine, outside: Outside, order: list[str]
) -> None:
    first, second = order
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.ask_each.start(["alice", "bob"])
        await machine.waiting("a1")
        await approval.approve.keyed(first).send(f"{first} herself")
        await outside.arrived(f"approve {first} herself")
        await machine.until(lambda: Status.COMPLETE in machine.statuses("a1"))
        await machine.waiting("a1")
        after = machine.crashed()
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.approve.keyed(second).send(f"{second} herself")
        assert await approval.ask_each.result() == ["approved by alice herself", "approved by bob herself"]
    assert outside.seen == [f"approve {first} herself", f"approve {second} herself"]


@scenario
async def test_a_wait_takes_only_signals_of_its_key(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask.run())
        await machine.waiting("a1")
        await approval.approve.keyed("alice").send("for another wait")
        await machine.waiting("a1")
        await approval.approve.send("bob")
        assert await asked == "approved by bob"
        keyed = engine.get_flow(DurableApprovalFlow, "a2")
        await keyed.ask_each.start(["alice"])
        await keyed.approve.send("for no key")
        await keyed.approve.keyed("alice").send("alice")
        assert await keyed.ask_each.result() == ["approved by alice"]


@scenario
async def test_a_wait_times_out_and_that_is_on_record(machine: Machine, outside: Outside) -> None:
    outside.shut("decide")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.ask_for_a_day.start()
        await machine.waiting("a1")
        machine.clock.advance(DAY)
        await outside.arrived("decide")
        waited, _ = await approval.history()
        assert (waited.kind, waited.status) == (Kind.SIGNAL, Status.FAILED)
        assert "SignalTimeout" in (waited.return_value or "")
        await approval.approve.send("too late")
        after = machine.crashed()
    outside.open("decide")
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        # In replay the time-out is a fact, though a signal is there now.
        assert await engine.get_flow(DurableApprovalFlow, "a1").ask_for_a_day.result() == "decided alone"


@scenario
async def test_a_time_out_comes_when_it_is_due_after_a_crash_too(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurablePlainApprovalFlow(outside)) as engine:
        await engine.get_flow(DurablePlainApprovalFlow, "a1").ask_for_a_day.start()
        await machine.waiting("a1")
        machine.clock.advance(23 * HOUR)
        after = machine.crashed()
    async with after.engine(DurablePlainApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurablePlainApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask_for_a_day.result())
        await after.waiting("a1")
        assert await approval.status() is FlowStatus.WAITING
        after.clock.advance(HOUR)
        assert await asked == "nobody answered"


@scenario
async def test_a_late_signal_is_kept_for_the_next_wait(machine: Machine, outside: Outside) -> None:
    outside.shut("remind")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.ask_for_a_day_and_then_for_ever.start()
        await machine.waiting("a1")
        machine.clock.advance(DAY)
        await outside.arrived("remind")
        await approval.approve.send("late alice")
        after = machine.crashed()
    outside.open("remind")
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        assert await approval.ask_for_a_day_and_then_for_ever.result() == "reminded, approved by late alice"


@scenario
async def test_a_signal_in_time_ends_the_wait_for_good(machine: Machine, outside: Outside) -> None:
    outside.shut("approve alice")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask_for_a_day.run())
        await machine.waiting("a1")
        await approval.approve.send("alice")
        await outside.arrived("approve alice")
        machine.clock.advance(2 * DAY)  # the body is slow; the wait was over in time
        outside.open("approve alice")
        assert await asked == "approved by alice"


@scenario
async def test_a_signal_for_an_unknown_flow_is_an_error_and_nothing_is_stored(
    machine: Machine, outside: Outside
) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        with pytest.raises(UnknownFlow, match="a1"):
            await approval.approve.send("alice")
        asked = asyncio.ensure_future(approval.ask.run())
        await machine.waiting("a1")
        assert await engine.flows(status=FlowStatus.COMPLETE) == []
        await approval.approve.send("bob")
        assert await asked == "approved by bob"


@pytest.mark.parametrize("ended", [FlowStatus.COMPLETE, FlowStatus.CANCELLED])
@scenario
async def test_a_signal_for_a_flow_that_reads_no_more_is_an_error_and_nothing_is_stored(
    machine: Machine, outside: Outside, ended: FlowStatus
) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        await engine.get_flow(DurableApprovalFlow, "a1").prepare_alone.run()
        after = machine.crashed()
    if ended is FlowStatus.CANCELLED:
        record(after.log, FlowChanged("a1", ended, None, 0, None, None, after.clock.now()))
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        with pytest.raises(FlowEnded, match=rf"a1 is {ended}.*approve.*nothing was stored"):
            await engine.get_flow(DurableApprovalFlow, "a1").approve.send("alice")
        assert after.log.unread_signals("a1") == []


@scenario
async def test_a_signal_for_a_failed_flow_is_stored_for_its_next_round(machine: Machine, outside: Outside) -> None:
    outside.refuse("prepare", ValueError("not today"))
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        with pytest.raises(ValueError, match="not today"):
            await approval.prepare_and_ask.run()
        await approval.approve.send("alice")
        assert await approval.status() is FlowStatus.FAILED
        after = machine.crashed()
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        assert await approval.prepare_and_ask.run() == "approved by alice"


@scenario
async def test_a_signal_whose_body_failed_the_flow_is_not_lost(machine: Machine, outside: Outside) -> None:
    outside.refuse("approve alice", ValueError("who?"))
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.ask.start()
        await approval.approve.send("alice")
        with pytest.raises(ValueError, match="who"):
            await approval.ask.result()
        after = machine.crashed()
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        assert await engine.get_flow(DurableApprovalFlow, "a1").ask.run() == "approved by alice"
    assert outside.seen == ["approve alice"] * 2


@scenario
async def test_a_signal_for_a_parked_flow_is_stored_until_it_is_resumed(machine: Machine, outside: Outside) -> None:
    outside.shut("prepare")
    async with machine.engine(DurableApprovalFlow(outside), max_recoveries=1) as engine:
        await engine.get_flow(DurableApprovalFlow, "a1").prepare_and_ask.start()
        await outside.arrived("prepare")
        after = machine.crashed()
    async with after.engine(DurableApprovalFlow(outside), max_recoveries=1) as engine:
        await outside.arrived("prepare", times=2)
        after = after.crashed()
    outside.open("prepare")
    async with after.engine(DurableApprovalFlow(outside), max_recoveries=1) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await after.ended("a1")
        assert await approval.status() is FlowStatus.PARKED
        await approval.approve.send("alice")
        assert len(after.log.unread_signals("a1")) == 1
        assert await approval.status() is FlowStatus.PARKED
        await approval.resume()
        assert await approval.prepare_and_ask.result() == "approved by alice"


@scenario
async def test_a_recorded_payload_that_today_does_not_decode_parks_the_flow_and_stays(
    machine: Machine, outside: Outside
) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        await engine.get_flow(DurableApprovalFlow, "a1").ask.start()
        await machine.waiting("a1")
        after = machine.crashed()
    record(after.log, unreadable_signal("a1"))
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        with pytest.raises(FlowParked, match="approve") as raised:
            await engine.get_flow(DurableApprovalFlow, "a1").ask.run()
        assert isinstance(raised.value.reason, CorruptRow)
        assert len(after.log.unread_signals("a1")) == 1
        assert after.statuses("a1") == [Status.WAITING_FOR_SIGNAL]
    assert outside.seen == []


@scenario
async def test_a_payload_that_cannot_be_stored_is_refused_and_nothing_is(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask.run())
        await machine.waiting("a1")
        with pytest.raises(ValueNotStorable, match="by"):
            await approval.approve.send(7)  # type: ignore[arg-type]  # what a program without a type checker may do
        with pytest.raises(TypeError):
            await approval.approve.send()  # type: ignore[call-arg]  # the same
        await approval.approve.send("alice")
        assert await asked == "approved by alice"


@scenario
async def test_a_signal_of_another_flow_class_is_refused(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableApprovalFlow(outside), DurableOrderFlow(outside)) as engine:
        outside.shut("reserve")
        await engine.get_flow(DurableOrderFlow, "o1").place.start("book")
        with pytest.raises(FlowConflict, match=r"o1.*OrderFlow\.place.*ApprovalFlow\.approve"):
            await engine.get_flow(DurableApprovalFlow, "o1").approve.send("alice")
        assert machine.log.unread_signals("o1") == []


@pytest.mark.parametrize("make_log", [InMemoryLog, lambda: SqliteLog("race.db", durability="process")])
def test_a_wait_and_a_signal_that_race_from_two_threads_find_each_other(
    make_log: Callable[[], ExecutionLog], tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("race"))
    outside, count = Outside(), 100
    with BlockingEngine(make_log(), flows=[DurableApprovalFlow(outside), DurablePlainApprovalFlow(outside)]) as engine:
        approvals = [engine.get_flow(DurableApprovalFlow, f"a{number}") for number in range(count)]
        together = threading.Barrier(2)

        def send_all() -> None:
            for approval in approvals:
                together.wait()
                approval.approve.send("alice")

        sender = threading.Thread(target=send_all)
        sender.start()
        for approval in approvals:
            approval.prepare_and_ask.start()
            together.wait()
        assert [approval.prepare_and_ask.result() for approval in approvals] == ["approved by alice"] * count
        sender.join()


@scenario
async def test_a_signal_that_crosses_the_wait_for_it_wakes_the_flow_after_a_crash() -> None:
    log, clock, outside = InMemoryLog(auto_commit=False), ManualClock(), Outside()
    outside.shut("prepare")
    engine = Engine(log, flows=[DurableApprovalFlow(outside)], clock=clock, closing_grace=timedelta(0))
    await engine.open()
    approval = engine.get_flow(DurableApprovalFlow, "a1")
    started = asyncio.ensure_future(approval.prepare_and_ask.start())
    await asyncio.sleep(0)
    log.commit()
    await started
    log.commit()
    await outside.arrived("prepare")
    sending = asyncio.ensure_future(approval.approve.send("alice"))
    await asyncio.sleep(0)
    assert log.queued == 1  # the signal; the flow has not heard of it and goes on to wait
    outside.open("prepare")
    await all_is_still()
    after_power_cut = [log.crashed(len(log.journal) + count) for count in range(1, log.queued + 1)]
    sending.cancel()
    await engine.close()
    for crashed in after_power_cut:
        async with Engine(crashed, flows=[DurableApprovalFlow(outside)], clock=clock) as engine:
            waiting = asyncio.ensure_future(
                engine.get_flow(DurableApprovalFlow, "a1").prepare_and_ask.result(timeout=timedelta(seconds=2))
            )
            while not waiting.done():
                crashed.commit()
                await asyncio.sleep(0)
            assert waiting.result() == "approved by alice"


@scenario
async def test_two_waits_take_signals_in_order_of_number_wherever_a_crash_came_between_them() -> None:
    outside = Outside()
    log, clock = InMemoryLog(), ManualClock()
    async with Engine(log, flows=[DurableApprovalFlow(outside)], clock=clock) as engine:
        flow = engine.get_flow(DurableApprovalFlow, "f")
        await flow.ask_two_at_once.start()
        await waits(log, "f")
        writes = len(log.journal)
    for survived in range(1, writes + 1):
        crashed = log.crashed(survived)
        async with Engine(crashed, flows=[DurableApprovalFlow(outside)], clock=clock) as engine:
            flow = engine.get_flow(DurableApprovalFlow, "f")
            await waits(crashed, "f")
            await flow.approve.send("alice")
            await flow.approve.send("bob")
            assert await flow.ask_two_at_once.result() == ("approved by alice", "approved by bob"), survived
