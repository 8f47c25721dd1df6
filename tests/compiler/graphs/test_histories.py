"""What flows really leave in the log fits the graph of their source, and not that of another."""

from __future__ import annotations

import asyncio
import importlib
import sys
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from persistasaurus import Engine
from persistasaurus.testing import InMemoryLog, ManualClock
from persistc.flow_graph.automaton import Call, CallKind
from persistc.flow_graph.finding import flow_graphs
from persistc.flow_graph.matching import Verdict, match
from persistc.flow_graph.regions import FlowGraph
from persistc.sound_projects import sound_project
from tests.compiler.projects import Project

FLOWS = """\
import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, nullcontext, suppress
from datetime import timedelta
from functools import cached_property, wraps
from typing import Any

from persistasaurus import flow, parallel, signal, sleep, step, wait_for_signal

from .ledger_durable import DurableLedger


@contextmanager
def forgiving() -> Iterator[None]:
    try:
        yield
    except ValueError:
        return


@contextmanager
def strict() -> Iterator[None]:
    yield


class Strict:
    def __enter__(self) -> None: ...

    def __exit__(self, *raised: object) -> None:
        return


class Forgiving:
    async def __aenter__(self) -> None: ...

    async def __aexit__(self, *raised: object) -> bool:
        return True


def twice(function: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    @wraps(function)
    async def both(flow: Any) -> None:
        await function(flow)
        await function(flow)

    return both


class TimedFlow:
    def __init__(self) -> None:
        self.ledger: DurableLedger = DurableLedger()

    @flow
    async def books(self) -> None:
        ledger = self.ledger
        await ledger.book("a")
        await self.ledger.book("b")
        await TimedFlow._finishes(self)

    async def _finishes(self) -> None:
        await self.done()

    @flow
    async def books_elsewhere(self) -> None:
        ledger = self.ledger
        await self._books(ledger)

    async def _books(self, ledger: DurableLedger) -> None:
        await ledger.book("a")

    @flow
    async def sleeps(self) -> None:
        await self.work("a")
        await asyncio.sleep(60)
        await asyncio.sleep(0)
        await self.done()

    @flow
    async def limits(self) -> None:
        async with asyncio.timeout(60):
            await self.work("a")
        await asyncio.wait_for(self.work("b"), 60)
        await asyncio.wait_for(self.work("c"), None)
        await self.done()

    @flow
    async def runs_out_of_time(self) -> None:
        try:
            async with asyncio.timeout(60):
                await wait_for_signal(self.told)
        except TimeoutError:
            await self.work("a")
        await self.done()

    @flow
    async def waits_for_some(self) -> None:
        tasks = [asyncio.create_task(self.work(name)) for name in "ab"]
        tasks.append(asyncio.create_task(asyncio.sleep(3600)))
        await asyncio.wait(tasks, timeout=60)
        await self.done()

    @flow
    async def fails(self) -> None:
        try:
            await asyncio.gather(self.work("a"), self.work(""), self.work("b"))
        except ValueError:
            await self.done()

    @flow
    async def fails_in_a_group(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._works_and_clears_up())
                group.create_task(self.work(""))
        except* ValueError:
            await self.done()

    async def _works_and_clears_up(self) -> None:
        try:
            await self.work("a")
            await wait_for_signal(self.told)
        finally:
            await self.work("b")

    @flow(name="told")
    async def has_a_name(self) -> None:
        await wait_for_signal(self.told, timeout=timedelta(minutes=1))

    @flow
    async def is_given_up(self) -> None:
        tasks = [asyncio.create_task(self._works_and_clears_up()) for _ in range(3)]
        await self.done()
        assert tasks

    @flow
    async def calls_later(self) -> None:
        first, second = self.work("a"), self.done()
        await second
        await first

    @flow
    def plain(self) -> None:
        with parallel() as branches:
            for name in "abc":
                branches.start(self.pack, name)
            sleep(timedelta(minutes=1))
        self.pack("d")

    @flow
    async def suppresses(self) -> None:
        with strict(), suppress(ValueError):
            await self.work("")
            await self.work("b")
        await self.done()

    @flow
    async def has_its_own_manager(self) -> None:
        with forgiving():
            await self._fails_within()
            await self.work("b")
        await self.done()

    async def _fails_within(self) -> None:
        async with asyncio.TaskGroup() as group, Forgiving():
            group.create_task(self.work("a"))
            await self.work("")
            await self.work("b")
        await self.work("")

    @flow
    async def has_a_manager_of_a_class(self) -> None:
        async with Forgiving():
            await self.work("")
            await self.work("b")
        await self.done()

    @flow
    async def stacks(self) -> None:
        async with AsyncExitStack() as stack:
            stack.enter_context(suppress(ValueError))
            await self.work("")
            await self.work("b")
        await self.done()

    @flow
    async def lets_pass(self) -> None:
        with strict(), nullcontext(), Strict(), self._strict():
            await self.rank(1)
            await self.rank(2)
        await self.done()

    @contextmanager
    def _strict(self) -> Iterator[None]:
        try:
            yield
        finally:
            print("left")

    @flow
    async def compares_once(self) -> None:
        if [await self.rank(1) < await self.rank(2), f"{self} {self}"]:
            await self.done()

    @flow
    async def gathers_what_fails(self) -> None:
        await asyncio.gather(self._fails_half_way(), self._fails_half_way(), return_exceptions=True)
        await self.done()

    async def _fails_half_way(self) -> None:
        await self.work("a")
        await self.work("")
        await self.work("b")

    @flow
    async def compares(self) -> None:
        if 3 < await self.rank(1) < await self.rank(2):
            await self.work("a")
        if 0 < await self.rank(1) < await self.rank(2) < await self.rank(1) < await self.rank(2):
            await self.work("a")
        await self.done()

    @flow
    async def wraps(self) -> None:
        await self._wrapped()
        await self.done()

    @twice
    async def _wrapped(self) -> None:
        await self.work("a")

    @flow
    @twice
    async def is_wrapped(self) -> None:
        await self.work("a")
        await self.done()

    @flow
    async def wraps_in_place(self) -> None:
        @twice
        async def wrapped(flow: Any) -> None:
            await self.work("a")

        await wrapped(self)
        await self.done()

    @flow
    async def runs_piece_by_piece(self) -> None:
        @asynccontextmanager
        async def around() -> AsyncIterator[None]:
            await self.work("a")
            yield
            await self.work("b")

        async with around():
            await self.done()
        await self.done()

    @flow
    def asks_once(self) -> None:
        if self._asked and self._asked:
            sleep(timedelta(minutes=1))

    @cached_property
    def _asked(self) -> bool:
        self.pack("a")
        return True

    @step
    async def rank(self, number: int) -> int:
        return number

    @step
    async def work(self, name: str) -> None:
        if not name:
            raise ValueError

    @step
    async def done(self) -> None: ...

    @step
    def pack(self, name: str) -> None: ...

    @signal
    async def told(self) -> None: ...
"""
LEDGER = """\
from persistasaurus import step


class Ledger:
    @step
    async def book(self, name: str) -> None: ...
"""
EXPECTED = {
    "sleeps": "work timer done",
    "limits": "timer work timer work work done",
    "runs_out_of_time": "timer told work done",
    "waits_for_some": "timer work work timer done",
    "fails": "work work work done",
    "fails_in_a_group": "work work told work done",
    "has_a_name": "told",
    "is_given_up": "done work work work told work told work told work",
    "calls_later": "done work",
    "plain": "timer pack pack pack pack",
    "suppresses": "work done",
    "has_its_own_manager": "work work work done",
    "has_a_manager_of_a_class": "work done",
    "stacks": "work done",
    "gathers_what_fails": "work work work work done",
    "compares": "rank rank rank rank done",
    "asks_once": "pack timer",
    "books": "book book done",
    "runs_piece_by_piece": "work done work done",
}
UNKNOWN = {
    "wraps": "work work done",
    "wraps_in_place": "work work done",
    "is_wrapped": "work done work done",
    "books_elsewhere": "book",
}
"""Flows of which nobody can tell how often they call what."""
ALARMS = {
    "sleeps": timedelta(minutes=1),
    "runs_out_of_time": timedelta(minutes=1),
    "waits_for_some": timedelta(hours=1),
    "has_a_name": timedelta(minutes=1),
    "plain": timedelta(minutes=1),
    "asks_once": timedelta(minutes=1),
}
"""Flows that wait for a minute to pass, and how far away the last alarm is that they set before."""


