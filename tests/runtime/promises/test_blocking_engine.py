"""The engine for programs without an event loop: the same flows, as plain calls from any thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from persistasaurus import (
    BlockingCall,
    BlockingEngine,
    Engine,
    EngineClosed,
    ExecutionLog,
    FlowEnded,
    FlowStatus,
    Kind,
    LogInUse,
    Status,
    UnknownFlow,
)
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing import InMemoryLog

from .flows_asyncio import Declined
from .flows_asyncio_durable import DurableAsyncioFlow
from .flows_nested_durable import DurableNestedFlow
from .flows_plain_durable import DurablePlainFlow
from .flows_waiting_durable import DurableWaitingFlow
from .machine import PATIENCE, Outside


@pytest.fixture(params=["memory", "sqlite"])
def log(request: pytest.FixtureRequest, tmp_path: Path) -> ExecutionLog:
    """A log of each sort; it may be opened again when it is closed."""
    return InMemoryLog() if request.param == "memory" else SqliteLog(tmp_path / "log.db", durability="process")


def engine_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "persistasaurus-engine"]


def test_async_and_plain_flows_run_with_plain_calls(log: ExecutionLog) -> None:
    outside = Outside()
    with BlockingEngine(log, flows=[DurableAsyncioFlow(outside), DurablePlainFlow(outside)]) as engine:
        assert engine.get_flow(DurableAsyncioFlow, "f").gathers.run(["a", "b"]) == "['A', 'B']"
        assert engine.get_flow(DurablePlainFlow, "g").side_by_side.run(["c", "d"]) == "['C', 'D']"
    assert sorted(outside.seen) == ["a", "b", "c", "d", "finish", "finish"]


def test_every_operation_has_its_plain_form(log: ExecutionLog) -> None:
    with BlockingEngine(log, flows=[DurableWaitingFlow(Outside())]) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        with pytest.raises(UnknownFlow):
            flow.status()
        flow.asks.start()
        with pytest.raises(TimeoutError, match="it goes on"):
            flow.asks.result(timeout=timedelta(milliseconds=1))
        flow.answered.send("yes")
        assert flow.asks.result(timeout=timedelta(seconds=PATIENCE)) == "question, yes, holding Ballast"
        assert flow.status() is FlowStatus.COMPLETE
        assert [(call.kind, call.status) for call in flow.history()] == [
            (Kind.STEP, Status.COMPLETE),
            (Kind.SIGNAL, Status.COMPLETE),
        ]
        assert [flow.flow_id for flow in engine.flows(status=FlowStatus.COMPLETE, limit=1)] == ["f"]
        with pytest.raises(FlowEnded):
            flow.answered.send("again")


def test_flows_go_on_in_another_engine_of_either_kind(log: ExecutionLog) -> None:
    outside = Outside()
    with BlockingEngine(log, flows=[DurableWaitingFlow(outside)]) as engine:
        engine.get_flow(DurableWaitingFlow, "f").asks.start()

    async def program() -> str:
        async with Engine(log, flows=[DurableWaitingFlow(outside)]) as other:
            flow = other.get_flow(DurableWaitingFlow, "f")
            await flow.answered.send("yes")
            return await flow.asks.result()

    assert asyncio.run(program()) == "question, yes, holding Ballast"
    with BlockingEngine(log, flows=[DurableWaitingFlow(outside)]) as engine:
        assert engine.get_flow(DurableWaitingFlow, "f").asks.run() == "question, yes, holding Ballast"
    assert outside.seen == ["question"]


def test_an_error_of_a_flow_reaches_the_caller_as_itself(log: ExecutionLog) -> None:
    with BlockingEngine(log, flows=[DurableAsyncioFlow(Outside())]) as engine:
        flow = engine.get_flow(DurableAsyncioFlow, "f")
        with pytest.raises(Declined, match="the body with 1 left"):
            flow.leaves_a_failing_task_over.run()


def test_many_threads_may_use_one_engine(log: ExecutionLog) -> None:
    outside = Outside()
    with BlockingEngine(log, flows=[DurablePlainFlow(outside)]) as engine, ThreadPoolExecutor(16) as threads:

        def run(number: int) -> str:
            return engine.get_flow(DurablePlainFlow, f"flow-{number % 20}").one_after_the_other.run([f"{number % 20}"])

        results = list(threads.map(run, range(100)))
    assert results == [f"['{number % 20}']" for number in range(100)]
    assert len(outside.seen) == 20 * 2, "a flow ran more than once"


@pytest.mark.parametrize("waits", ["asks", "delays"])
def test_closing_waits_for_no_signal_and_no_delay(log: ExecutionLog, waits: str) -> None:
    with BlockingEngine(log, flows=[DurableWaitingFlow(Outside())], closing_grace=timedelta(hours=1)) as engine:
        getattr(engine.get_flow(DurableWaitingFlow, "f"), waits).start()
    assert engine_threads() == []


# -- where it may be used ----------------------------------------


def test_it_is_not_opened_on_a_running_event_loop() -> None:
    async def program() -> None:
        BlockingEngine(InMemoryLog(), flows=[]).open()

    with pytest.raises(BlockingCall, match=r"opened on a running event loop.*`async with Engine\(\.\.\.\)`"):
        asyncio.run(program())
    assert engine_threads() == []


def test_it_is_not_used_on_a_running_event_loop(log: ExecutionLog) -> None:
    with BlockingEngine(log, flows=[DurableWaitingFlow(Outside())]) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")

        async def program() -> None:
            with pytest.raises(BlockingCall, match="used on a running event loop, which it would block"):
                flow.asks.start()
            with pytest.raises(BlockingCall):
                engine.flows()
            with pytest.raises(BlockingCall):
                engine.close()
            await asyncio.to_thread(flow.asks.start)  # as the error says

        asyncio.run(program())
        flow.answered.send("yes")
        assert flow.asks.result() == "question, yes, holding Ballast"


def test_a_plain_step_may_use_it_and_an_async_one_is_told_not_to(log: ExecutionLog) -> None:
    nested = DurableNestedFlow()
    with BlockingEngine(log, flows=[nested, DurableWaitingFlow(Outside())]) as engine:
        nested.engine = engine
        flow = engine.get_flow(DurableNestedFlow, "outer")
        assert flow.asks_another_flow.run() == "slept, holding Ballast"
        other = engine.get_flow(DurableNestedFlow, "other")
        with pytest.raises(RuntimeError, match="running event loop"):
            other.asks_another_flow_on_the_loop.run()


def test_an_engine_that_is_not_open_says_so() -> None:
    engine = BlockingEngine(InMemoryLog(), flows=[DurableWaitingFlow(Outside())])
    with pytest.raises(EngineClosed, match="the engine is not open"):
        engine.get_flow(DurableWaitingFlow, "f")
    with pytest.raises(EngineClosed, match="the engine is not open"):
        engine.flows()
    engine.close()
    with engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        with pytest.raises(EngineClosed, match="open already"):
            engine.open()
    engine.close()
    with pytest.raises(EngineClosed):
        flow.asks.start()
    with pytest.raises(EngineClosed, match="make a new one"):
        engine.open()


def test_an_engine_that_cannot_open_leaves_no_thread_and_may_try_again(log: ExecutionLog) -> None:
    late = BlockingEngine(log, flows=[])
    with BlockingEngine(log, flows=[]):
        with pytest.raises(LogInUse):
            late.open()
        assert len(engine_threads()) == 1
    with late:
        assert late.flows() == []
    assert engine_threads() == []


# -- Ctrl-C ----------------------------------------


@pytest.fixture(autouse=True)
def interrupts() -> Iterator[None]:
    """Ctrl-C interrupts, as in a terminal; what was started in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    """What Ctrl-C does."""
    os.kill(os.getpid(), signal.SIGINT)


