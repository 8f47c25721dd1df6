"""The engine for programs without an event loop: the same operations, as plain calls that wait."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from persistasaurus.engine import Engine
from persistasaurus.errors import BlockingCall, EngineClosed
from persistasaurus.history import FlowSummary
from persistasaurus.instances import FlowInstance
from persistasaurus.log import ExecutionLog
from persistasaurus.proxies import Durable
from persistasaurus.records import FlowStatus
from persistasaurus.settings import EngineOptions

InstanceT = TypeVar("InstanceT", bound=FlowInstance[Any])
T = TypeVar("T")


class BlockingEngine:
    """Runs flows on an event loop in a thread of its own: `with BlockingEngine("execution_log.db", flows=[...])`.

    Its instances offer what those of `Engine` offer, as plain calls that wait. They may be called from any thread.

    Args:
        log: Path of the SQLite execution log, made if it is missing; or another `ExecutionLog`.
        flows: The proxies whose flows this engine runs, one object a class.
        options: Those of `Engine`, described in `help(Engine)`: clock, durability, lease, max_concurrency,
            max_concurrent_recoveries, max_recoveries, waiting_grace, max_waiting_in_memory, closing_grace, threads,
            max_bytes, random.

    Raises:
        DuplicateFlow: Two of `flows` have flows of one name.
        TypeError: One of `flows` is no proxy, or an option does not exist.
        ValueError: An option makes no sense.
    """

    def __init__(
        self,
        log: str | os.PathLike[str] | ExecutionLog = "execution_log.db",
        *,
        flows: Sequence[Durable[Any, Any]],
        **options: Unpack[EngineOptions],
    ) -> None:
        self._engine = Engine(log, flows=flows, **options)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._process = 0

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> None:
        """Open the log and begin to recover; see `Engine.open`."""
        _refuse_running_loop("opened")
        if self._thread is not None:
            raise EngineClosed("this engine is open already, or was closed; make a new one")
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=_run, args=(loop,), name="persistasaurus-engine", daemon=True)
        thread.start()
        self._loop, self._thread, self._process = loop, thread, os.getpid()
        try:
            self._perform(self._engine.open())
        except BaseException:
            self.close()  # Ctrl-C may have come when the log was open already
            self._thread = None
            raise

    def close(self) -> None:
        """Stop cleanly; see `Engine.close`. Ctrl-C meanwhile ends the wait for step bodies."""
        _refuse_running_loop("closed")
        if self._process != os.getpid():
            self._loop = None  # a fork: the engine runs on in its parent
        if self._loop is not None:
            try:
                self._perform(self._engine.close())
            finally:
                self._stop_loop()

    def get_flow(self, proxy_class: type[Durable[Any, InstanceT]], flow_id: str | None = None) -> InstanceT:
        """The flow of that id, whether or not it was ever started; see `Engine.get_flow`."""
        self._open_loop()
        instance: InstanceT = self._engine.instance(proxy_class, flow_id, self._perform)
        return instance

    def flows(self, *, status: FlowStatus | None = None, limit: int = 100) -> list[FlowSummary]:
        """Flows on record, oldest first; see `Engine.flows`."""
        return self._perform(self._engine.flows(status=status, limit=limit))

    def _perform(self, coroutine: Coroutine[Any, Any, T]) -> T:
        try:
            _refuse_running_loop("used")
            loop = self._open_loop()
        except BaseException:
            coroutine.close()
            raise
        return _result_of(asyncio.run_coroutine_threadsafe(coroutine, loop))

    def _open_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            closed = "has been closed: make a new one" if self._thread is not None else "is not open: write"
            raise EngineClosed(f"the engine {closed} `with BlockingEngine(...) as engine`")
        if self._process != os.getpid():
            raise EngineClosed(
                f"this engine runs in process {self._process}, of which this process ({os.getpid()}) is a fork: "
                "make an engine after the fork"
            )
        return self._loop

    def _stop_loop(self) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and self._thread is not None:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()


_CTRL_C_WITHIN = 0.5
"""Seconds: a lock that is waited for without end may never hear of a signal that came just before."""


def _result_of(future: Future[T]) -> T:
    while True:
        try:
            return future.result(_CTRL_C_WITHIN)
        except TimeoutError:
            if future.done():
                return future.result()  # its own, or it has come meanwhile


def _run(loop: asyncio.AbstractEventLoop) -> None:
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop().run_forever()


def _refuse_running_loop(what: str) -> None:
    if asyncio._get_running_loop() is not None:
        raise BlockingCall(
            f"a BlockingEngine was {what} on a running event loop, which it would block: "
            f"use `async with Engine(...)` there, or call it from a thread"
        )
