"""G1: what leaves a flow waits until everything the flow put before is durable; nothing else waits."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from persistasaurus import Engine, FlowConflict, FlowEnded, FlowStatus, RowRefused, Status, UnknownFlow
from persistasaurus.generated import Durable
from persistasaurus.records import Write
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing import InMemoryLog, ManualClock

from .flows_failing import Declined, Flaky
from .flows_failing_durable import DurablePayFlow
from .flows_orders_durable import DurableOrderFlow, DurablePlainOrderFlow, DurableRaceFlow
from .flows_signals_durable import DurableApprovalFlow
from .machine import Outside
from .scenario import all_is_still, scenario


class NoticingLog(InMemoryLog):
    """A log that commits when the test says so, and wakes a test that waits for writes."""

    def __init__(self) -> None:
        super().__init__(auto_commit=False)
        self.changed = asyncio.Event()

    def put(self, write: Write) -> int:
        self.changed.set()
        return super().put(write)


class Bench:
    """An engine on such a log."""

    def __init__(self) -> None:
        self.outside = Outside()
        self.clock = ManualClock()
        self.log = NoticingLog()
        self.commits = 0

    @asynccontextmanager
    async def engine(self, *proxies: Durable[Any, Any]) -> AsyncIterator[Engine]:
        async with Engine(
            self.log, flows=proxies, clock=self.clock, closing_grace=timedelta(), random=lambda: 0.0
        ) as engine:
            yield engine

    async def put(self, count: int) -> None:
        """Wait until so many writes wait for a commit."""
        while self.log.queued < count:
            self.log.changed.clear()
            await self.log.changed.wait()

    async def commit(self) -> list[str]:
        """Commit what waits in one commit; returns what that was, once everything that waited for it has happened."""
        await all_is_still()
        before = len(self.log.journal)
        self.log.commit()
        self.commits += 1
        await all_is_still()
        return [type(write).__name__ for write in self.log.journal[before:]]


@scenario
async def test_a_body_starts_only_when_its_record_is_durable() -> None:
    bench = Bench()
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        placed = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "o1").place.run("book"))
        assert await bench.commit() == ["Start"]
        assert bench.log.queued == 1
        assert bench.outside.seen == []
        assert await bench.commit() == ["CallMade"]
        assert bench.outside.seen == ["reserve"]
        placed.cancel()


@scenario
async def test_a_plain_body_starts_only_when_its_record_is_durable() -> None:
    bench = Bench()
    async with bench.engine(DurablePlainOrderFlow(bench.outside)) as engine:
        placed = asyncio.ensure_future(engine.get_flow(DurablePlainOrderFlow, "o1").place.run("book"))
        assert await bench.commit() == ["Start"]
        assert bench.log.queued == 1
        assert bench.outside.seen == []
        assert await bench.commit() == ["CallMade"]
        await bench.outside.arrived("reserve")
        placed.cancel()


@scenario
async def test_a_further_attempt_starts_only_when_its_record_is_durable() -> None:
    bench = Bench()
    bench.outside.refuse("charge", Flaky("busy"))
    async with bench.engine(DurablePayFlow(bench.outside)) as engine:
        paid = asyncio.ensure_future(engine.get_flow(DurablePayFlow, "p1").pay_patiently.run(5))
        await bench.commit()
        await bench.commit()
        assert await bench.commit() == ["CallChanged", "FlowChanged"]  # attempt 1 has failed, the flow waits
        bench.clock.advance(timedelta(minutes=1))
        await all_is_still()
        assert bench.outside.seen == ["charge"]
        assert await bench.commit() == ["Claim"]  # it had been evicted
        assert bench.outside.seen == ["charge"]
        assert await bench.commit() == ["CallChanged"]
        assert bench.outside.seen == ["charge", "charge"]
        paid.cancel()


@scenario
async def test_a_body_is_asked_to_stop_only_when_what_the_flow_put_before_is_durable() -> None:
    bench = Bench()
    bench.outside.shut("slow", "last")
    async with bench.engine(DurableRaceFlow(bench.outside)) as engine:
        racing = asyncio.ensure_future(engine.get_flow(DurableRaceFlow, "r1").race.run())
        await bench.commit()
        await bench.commit()
        assert sorted(bench.outside.seen) == ["fast", "slow"]
        # The flow has got the outcome of `fast`, asked `slow` to stop and called `last`, all in one turn.
        assert bench.log.queued == 2
        assert "slow asked to stop" not in bench.outside.seen
        await bench.commit()
        assert "slow asked to stop" in bench.outside.seen
        racing.cancel()


@scenario
async def test_a_result_reaches_its_caller_only_when_it_is_durable() -> None:
    bench = Bench()
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        placed = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "o1").place.run("book"))
        while bench.outside.seen != ["reserve", "charge", "ship"]:
            await bench.commit()
        await all_is_still()
        assert not placed.done()
        assert await bench.commit() == ["CallChanged", "FlowChanged"]
        assert placed.result() == "book reserved, book charged, book shipped"


@scenario
async def test_a_failure_reaches_its_caller_only_when_it_is_durable() -> None:
    bench = Bench()
    bench.outside.refuse("charge", Declined("no"))
    async with bench.engine(DurablePayFlow(bench.outside)) as engine:
        paid = asyncio.ensure_future(engine.get_flow(DurablePayFlow, "p1").pay.run(5))
        await bench.commit()
        await bench.commit()
        assert bench.outside.seen == ["charge"]
        await all_is_still()
        assert not paid.done()
        assert await bench.commit() == ["CallChanged", "FlowChanged"]
        assert isinstance(paid.exception(), Declined)


@scenario
async def test_start_returns_only_when_the_flow_is_durable() -> None:
    bench = Bench()
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        started = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "o1").place.start("book"))
        await all_is_still()
        assert not started.done()
        await bench.commit()
        assert started.done()


@scenario
async def test_send_returns_only_when_the_signal_is_durable() -> None:
    bench = Bench()
    async with bench.engine(DurableApprovalFlow(bench.outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        asked = asyncio.ensure_future(approval.ask.run())
        await bench.commit()
        await bench.commit()
        sent = asyncio.ensure_future(approval.approve.send("alice"))
        await all_is_still()
        assert not sent.done()
        await bench.commit()
        assert sent.done()
        assert bench.outside.seen == []  # the body, too, waits until it is on record that it took the signal
        await bench.commit()
        assert bench.outside.seen == ["approve alice"]
        asked.cancel()


@scenario
async def test_resume_returns_only_when_it_is_durable() -> None:
    bench = Bench()
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        resumed = asyncio.ensure_future(order.resume())
        await all_is_still()
        assert not resumed.done()
        await bench.commit()
        assert isinstance(resumed.exception(), UnknownFlow)


@scenario
async def test_an_outcome_and_the_next_step_go_in_one_commit_so_a_sequential_flow_costs_one_a_step() -> None:
    bench = Bench()
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        placed = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "o1").place.run("book"))
        commits = []
        while not placed.done():
            commits.append(await bench.commit())
    assert commits == [
        ["Start"],
        ["CallMade"],
        ["CallChanged", "CallMade"],
        ["CallChanged", "CallMade"],
        ["CallChanged", "FlowChanged"],
    ]


@scenario
async def test_a_plain_flow_costs_one_commit_a_step_too() -> None:
    bench = Bench()
    async with bench.engine(DurablePlainOrderFlow(bench.outside)) as engine:
        placed = asyncio.ensure_future(engine.get_flow(DurablePlainOrderFlow, "o1").place.run("book"))
        await bench.commit()
        for name in ("reserve", "charge", "ship"):
            bench.outside.shut(name)
            await bench.commit()
            await bench.outside.arrived(name)
            assert bench.log.queued == 0
            bench.outside.open(name)
            await bench.put(2)
        assert await bench.commit() == ["CallChanged", "FlowChanged"]
        assert await placed == "book reserved, book charged, book shipped"
    assert bench.commits == 5


@scenario
async def test_status_and_history_show_what_is_committed_and_nothing_else() -> None:
    bench = Bench()
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        placed = asyncio.ensure_future(order.place.run("book"))
        await all_is_still()
        with pytest.raises(UnknownFlow):
            await order.status()
        await bench.commit()
        assert await order.status() is FlowStatus.RUNNING
        assert await order.history() == []
        await bench.commit()
        assert bench.outside.seen == ["reserve"]  # its outcome is put, but not committed
        assert [call.status for call in await order.history()] == [Status.PENDING]
        await bench.commit()
        assert [call.status for call in await order.history()] == [Status.COMPLETE, Status.PENDING]
        await bench.commit()
        assert await order.status() is FlowStatus.RUNNING
        await bench.commit()
        assert await order.status() is FlowStatus.COMPLETE
        assert placed.done()


@scenario
async def test_start_is_checked_in_the_transaction_that_writes() -> None:
    bench = Bench()
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        first = asyncio.ensure_future(order.place.start("book"))
        second = asyncio.ensure_future(order.place.start("lamp"))
        await all_is_still()
        with pytest.raises(UnknownFlow):
            await order.status()
        await bench.commit()
        assert first.exception() is None
        assert isinstance(second.exception(), FlowConflict)


@scenario
async def test_send_is_checked_in_the_transaction_that_writes() -> None:
    bench = Bench()
    async with bench.engine(DurableApprovalFlow(bench.outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        prepared = asyncio.ensure_future(approval.prepare_alone.run())
        await bench.commit()
        await bench.commit()
        await all_is_still()  # the end of the flow is put, but not committed
        sent = asyncio.ensure_future(approval.approve.send("alice"))
        await all_is_still()
        assert await approval.status() is FlowStatus.RUNNING
        await bench.commit()
        assert prepared.done()
        assert isinstance(sent.exception(), FlowEnded)
        assert bench.log.unread_signals("a1") == []


@pytest.mark.parametrize("flow", ["async", "plain", "race"])
@scenario
async def test_after_a_crash_at_any_write_a_flow_goes_on_behind_what_was_durable(flow: str) -> None:
    live = Outside()
    full = InMemoryLog()

    async def run(log: InMemoryLog, outside: Outside) -> str:
        outside.shut("slow")  # the race is never won by it
        proxies = (DurableOrderFlow(outside), DurablePlainOrderFlow(outside), DurableRaceFlow(outside))
        async with Engine(log, flows=proxies, clock=ManualClock(), closing_grace=timedelta()) as engine:
            match flow:
                case "async":
                    return await engine.get_flow(DurableOrderFlow, "f").place.run("book")
                case "plain":
                    return await engine.get_flow(DurablePlainOrderFlow, "f").place.run("book")
                case _:
                    return await engine.get_flow(DurableRaceFlow, "f").race.run()

    result = await run(full, live)
    for writes in range(len(full.journal) + 1):
        crashed = full.crashed(writes)
        crashed.open(lambda commit: None)
        ended = {
            row.method_name if flow != "race" else row.parameters.split('"')[3]
            for row in crashed.invocations("f")
            if row.status is not Status.PENDING
        }
        crashed.close()
        again = Outside()
        assert await run(crashed, again) == result
        assert ended.isdisjoint(again.seen), f"after {writes} writes"
        assert ended | set(again.seen) >= {"fast", "last"} & set(live.seen)


class Uncertain(sqlite3.Connection):
    """Its third commit fails: before anything is durable, or after everything is."""

    commits = 0
    happens = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT" or (sql.startswith("INSERT") and not self.in_transaction):
            Uncertain.commits += 1
            if Uncertain.commits == 3:
                if Uncertain.happens:
                    super().execute(sql, parameters)
                raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, parameters)


@pytest.mark.parametrize("happens", [False, True])
@scenario
async def test_a_commit_that_failed_is_unknown_and_not_no(
    happens: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Uncertain, "commits", 0)
    monkeypatch.setattr(Uncertain, "happens", happens)
    outside = Outside()
    log = SqliteLog(tmp_path / "log.db", connection_class=Uncertain)
    async with Engine(log, flows=[DurableOrderFlow(outside)]) as engine:
        order = engine.get_flow(DurableOrderFlow, "o1")
        assert await order.place.run("book") == "book reserved, book charged, book shipped"
        assert [(call.status, call.attempts) for call in await order.history()] == [(Status.COMPLETE, 1)] * 3
    assert Uncertain.commits > 3
    assert outside.seen == ["reserve", "charge", "ship"]


@scenario
async def test_a_refused_row_stops_its_flow_and_no_other() -> None:
    bench = Bench()
    bench.log.refuse("bad", 2)
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        names = ["good", "bad", "better"]
        placed = {
            name: asyncio.ensure_future(engine.get_flow(DurableOrderFlow, name).place.run(name)) for name in names
        }
        for _ in range(5):
            await bench.commit()  # each commit holds rows of all flows
        assert placed["good"].result() == "good reserved, good charged, good shipped"
        assert placed["better"].result() == "better reserved, better charged, better shipped"
        assert isinstance(placed["bad"].exception(), RowRefused)
        assert bench.outside.seen.count("charge") == 2  # no body of the stopped flow ran without its record
        left = bench.log.crashed()
    assert [row.status for row in left.invocations("bad")] == [Status.COMPLETE]
    outside = Outside()
    async with Engine(left, flows=[DurableOrderFlow(outside)]) as engine:
        again = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "bad").place.run("bad"))
        while not again.done():
            await all_is_still()
            left.commit()
        assert again.result() == "bad reserved, bad charged, bad shipped"
    assert outside.seen == ["charge", "ship"]


@scenario
async def test_a_flow_whose_row_was_refused_is_tried_again_when_somebody_asks_for_it() -> None:
    bench = Bench()
    bench.log.refuse("bad", 2)
    async with bench.engine(DurableOrderFlow(bench.outside)) as engine:
        placed = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "bad").place.run("book"))
        while not placed.done():
            await bench.commit()
        assert isinstance(placed.exception(), RowRefused)
        for _ in range(5):
            await bench.commit()
        assert bench.log.queued == 0  # by itself it is not tried again
        bench.log.accept_all()
        again = asyncio.ensure_future(engine.get_flow(DurableOrderFlow, "bad").place.run("book"))
        while not again.done():
            await bench.commit()
        assert again.result() == "book reserved, book charged, book shipped"
    assert bench.outside.seen == ["reserve", "charge", "ship"]


@scenario
async def test_bodies_that_end_in_one_moment_reach_the_flow_one_by_one() -> None:
    bench = Bench()
    async with bench.engine(DurableRaceFlow(bench.outside)) as engine:
        racing = asyncio.ensure_future(engine.get_flow(DurableRaceFlow, "r1").run_in_turns.run(["a", "b", "c"]))
        bench.outside.shut("a", "b", "c")
        await bench.commit()
        await bench.commit()
        assert sorted(bench.outside.seen) == ["a", "b", "c"]
        bench.outside.open("a", "b", "c")
        assert await bench.commit() == ["CallChanged", "CallChanged", "CallChanged", "FlowChanged"]
        turns = racing.result()
        assert sorted(turns) == [["a"], ["b"], ["c"]]
        assert [call.step for call in bench.log.invocations("r1")] == [1, 2, 3]
        assert sorted(row.delivery or 0 for row in bench.log.invocations("r1")) == [1, 2, 3]


@scenario
async def test_outcomes_recorded_but_not_delivered_reach_the_flow_one_by_one() -> None:
    outside = Outside()
    outside.shut("a", "b", "c")
    log = InMemoryLog()
    async with Engine(log, flows=[DurableRaceFlow(outside)], clock=ManualClock()) as engine:
        await engine.get_flow(DurableRaceFlow, "r1").run_in_turns.start(["a", "b", "c"])
        await outside.arrived("c")
        closing = asyncio.ensure_future(engine.close())
        await all_is_still()
        outside.open(
            "a", "b", "c"
        )  # bodies that end while their engine closes are recorded, and the flow does not go on
        await closing
    assert [(row.status, row.delivery) for row in log.invocations("r1")] == [(Status.COMPLETE, None)] * 3
    async with Engine(log, flows=[DurableRaceFlow(outside)], clock=ManualClock()) as engine:
        turns = await engine.get_flow(DurableRaceFlow, "r1").run_in_turns.result()
        assert sorted(turns) == [["a"], ["b"], ["c"]]
    assert outside.seen == ["a", "b", "c"]