def interrupt_this_thread() -> None:
    """Interrupt no lock that the main thread waits for, as if Ctrl-C had come just before that began to wait."""
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)


@contextmanager
def ctrl_c_when(comes: Callable[[], None], press: Callable[[], None] = interrupt) -> Iterator[None]:
    """Press Ctrl-C when `comes()` has returned."""

    def wait_and_press() -> None:
        comes()
        press()

    thread = threading.Thread(target=wait_and_press)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def run_interrupted(log: ExecutionLog, outside: Outside, press: Callable[[], None]) -> None:
    """Run a flow with steps `a` and `b` until Ctrl-C is pressed, when `b` has come to a door that stays shut."""
    outside.shut("b")
    with (
        pytest.raises(KeyboardInterrupt),
        ctrl_c_when(lambda: asyncio.run(outside.arrived("b")), press),
        BlockingEngine(log, flows=[DurableAsyncioFlow(outside)], closing_grace=timedelta(0)) as engine,
    ):
        engine.get_flow(DurableAsyncioFlow, "f").gathers.run(["a", "b"])
    assert engine_threads() == []


def test_ctrl_c_while_waiting_for_a_flow_closes_the_engine_and_loses_nothing(log: ExecutionLog) -> None:
    outside = Outside()
    run_interrupted(log, outside, interrupt)
    outside.open("b")
    with BlockingEngine(log, flows=[DurableAsyncioFlow(outside)]) as engine:
        assert engine.get_flow(DurableAsyncioFlow, "f").gathers.run(["a", "b"]) == "['A', 'B']"


