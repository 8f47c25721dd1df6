"""The engine: opens an execution log, recovers what a crash interrupted, and hands out flow instances."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack

from persistasaurus.errors import DuplicateFlow, EngineClosed, FlowNotRegistered
from persistasaurus.history import FlowSummary
from persistasaurus.instances import FlowInstance
from persistasaurus.log import ExecutionLog
from persistasaurus.operations import FlowOperations, check_flow_id
from persistasaurus.proxies import Durable, FlowClass
from persistasaurus.records import FlowStatus
from persistasaurus.runner import Registered, Runner
from persistasaurus.settings import EngineOptions, settings_of

InstanceT = TypeVar("InstanceT", bound=FlowInstance[Any])
T = TypeVar("T")


class Engine:
    """Runs flows on the running event loop: `async with Engine("execution_log.db", flows=[...]) as engine`.

    Opening it recovers every flow that a crash interrupted, in the background (G10).

    Args:
        log: Path of the SQLite execution log, made if it is missing; or another `ExecutionLog`.
        flows: The proxies whose flows this engine runs, one object a class.
        options: All with a default:

            - clock: Tells the time, `SystemClock()`; a test gives a `ManualClock`.
            - durability: "power" (the default) survives a power cut, "process" a killed process and is several times
              faster (G1). It applies to a log given as a path.
            - lease: How long the claims of this engine count when it gives no sign of life, 15 seconds; after that
              others go on with its flows (G11). It applies to a log given as a path.
            - max_concurrency: How many flows this engine has in memory at most, running or waiting for a moment; more
              wait on record for an engine with room. None, the default, sets no bound.
            - max_concurrent_recoveries: How many interrupted or due flows are brought back at the same time, 100 (G10).
            - max_recoveries: After how many recoveries in a row without a new record a flow is parked, 5 (G10).
            - waiting_grace: How long a waiting flow stays in memory before it is evicted, one second (G9).
            - max_waiting_in_memory: How many waiting flows stay in memory at most, 1000 (G9).
            - closing_grace: How long running step bodies get to end when the engine is closed, ten seconds (G14).
            - threads: The largest number of threads for plain step bodies, 32.
            - max_bytes: The largest argument or result, in bytes of JSON, 16 MiB (G13).
            - random: Gives numbers from 0 to 1, for the jitter of retries; `random.random`.

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
        self._settings = settings_of(**options)
        self._registered = registered_flows(flows)
        if isinstance(log, str | os.PathLike):
            from persistasaurus.sqlite_log import SqliteLog

            self._log: ExecutionLog = SqliteLog(log, durability=self._settings.durability, lease=self._settings.lease)
        else:
            self._log = log
        self._runner: Runner | None = None
        self._operations: FlowOperations | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def open(self) -> None:
        """Open the log and begin to recover.

        Raises:
            LogInUse: Another engine has this log object open, or one of an earlier version the file.
            LogError: It is not an execution log, or newer than this version, or cannot be read.
        """
        if self._runner is not None:
            raise EngineClosed("this engine is open already, or was closed; make a new one")
        runner = Runner(self._log, self._registered, self._settings)
        runner.open()
        self._runner = runner
        self._operations = FlowOperations(runner)

    async def close(self) -> None:
        """Stop cleanly: running step bodies get their grace, no flow goes on, every flow can go on later (G14).

        Raises:
            LogUnavailable: The log's file still refuses what was put; the error says what was not recorded.
        """
        if self._operations is not None and self._runner is not None and not self._runner.closing:
            self._operations.require_open()
            await self._runner.close()

    def get_flow(self, proxy_class: type[Durable[InstanceT, Any]], flow_id: str | None = None) -> InstanceT:
        """The flow of that id, whether or not it was ever started.

        Args:
            proxy_class: The generated class, `DurableSignupFlow`.
            flow_id: Names one run, for instance `f"signup-{order_id}"`; a new random id if left out.

        Returns:
            The flow instance: its flows have `run`, `start` and `result`, its signals `send`.

        Raises:
            FlowNotRegistered: This engine was not given such a proxy.
        """
        instance: InstanceT = self.instance(proxy_class, flow_id, _as_it_is)
        return instance

    async def flows(self, *, status: FlowStatus | None = None, limit: int = 100) -> list[FlowSummary]:
        """Flows on record, oldest first.

        Args:
            status: Only flows of this status.
            limit: At most so many.
        """
        return await self._open_operations().flows(status, limit)

    def instance(
        self,
        proxy_class: type[Durable[Any, Any]],
        flow_id: str | None,
        perform: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> Any:
        """A flow instance whose operations are carried out by `perform`; `get_flow` is the typed way to it."""
        flow_id = check_flow_id(str(uuid.uuid4()) if flow_id is None else flow_id)
        flow_class = getattr(proxy_class, "__persistasaurus__", None)
        name = getattr(proxy_class, "__name__", repr(proxy_class))
        if not isinstance(flow_class, FlowClass):
            raise TypeError(
                f"get_flow({name}): {name} is no proxy; give the class Durable{name} that `persistc generate` wrote"
            )
        if not any(found.flow_class is flow_class for found in self._registered.values()):
            raise FlowNotRegistered(
                flow_id, f"get_flow({name}): this engine was not given one; write Engine(..., flows=[{name}(...)])"
            )
        return flow_class.instance_class(self._open_operations(), flow_class, flow_id, perform)

    def _open_operations(self) -> FlowOperations:
        if self._operations is None:
            raise EngineClosed("the engine is not open: write `async with Engine(...) as engine`")
        return self._operations


def _as_it_is(coroutine: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
    return coroutine


def registered_flows(flows: Sequence[Durable[Any, Any]]) -> Mapping[str, Registered]:
    """The flows of these proxies by the names they are recorded under.

    Raises:
        DuplicateFlow: Two of them have one name.
        TypeError: One of `flows` is no proxy.
    """
    registered: dict[str, Registered] = {}
    if isinstance(flows, Durable):
        raise TypeError(f"Engine(flows={type(flows).__name__}(...)): give a list, flows=[{type(flows).__name__}(...)]")
    for proxy in flows:
        flow_class = getattr(type(proxy), "__persistasaurus__", None)
        if not isinstance(flow_class, FlowClass):
            name = proxy.__name__ if isinstance(proxy, type) else type(proxy).__name__
            hint = f"an object, {name}(...)"
            if not isinstance(proxy, type):
                hint = f"a Durable{name}(...), which `persistc generate` writes"
            raise TypeError(f"Engine(flows=[...]): {name} is no proxy object; give {hint}")
        for method in flow_class.methods.values():
            if method.kind == "flow":
                name = method.full_name
                if name in registered:
                    raise DuplicateFlow(
                        f"two flows given to one engine are recorded as {name}: "
                        f"{registered[name].method.where} and {method.where}; give one of them @flow(name=...)"
                    )
                registered[name] = Registered(flow_class, method, proxy)
    return registered
