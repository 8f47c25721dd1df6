"""What makes a flow go on: recorded deliveries in their order, then live ones, one at a time (G4)."""

from __future__ import annotations

import logging
from collections import deque
from typing import TYPE_CHECKING

from persistasaurus.errors import CorruptRow, IncompatibleChange, PersistasaurusError
from persistasaurus.failures import FailureCodec, joined
from persistasaurus.flow_classes import FlowClass
from persistasaurus.flow_futures import Timer
from persistasaurus.going_live import go_live
from persistasaurus.open_call import AnyCall, OpenCall, State
from persistasaurus.records import CallChanged, InvocationRow, Status
from persistasaurus.replay import History, describe

if TYPE_CHECKING:
    from persistasaurus.execution import Execution

logger = logging.getLogger("persistasaurus.flow")

Outcome = tuple[AnyCall, Status, str | None, object]
"""A call, how it ended, the text on record, and the value if there is one."""


class Deliveries:
    """Hands outcomes to one flow, and numbers them.

    Args:
        execution: The run of the flow.
        started_at: When the flow was started.
        recovering: Whether a crash interrupted the flow.
    """

    def __init__(self, execution: Execution, started_at: int, *, recovering: bool) -> None:
        self._execution = execution
        self._host = execution.host
        self._record = execution.record
        self._calls = execution.calls
        self._loop = execution.loop
        self._recovering = recovering
        self.number = 0
        """The number of the last delivery."""
        self.time = started_at
        """The time of the last delivery."""
        self.step = 0
        """The number of the call it answered."""
        self.round = 0
        """The round of that call."""
        self.inbox: deque[Outcome] = deque()
        """Outcomes to be delivered."""
        self.waking: deque[AnyCall] = deque()
        """Calls whose time had come when the replay ended."""
        self.restarting: list[OpenCall] = []
        """Calls whose bodies run again after the replay."""
        self.failures: dict[int, tuple[BaseException, OpenCall]] = {}
        """The exceptions handed to the flow, by their ids, and where they came from."""

    def hand_next(self) -> bool:
        """Hand the next delivery over; False when there is none."""
        history = self._execution.history
        if history is None:
            return self._hand_live()
        row = history.peek()
        if row is None:
            go_live(self._execution, history)
            return self._execution.problem is None and self._hand_live()
        history.require_no_call(self._calls.next_step, row.delivery)
        self.hand_open(history, row)
        return True

    def hand_open(self, history: History, row: InvocationRow) -> None:
        """Hand a recorded delivery to the open call it is for.

        Raises:
            IncompatibleChange: The code does not wait for it.
            CorruptRow: It cannot be read.
        """
        call = self._calls.get(row.step)
        if call is None:
            raise IncompatibleChange(
                f"flow {row.flow_id}: the log holds the outcome of {describe(row)}, which the code gave up before"
            )
        if row.status is Status.CANCELLED and isinstance(call, OpenCall) and call.state == State.RECORDED:
            raise IncompatibleChange(
                f"flow {row.flow_id}: the log says that the flow cancelled {describe(row)}, the code does not"
            )
        history.advance()
        self._calls.close(call)
        self.hand_recorded(call, row)

    def hand_recorded(self, call: AnyCall, row: InvocationRow) -> None:
        """Hand a recorded delivery to its call.

        Raises:
            CorruptRow: It cannot be read.
        """
        assert row.delivery is not None
        assert row.delivered_at is not None
        self.number = row.delivery
        self.time = row.delivered_at
        self.step = row.step
        self.round = row.round
        self._loop.now = row.delivered_at / 1e6
        if isinstance(call, Timer):
            call.fire()
            return
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("[SKIP] %s step=%d flow=%s", call.method.name, call.step, self._execution.flow_id)
        try:
            if row.status is Status.COMPLETE:
                call.set_result(call.method.result.decode(row.return_value or ""))
            else:
                self._hand_failure(call, row.status, row.return_value)
        except PersistasaurusError as error:
            raise CorruptRow(f"flow {self._execution.flow_id}: {describe(row)}: {error}") from error

    def _hand_failure(self, call: OpenCall, status: Status, text: str | None) -> None:
        if status is Status.CANCELLED:
            call.end_cancelled(call.cancel_message)
            return
        error = self.failures_of(call).decode(text or "")
        self.failures[id(error)] = (error, call)
        call.set_exception(error)
        call.exception()  # a branch nobody waits for any more is no news

    def failures_of(self, call: OpenCall) -> FailureCodec:
        """What encodes the failures of a call: what the flow's class lists, and what the step's class does."""
        owner: FlowClass = type(call.proxy).__persistasaurus__  # type: ignore[attr-defined]  # it is a proxy
        return failures_of_call(self._execution.flow_class, owner)

    def _hand_live(self) -> bool:
        if self._host.closing:
            return False
        while True:
            while self.inbox:
                outcome = self.inbox.popleft()
                if self._calls.has(outcome[0]):
                    self.deliver(*outcome)
                    return True
            if self.waking:
                self._execution.due_reached(self.waking.popleft())
            elif self.restarting:
                self.restart()
            else:
                return False

    def restart(self) -> None:
        """Have the bodies run that wait for the end of the replay."""
        calls, self.restarting = self.restarting, []
        recovering, self._recovering = self._recovering, False
        self._execution.attempts.restart([call for call in calls if self._calls.has(call)], recovering=recovering)

    def deliver(self, call: AnyCall, status: Status, text: str | None, value: object) -> None:
        """Number an outcome, put it, and hand it to the flow."""
        record = self._record
        record.running()
        self._calls.close(call)
        number = self.number = self.number + 1
        self.step = call.step
        self.round = call.round
        now = max(self._host.clock.now(), self.time)
        if isinstance(call, Timer):
            now = max(now, call.due)
            self.time = now
            self._loop.now = now / 1e6
            record.put(CallChanged(self._execution.flow_id, call.step, status, 0, 0, call.due, None, number, now, None))
            call.fire()
            return
        self.time = now
        self._loop.now = now / 1e6
        flow_id = self._execution.flow_id
        record.put(CallChanged(flow_id, call.step, status, call.attempts, call.failures, None, text, number, now, None))
        if status is not Status.COMPLETE:
            self._hand_failure(call, status, text)
        else:
            # A stored outcome comes as its text alone.
            call.set_result(call.method.result.decode(text or "") if value is None else value)


def failures_of_call(flow_class: FlowClass, owner: FlowClass) -> FailureCodec:
    """What encodes the failures of a step of `owner` that a flow of `flow_class` calls: what either class lists."""
    own = owner.failures
    return own if own is flow_class.failures else joined(flow_class.failures, own)