def test_ctrl_c_is_heard_even_where_another_thread_gets_the_signal(log: ExecutionLog) -> None:
    run_interrupted(log, Outside(), interrupt_this_thread)


def test_a_flow_that_fails_with_a_timeout_raises_it_at_once(log: ExecutionLog) -> None:
    outside = Outside()
    outside.refuse("a", TimeoutError("of its own"))
    with BlockingEngine(log, flows=[DurableAsyncioFlow(outside)]) as engine:
        with pytest.raises(TimeoutError, match="of its own"):
            engine.get_flow(DurableAsyncioFlow, "f").gathers.run(["a"])
        outside.shut("b")
        flow = engine.get_flow(DurableAsyncioFlow, "g")
        flow.gathers.start(["b"])
        with pytest.raises(TimeoutError, match="has not ended within"):
            flow.gathers.result(timeout=timedelta(milliseconds=1))
        outside.open("b")


def test_ctrl_c_while_closing_ends_the_wait_for_bodies_and_still_lets_go_of_the_log(log: ExecutionLog) -> None:
    outside = Outside()
    outside.shut("a")
    engine = BlockingEngine(log, flows=[DurableAsyncioFlow(outside)], closing_grace=timedelta(hours=1))
    engine.open()
    engine.get_flow(DurableAsyncioFlow, "f").gathers.start(["a"])

    asyncio.run(outside.arrived("a"))

    def when_it_closes() -> None:
        with contextlib.suppress(EngineClosed):
            while True:
                engine.flows()

    with pytest.raises(KeyboardInterrupt), ctrl_c_when(when_it_closes):
        engine.close()
    assert engine_threads() == []
    outside.open("a")
    with BlockingEngine(log, flows=[DurableAsyncioFlow(outside)]) as engine:
        assert engine.get_flow(DurableAsyncioFlow, "f").gathers.run(["a"]) == "['A']"


def test_the_log_is_execution_log_db_if_nothing_else_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with BlockingEngine(flows=[DurableWaitingFlow(Outside())]) as engine:
        assert engine.get_flow(DurableWaitingFlow).sleeps.run(0) == "slept, holding Ballast"
    assert [path.name for path in tmp_path.iterdir()] == ["execution_log.db"]


def test_an_engine_that_is_not_open_says_so_in_its_own_words(log: ExecutionLog) -> None:
    engine = BlockingEngine(log, flows=[DurableWaitingFlow(Outside())])
    with pytest.raises(EngineClosed, match=r"not open: write `with BlockingEngine"):
        engine.get_flow(DurableWaitingFlow, "f")
    with engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
    with pytest.raises(EngineClosed, match="has been closed: make a new one"):
        flow.asks.start()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_is_refused_and_its_parent_goes_on(tmp_path: Path) -> None:
    outside = Outside()
    with BlockingEngine(tmp_path / "log.db", flows=[DurableWaitingFlow(outside)]) as engine:
        flow = engine.get_flow(DurableWaitingFlow, "f")
        child = os.fork()
        if child == 0:
            refused = 1
            try:
                flow.asks.start()
            except EngineClosed as error:
                refused = 0 if "is a fork" in str(error) else 2
                engine.close()  # ends no engine but the child's
            finally:
                os._exit(refused)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        flow.asks.start()
        flow.answered.send("yes")
        assert "yes" in flow.asks.result()
