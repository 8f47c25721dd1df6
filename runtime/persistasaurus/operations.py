"""What flow instances ask of an open engine: run, start, result, send, and a look at what is on record."""

from __future__ import annotations

import asyncio
import secrets
from datetime import timedelta
from typing import NoReturn

from persistasaurus.errors import (
    CorruptRow,
    EngineClosed,
    FlowCancelled,
    FlowConflict,
    FlowEnded,
    FlowNotReopened,
    FlowParked,
    RecoveryLimit,
    UnknownFlow,
    WrongEventLoop,
)
from persistasaurus.failed_flow import decode_failed_flow
from persistasaurus.flow_record import PYTHON
from persistasaurus.history import FlowSummary, Invocation, invocation_of, summary_of
from persistasaurus.proxies import Method
from persistasaurus.records import Answer, FlowRow, FlowStatus, InvocationRow, Resume, Send, SignalRow, Start
from persistasaurus.reopening import plan_reopening
from persistasaurus.replay import shorten
from persistasaurus.row_changes import READS_NO_SIGNALS
from persistasaurus.runner import Runner

_LONGEST_ID = 512


class FlowOperations:
    """The operations of one engine; see `instances.Operations`.

    Args:
        runner: The engine's machinery.
    """

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._last_signal = 0

    async def run(self, method: Method, flow_id: str, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        """Start a flow, join it or reopen it, and wait for its result."""
        await self.start(method, flow_id, args, kwargs)
        return await self.result(method, flow_id, None)

    async def start(self, method: Method, flow_id: str, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        """Record a flow and have it run; a flow that is there already is joined, a failed one reopened."""
        runner = self._runner
        self.require_open()
        parameters = method.parameters.encode(args, kwargs, runner.max_bytes)
        flow = FlowRow(
            flow_id=flow_id,
            class_name=method.recorded_class,
            method_name=method.recorded_name,
            timestamp=runner.clock.now(),
            parameters=parameters,
            status=FlowStatus.RUNNING,
            python=PYTHON,
            version=method.version,
        )

        claim = runner.schedule.take_place(flow_id)
        heard = runner.heard

        def begin(found: Answer) -> None:
            if found is not None:
                return
            if claim:
                runner.begin(flow, heard)
            else:
                runner.schedule.look()  # by now there may be room

        question = runner.ask(Start(flow, claim), begin)
        question.add_done_callback(lambda _: runner.schedule.give_place_back(flow_id))
        found: FlowRow | None = await question
        while found is not None:
            self._require_same(found, flow, method)
            if found.status is not FlowStatus.FAILED:
                break
            if await self._reopen(found, method):
                return
            found = runner.log.flow(flow_id)
        if found is not None:
            if found.status is FlowStatus.CANCELLED or (found.status is FlowStatus.PARKED and not self._goes_on(found)):
                self._raise_outcome(found, method)
            self._see_to_it(found)

    async def result(self, method: Method, flow_id: str, timeout: timedelta | None) -> object:
        """Wait until a flow has ended and return its result or raise its error."""
        runner = self._runner
        self.require_open()
        if timeout is not None and not isinstance(timeout, timedelta):
            raise TypeError(f"result(timeout={timeout!r}): give a timedelta, such as timedelta(minutes=1)")
        flow = self._flow(flow_id)
        if flow.name != method.full_name:
            raise FlowConflict(flow_id, f"flow {flow_id} is {flow.name}, not {method.full_name}")
        if self._goes_on(flow):
            self._see_to_it(flow)
            try:
                async with asyncio.timeout(None if timeout is None else timeout.total_seconds()):
                    flow = await runner.outcome(flow_id)
            except TimeoutError:
                raise TimeoutError(f"flow {flow_id} ({flow.name}) has not ended within {timeout}; it goes on") from None
        if flow.status is FlowStatus.COMPLETE:
            return self._result_of(flow)
        self._raise_outcome(flow, method)

    async def send(
        self, method: Method, flow_id: str, key: str | None, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        """Store a signal for a flow and let the flow know."""
        runner = self._runner
        self.require_open()
        arguments = method.parameters.encode(args, kwargs, runner.max_bytes)
        registered = runner.registered(self._flow(flow_id))
        if registered.flow_class.methods.get(method.name) is not method:
            raise FlowConflict(
                flow_id,
                f"flow {flow_id} is {registered.flow_class.name}.{registered.method.name}; "
                f"it cannot get the signal {method.class_name}.{method.name}",
            )
        now = runner.clock.now()
        self._last_signal = max(self._last_signal + 1, now)
        signal = SignalRow(
            signal_id=f"{self._last_signal:017d}-{secrets.token_hex(4)}",
            flow_id=flow_id,
            method_name=method.name,
            key=key,
            arguments=arguments,
            sent_at=now,
        )

        def deliver(flow: Answer) -> None:
            if isinstance(flow, FlowRow) and flow.status not in READS_NO_SIGNALS:
                runner.signal_stored(signal, flow)

        found: FlowRow | None = await runner.ask(Send(signal), deliver)
        if found is None:
            self._raise_unknown(flow_id)
        if found.status in READS_NO_SIGNALS:
            raise FlowEnded(
                flow_id, f"flow {flow_id} is {found.status} and takes no signal {method.name}; nothing was stored"
            )

    async def status(self, flow_id: str) -> FlowStatus:
        """Where a flow stands, as committed."""
        self.require_open()
        return self._flow(flow_id).status

    async def history(self, flow_id: str) -> list[Invocation]:
        """Every invocation of a flow: earlier rounds first, then the one in force, by step number."""
        self.require_open()
        self._flow(flow_id)
        log = self._runner.log
        return [invocation_of(row) for row in (*log.archived(flow_id, limit=_ALL), *self._rows(flow_id))]

    async def resume(self, flow_id: str) -> None:
        """Let a parked flow run again."""
        runner = self._runner
        self.require_open()
        found: FlowRow | None = await runner.ask(Resume(flow_id))
        if found is None:
            self._raise_unknown(flow_id)
        if found.status is not FlowStatus.PARKED:
            raise FlowConflict(flow_id, f"flow {flow_id} is {found.status}, only a PARKED flow is resumed")
        runner.schedule.request(found)

    async def flows(self, status: FlowStatus | None, limit: int) -> list[FlowSummary]:
        """Flows on record, oldest first."""
        self.require_open()
        status = None if status is None else FlowStatus(status)
        return [summary_of(flow) for flow in self._runner.log.flows(status=status, limit=limit)]

    # -- parts --------------------------------------------------------------------------------------------------------

    def require_open(self) -> None:
        """Refuse what comes when the engine is closed, or on a foreign event loop.

        Raises:
            EngineClosed: It takes no more work.
            WrongEventLoop: It is used from another thread.
        """
        if self._runner.closing:
            raise EngineClosed("the engine is closed: open one with `async with Engine(...)`")
        if self._runner.broken is not None:
            raise self._runner.broken
        if asyncio.get_running_loop() is not self._runner.loop:
            raise WrongEventLoop(
                "an Engine works on the event loop it was opened on: call it there, from other threads with "
                "`asyncio.run_coroutine_threadsafe(..., loop)`, or use a `BlockingEngine`, which takes calls from any"
            )

    def _flow(self, flow_id: str) -> FlowRow:
        flow = self._runner.log.flow(flow_id)
        if flow is None:
            self._raise_unknown(flow_id)
        return flow

    def _rows(self, flow_id: str) -> list[InvocationRow]:
        return self._runner.read(flow_id)

    def _raise_unknown(self, flow_id: str) -> NoReturn:
        raise UnknownFlow(flow_id, f"there is no flow {flow_id!r} in this log: start it with `run` or `start` first")

    def _require_same(self, found: FlowRow, flow: FlowRow, method: Method) -> None:
        if found.name != flow.name:
            raise FlowConflict(
                flow.flow_id,
                f"flow id {flow.flow_id} is taken by {found.name}, it cannot be {flow.name} as well: use another id",
            )
        # Of another version: it may be read as that version does, or as today's.
        bodies = (self._runner.registered(found).body_of(found) or method, method)
        if not any(body.parameters.same(found.parameters, flow.parameters) for body in bodies):
            raise FlowConflict(
                flow.flow_id,
                f"flow {flow.flow_id} ({found.name}) was started with {shorten(found.parameters)}, "
                f"it cannot be run with {shorten(flow.parameters)}: use another flow id",
            )

    def _result_of(self, flow: FlowRow) -> object:
        """The result of a completed flow, as the version it was started on has it."""
        registered = self._runner.registered(flow)
        body = registered.body_of(flow)
        try:
            return (body or registered.method).result.decode(flow.return_value or "null")
        except CorruptRow as problem:
            if body is not None:
                raise
            raise CorruptRow(
                f"flow {flow.flow_id} has completed, but its result cannot be read: {problem}. "
                f"{registered.body_is_missing(flow)}"
            ) from problem

    def _goes_on(self, flow: FlowRow) -> bool:
        """Whether a flow will come to an end by itself; a parked one is tried again under new code (G5)."""
        if flow.status is FlowStatus.PARKED:
            return flow.flow_id in self._runner.executions or self._runner.schedule.has_new_code(flow)
        return flow.status in (FlowStatus.RUNNING, FlowStatus.WAITING)

    def _see_to_it(self, flow: FlowRow) -> None:
        """A flow somebody waits for need not wait for its turn in the recovery."""
        if flow.status in (FlowStatus.RUNNING, FlowStatus.PARKED) and flow.flow_id not in self._runner.executions:
            self._runner.registered(flow)
            self._runner.schedule.request(flow, parked=flow.status is FlowStatus.PARKED)

    async def _reopen(self, flow: FlowRow, method: Method) -> bool:
        runner = self._runner
        registered = runner.registered(flow)
        if registered.body_of(flow) is None:
            raise FlowNotReopened(
                flow.flow_id, f"flow {flow.flow_id} has failed and is not reopened: {registered.body_is_missing(flow)}"
            )
        error, failure = decode_failed_flow(flow.flow_id, registered.flow_class.failures, flow.return_value)
        rows = self._rows(flow.flow_id)
        try:
            plan = plan_reopening(flow, rows, failure, runner.clock.now())
        except FlowNotReopened as refusal:
            raise refusal from error
        reopened: bool = await runner.ask(plan, lambda done: runner.schedule.request(flow) if done is True else None)
        return reopened

    def _raise_outcome(self, flow: FlowRow, method: Method) -> NoReturn:
        failures = self._runner.registered(flow).flow_class.failures
        if flow.status is FlowStatus.CANCELLED:
            raise FlowCancelled(flow.flow_id, f"flow {flow.flow_id} ({flow.name}) was cancelled")
        error, _ = decode_failed_flow(flow.flow_id, failures, flow.return_value)
        if flow.status is FlowStatus.FAILED:
            raise error
        if flow.status is FlowStatus.PARKED:
            remedy = (
                ""
                if isinstance(error, RecoveryLimit)
                else ". It goes on by itself with code that fits its log; `resume()` lets it try again, "
                "another flow id begins anew"
            )
            raise FlowParked(
                flow.flow_id,
                f"flow {flow.flow_id} ({flow.name}) is parked and keeps its log: {error}{remedy}",
                error if isinstance(error, Exception) else None,
            )
        raise CorruptRow(f"flow {flow.flow_id} has the status {flow.status}, which has no outcome")


def check_flow_id(flow_id: str) -> str:
    """A flow id as given by the caller.

    Raises:
        ValueError: Empty, too long, or not to be stored as text.
    """
    if not isinstance(flow_id, str):
        raise TypeError(f"a flow id is a str, not {type(flow_id).__name__}: {flow_id!r}")
    if not flow_id or len(flow_id) > _LONGEST_ID:
        raise ValueError(f"a flow id has 1 to {_LONGEST_ID} characters, this one has {len(flow_id)}")
    if "\0" in flow_id or any("\ud800" <= character <= "\udfff" for character in flow_id):
        raise ValueError(f"a flow id cannot hold NUL or lone surrogates: {flow_id!r}")
    return flow_id


_ALL = 1_000_000_000