@pytest.fixture(scope="module")
def timed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, dict[str, FlowGraph]]:
    project = Project(tmp_path_factory.mktemp("timed"))
    package = f"timed_{project.root.name.replace('-', '_')}"
    project.write(f"{package}/__init__.py", "")
    project.write(f"{package}/ledger.py", LEDGER)
    project.write(f"{package}/flows.py", FLOWS)
    assert project.persistc("generate").exit_code == 0
    sys.path.insert(0, str(project.root))
    try:
        module = importlib.import_module(f"{package}.flows_durable")
    finally:
        sys.path.remove(str(project.root))
    graphs = flow_graphs(sound_project([project.root / package]))
    return module, {graph.name: graph for graph in graphs}


def run(module: ModuleType, name: str) -> list[Call]:
    """The calls of a flow that runs to its end."""
    log, clock = InMemoryLog(), ManualClock()

    async def main() -> None:
        async with Engine(log, flows=[module.DurableTimedFlow()], clock=clock) as engine:
            instance: Any = engine.get_flow(module.DurableTimedFlow, "f")
            await getattr(instance, name).start()
            if name in ALARMS:
                await clock.until_alarm(ALARMS[name])
                clock.advance(timedelta(minutes=1))
            await asyncio.gather(getattr(instance, name).result(), return_exceptions=True)

    asyncio.run(main())
    rows = [row for row in log.invocations("f") if row.step]
    return [Call(CallKind(row.kind.value), row.class_name, row.method_name) for row in rows]


