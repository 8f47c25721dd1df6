"""The attempts of a step: when its body may start, what its end means, and when it is tried again (G2, G3, G6)."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from persistasaurus.clock import microseconds
from persistasaurus.errors import CorruptRow, OutcomeNotStorable, PersistasaurusError, StepInterrupted
from persistasaurus.open_call import OpenCall, State
from persistasaurus.records import CallChanged, Status
from persistasaurus.replay import describe

if TYPE_CHECKING:
    from persistasaurus.execution import Execution

logger = logging.getLogger("persistasaurus.flow")


class Attempts:
    """Starts the bodies of one flow's calls and judges how they end.

    Args:
        execution: The run of the flow.
    """

    __slots__ = ("_execution", "_host", "_record")

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._host = execution.host
        self._record = execution.record

    def start(self, call: OpenCall) -> None:
        """Begin another attempt: it is on record before the body runs."""
        self._record.running()
        call.attempts += 1
        call.due = None
        self._execution.calls.enter(call, State.STARTING)
        self._put(call, Status.PENDING)
        self._record.when_durable(call)

    def restart(self, calls: list[OpenCall], *, recovering: bool) -> None:
        """Run the bodies that a crash cut off, and those whose time came while nobody was there.

        Raises:
            CorruptRow: The arguments of one cannot be read.
        """
        if recovering and any(_is_interrupted(call) for call in calls):
            self._record.recovered()
        for call in calls:
            try:
                call.arguments = call.method.parameters.decode(call.parameters)
            except CorruptRow as error:
                assert call.row is not None
                raise CorruptRow(f"flow {call.execution.flow_id}: {describe(call.row)}: {error}") from error
            if _is_interrupted(call) and call.method.at_most_once:
                self._fail(call, _interrupted(call))
            else:
                self.start(call)

    def may_start(self, call: OpenCall) -> None:
        """Everything put before the call is durable: its body may start (G1)."""
        execution = self._execution
        if call.state != State.STARTING or execution.loop.dead or self._host.closing or not execution.calls.has(call):
            return
        call.state = State.RUNNING
        if logger.isEnabledFor(logging.INFO):
            logger.info(
                "[RUN] %s step=%d flow=%s attempt=%d", call.method.name, call.step, execution.flow_id, call.attempts
            )
        self._host.start_body(call)

    def take_back(self) -> None:
        """The engine closes: an attempt whose body has not begun is none, least of all the only one (G2, G14)."""
        if self._execution.history is None and not self._execution.loop.dead:
            for call in self._execution.calls:
                if isinstance(call, OpenCall) and call.state == State.STARTING:
                    call.attempts -= 1
                    self._put(call, Status.PENDING)

    def returned(self, call: OpenCall, value: object) -> None:
        """A body has returned."""
        if self._is_dropped(call):
            return
        try:
            text, value = call.method.result.round_trip(value, self._host.max_bytes)
        except PersistasaurusError as error:
            self._fail(call, OutcomeNotStorable(f"{call.label} has run, but {error}"))
        else:
            self._answer(call, Status.COMPLETE, text, value)

    def raised(self, call: OpenCall, error: BaseException) -> None:
        """A body has raised; a `CancelledError` is its answer only if it was asked to stop."""
        if self._is_dropped(call):
            return
        if isinstance(error, StopIteration):
            error = RuntimeError(f"{call.label} raised StopIteration")  # no future takes it, as in a coroutine
        retry = call.method.retry
        if call.state == State.STOPPING and isinstance(error, asyncio.CancelledError):
            self._answer(call, Status.CANCELLED, None, None)
            return
        if retry is not None and retry.retries(error) and call.failures + 1 < retry.max_attempts:
            if call.state == State.STOPPING:
                # It would back off now, and the flow has given it up: so it has not failed (G4, G6).
                call.failures += 1
                self._answer(call, Status.CANCELLED, None, None)
                return
            pause = retry.pause(call.failures + 1, self._host.random)
            self._retry(call, error, microseconds(pause))
            return
        call.failures += 1
        self._fail(call, error)

    def timed_out(self, call: OpenCall, error: BaseException) -> None:
        """A wait for a signal has run out of time."""
        self._fail(call, error)

    def _retry(self, call: OpenCall, error: BaseException, pause: int) -> None:
        execution = self._execution
        call.failures += 1
        call.due = self._host.clock.now() + pause
        logger.warning(
            "[RETRY] %s step=%d flow=%s attempt=%d failed: %r, again in %.1f s",
            call.method.name, call.step, execution.flow_id, call.attempts, error, pause / 1e6,
        )  # fmt: skip
        execution.calls.enter(call, State.SLEEPING)
        self._put(call, Status.PENDING, execution.deliveries.failures_of(call).encode(error, self._host.max_bytes))
        self._progressed()
        if not self._host.closing:
            call.alarm = self._host.call_at(call.due, call.ring)
            execution.settle()

    def _fail(self, call: OpenCall, error: BaseException) -> None:
        # With its traceback, which the flow does not get (G3).
        logger.warning(
            "[FAIL] %s step=%d flow=%s", call.method.name, call.step, self._execution.flow_id, exc_info=error
        )
        text = self._execution.deliveries.failures_of(call).encode(error, self._host.max_bytes)
        self._answer(call, Status.FAILED, text, None)

    def _answer(self, call: OpenCall, status: Status, text: str | None, value: object) -> None:
        execution = self._execution
        execution.calls.enter(call, State.ANSWERED)
        call.due = None
        if call.alarm is not None:
            call.disarm()
        self._progressed()
        if (execution.turning and not execution.waits_for(call)) or self._host.closing:
            # The flow cannot see it yet; it is on record all the same.
            self._record.running()
            self._put(call, status, text)
        execution.answered(call, status, text, value)

    def _progressed(self) -> None:
        self._record.progressed()
        if self._execution.brought_back:
            self._host.progressed(self._execution)

    def _is_dropped(self, call: OpenCall) -> bool:
        return self._execution.loop.dead or not self._execution.calls.has(call)

    def _put(self, call: OpenCall, status: Status, text: str | None = None) -> None:
        self._record.put(
            CallChanged(
                self._execution.flow_id, call.step, status, call.attempts, call.failures, call.due, text,
                None, None, None,
            )
        )  # fmt: skip


def _interrupted(call: OpenCall) -> StepInterrupted:
    return StepInterrupted(
        f"{call.label} was cut off by a crash and may run at most once, so it is not run again; "
        "whether it has acted is not known here: look where it acts"
    )


def _is_interrupted(call: OpenCall) -> bool:
    """Whether its body may have run: an attempt is on record that no pause followed."""
    return call.due is None and call.attempts > 0
