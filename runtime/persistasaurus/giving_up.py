"""How a flow gives a call up: at once, or when its running body has answered; live and in replay (G4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from persistasaurus.errors import IncompatibleChange
from persistasaurus.flow_futures import Timer
from persistasaurus.open_call import AnyCall, OpenCall, State
from persistasaurus.records import CallChanged, InvocationRow, SignalReturned, Status
from persistasaurus.replay import describe, ended_at_once

if TYPE_CHECKING:
    from persistasaurus.execution import Execution


class GivingUp:
    """Cancels the calls of one flow.

    Args:
        execution: The run of the flow.
    """

    __slots__ = ("_execution",)

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def cancel(self, call: OpenCall, message: object) -> bool:
        """The flow's code cancels a call; returns whether that is heard."""
        execution = self._execution
        if execution.loop.dead:
            return False
        call.cancel_message = message
        match call.state:
            case State.RECORDED:
                self._cancel_recorded(call)
            case State.RECORDED_STOPPING | State.STOPPING | State.ANSWERED:
                pass  # it will answer
            case State.RUNNING if call.method.is_async:
                call.state = State.STOPPING
                execution.record.when_durable(_Stop(call))
            case State.STARTING if call.signal is not None:
                self._give_signal_back(call)
                self._give_up(call)
                execution.mailbox.give_out()
            case _:
                self._give_up(call)
        return True

    def cancel_timer(self, timer: Timer) -> None:
        """A timer that has not fired is not wanted any more."""
        row = timer.row
        history = self._execution.history
        if row is not None and history is not None and ended_at_once(row):
            self._require_given_up_now(row)
            self._execution.calls.close(timer)
        elif row is not None and history is not None and (history.peek() is not None or row.delivery is not None):
            self._refuse(row)
        else:
            self._give_up(timer)

    def _cancel_recorded(self, call: OpenCall) -> None:
        row, history = call.row, self._execution.history
        assert row is not None
        if history is not None and ended_at_once(row):
            self._require_given_up_now(row)
            self._execution.calls.close(call)
            call.end_cancelled(call.cancel_message)
        elif row.status is not Status.WAITING_FOR_SIGNAL:
            # Had it not been running it would be CANCELLED on record; its answer is on record or comes last.
            call.state = State.RECORDED_STOPPING
        elif history is None or history.peek() is None:
            self._give_up(call)
        elif row.round and row.round == self._execution.record.flow.round:
            # Its time was up when the flow gave it up, and reopening made it wait again (G7).
            call.state = State.RECORDED_STOPPING
        else:
            self._refuse(row)

    def _give_signal_back(self, call: OpenCall) -> None:
        signal = call.signal
        assert signal is not None
        call.signal = None
        call.attempts = 0
        self._execution.calling.put(SignalReturned(self._execution.flow_id, call.step, signal.signal_id))
        self._execution.mailbox.give_back(signal)

    def _give_up(self, call: AnyCall) -> None:
        execution = self._execution
        attempts, failures = (0, 0) if isinstance(call, Timer) else (call.attempts, call.failures)
        execution.calling.put(
            CallChanged(
                execution.flow_id, call.step, Status.CANCELLED, attempts, failures, call.due, None, None, None,
                execution.deliveries.number,
            )
        )  # fmt: skip
        execution.calls.close(call)
        if isinstance(call, OpenCall):
            call.end_cancelled(call.cancel_message)

    def _require_given_up_now(self, row: InvocationRow) -> None:
        if row.cancelled_after != self._execution.deliveries.number:
            self._refuse(row)

    def _refuse(self, row: InvocationRow) -> NoReturn:
        after = self._execution.deliveries.number
        self._execution.stop(
            IncompatibleChange(
                f"flow {row.flow_id}: the code gives up {describe(row)} after delivery {after}, where the log does not"
            )
        )


class _Stop:
    """Waits for what was put before a body is asked to stop (G1)."""

    __slots__ = ("_call",)

    def __init__(self, call: OpenCall) -> None:
        self._call = call

    def durable(self) -> None:
        if self._call.state == State.STOPPING and not self._call.execution.dead:
            self._call.execution.host.stop_body(self._call)