@pytest.mark.parametrize("name", EXPECTED)
def test_what_a_flow_leaves_in_the_log_fits_its_graph(
    timed: tuple[ModuleType, dict[str, FlowGraph]], name: str
) -> None:
    module, graphs = timed
    calls = run(module, name)
    assert " ".join(call.method_name or "timer" for call in calls) == EXPECTED[name]
    for length in range(len(calls) + 1):
        assert match(graphs[name], calls[:length]).verdict is Verdict.FITS, calls[:length]
    assert match(graphs[name], [*calls, Call(CallKind.STEP, "TimedFlow", "other")]).verdict is Verdict.CANNOT_FIT


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_history_behind_what_is_not_known_is_not_said_to_be_of_another_flow(
    timed: tuple[ModuleType, dict[str, FlowGraph]], name: str
) -> None:
    module, graphs = timed
    calls = run(module, name)
    assert " ".join(call.method_name or "timer" for call in calls) == UNKNOWN[name]
    assert match(graphs[name], calls).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize("name", ["lets_pass", "compares_once"])
def test_what_is_known_to_let_exceptions_pass_and_to_come_to_its_end_must_do_so(
    timed: tuple[ModuleType, dict[str, FlowGraph]], name: str
) -> None:
    _, graphs = timed
    all_of_them = [Call(CallKind.STEP, "TimedFlow", each) for each in ("rank", "rank", "done")]
    assert match(graphs[name], all_of_them).verdict is Verdict.FITS
    assert match(graphs[name], [all_of_them[0], all_of_them[2]]).verdict is Verdict.CANNOT_FIT


def test_a_history_does_not_fit_another_flow(timed: tuple[ModuleType, dict[str, FlowGraph]]) -> None:
    module, graphs = timed
    calls = run(module, "runs_out_of_time")
    assert {name for name in graphs if match(graphs[name], calls).verdict is Verdict.FITS} == {"runs_out_of_time"}
