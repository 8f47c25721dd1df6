"""What a flow body asks for: each call gets its number and is recorded, or held against the log (G4, G5)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from persistasaurus.errors import CorruptRow, IncompatibleChange
from persistasaurus.flow_classes import Method
from persistasaurus.flow_futures import Timer
from persistasaurus.open_call import AnyCall, OpenCall, State
from persistasaurus.records import CallMade, InvocationRow, Kind, SignalRow, Status, Write
from persistasaurus.replay import require_same_call

if TYPE_CHECKING:
    from persistasaurus.execution import Execution


class Calling:
    """Makes the calls of one flow.

    Args:
        execution: The run of the flow.
        taken: Signals taken by waits whose step is not over, by step number.
    """

    def __init__(self, execution: Execution, taken: Mapping[int, SignalRow]) -> None:
        self._execution = execution
        self._host = execution.host
        self._record = execution.record
        self._calls = execution.calls
        self._loop = execution.loop
        self._deliveries = execution.deliveries
        self._taken = taken
        self._held: list[tuple[Write, AnyCall | None]] = []

    def step(self, proxy: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> OpenCall:
        """The flow calls a step.

        Returns:
            What it waits for; already done where a replay needs no waiting.

        Raises:
            ValueNotStorable: An argument cannot be recorded; nothing was.
        """
        method: Method = type(proxy).__persistasaurus__.methods[name]
        calls = self._calls
        if self._execution.history is not None:
            row = self._execution.history.row(calls.next_step)
            if row is not None:
                parameters = method.parameters.text(args, kwargs)
                return self._recorded(
                    OpenCall(self._execution, row.step, Kind.STEP, method, proxy, State.RECORDED), row, parameters
                )
        parameters, args, kwargs = method.parameters.round_trip(args, kwargs, self._host.max_bytes)
        delay = method.delay_us
        state = State.STARTING if delay is None else State.SLEEPING
        call = OpenCall(self._execution, calls.next_step, Kind.STEP, method, proxy, state)
        call.parameters = parameters
        call.arguments = (args, kwargs)
        now = self._execution.now()
        if delay is None:
            call.attempts = 1
        else:
            call.due = now + delay
        self._make(call, now, Status.PENDING, delay)
        return call

    def wait_for_signal(self, method: Method, key: str | None, timeout: int | None) -> OpenCall:
        """The flow waits for a signal, at most `timeout` microseconds."""
        row = self._execution.history.row(self._calls.next_step) if self._execution.history is not None else None
        state = State.WAITING if row is None else State.RECORDED
        call = OpenCall(self._execution, self._calls.next_step, Kind.SIGNAL, method, self._execution.proxy, state)
        call.key = key
        if row is not None:
            return self._recorded(call, row, row.parameters)
        now = self._execution.now()
        call.due = None if timeout is None else now + timeout
        self._make(call, now, Status.WAITING_FOR_SIGNAL, timeout)
        if self._execution.history is None:
            self._execution.mailbox.give(call)
        return call

    def set_timer(self, timer: Timer, when: float) -> None:
        """The flow's code set a timer."""
        timer.step = self._calls.next_step
        row = self._execution.history.row(timer.step) if self._execution.history is not None else None
        if row is not None:
            self._compare(row, Kind.TIMER, None, "", None, "")
            timer.row = row
            timer.due = row.due or 0
            timer.round = row.round
            self._calls.add(timer)
            return
        now = self._execution.now()
        delay = max(math.ceil((when - self._loop.now) * 1e6), 0)
        timer.due = now + delay
        timer.round = self._record.flow.round
        self._calls.add(timer)
        write = CallMade(
            self._execution.flow_id, timer.step, Kind.TIMER, "", "", None, now, self._deliveries.number, "{}", delay,
            self._record.flow.round, Status.PENDING, 0, timer.due,
        )  # fmt: skip
        self.put(write, timer)

    def _make(self, call: OpenCall, now: int, status: Status, delay: int | None) -> None:
        """Record a new call and see that it goes on."""
        self._calls.add(call)
        write = CallMade(
            self._execution.flow_id, call.step, call.kind, self._class_name(call), call.method.name, call.key, now,
            self._deliveries.number, call.parameters, delay, call.round, status, call.attempts, call.due,
        )  # fmt: skip
        self.put(write, call)

    def put(self, write: Write, call: AnyCall | None = None) -> None:
        """Put a write, and set its call going; held back until the whole replay has proved right (G5)."""
        if self._execution.history is not None:
            self._held.append((write, call))
            return
        record = self._record
        if call is None:
            record.put(write)
            return
        record.running()
        record.put(write)
        if call.due is not None:
            call.alarm = self._host.call_at(call.due, call.ring)
        else:
            assert isinstance(call, OpenCall)  # a timer is always due
            if call.state == State.STARTING:
                record.when_durable(call)

    def leave_history(self) -> None:
        """The replay has proved right: the flow is live, and what was held back is put."""
        self._execution.history = None
        held, self._held = self._held, []
        for write, call in held:
            # A call given up since then needs nothing more than its record.
            self.put(write, call if call is not None and self._calls.has(call) else None)

    def _recorded(self, call: OpenCall, row: InvocationRow, parameters: str) -> OpenCall:
        """A call that the log holds: compare, and take the outcome at once where that is as good as waiting."""
        self._compare(row, call.kind, call.method, self._class_name(call), call.key, parameters)
        history = self._execution.history
        assert history is not None
        call.row = row
        if history.peek() is row and row.status is not Status.CANCELLED and self._needs_no_turn():
            following = history.row(call.step + 1)
            if following is None or following.called_after >= (row.delivery or 0):
                self._calls.skip()
                history.advance()
                try:
                    self._deliveries.hand_recorded(call, row)
                except CorruptRow as problem:
                    self._execution.stop(problem)
                return call
        call.parameters = row.parameters
        call.attempts, call.failures, call.due, call.round = row.attempts, row.failures, row.due, row.round
        call.signal = self._taken.get(row.step)
        self._calls.add(call)
        return call

    def _needs_no_turn(self) -> bool:
        # Suspending now would do nothing but run this delivery next: nothing else is ready, nobody is cancelled.
        if not self._loop.idle or self._execution.main.done():
            return False
        task = self._loop.current_task()
        return task is not None and not task._must_cancel  # type: ignore[attr-defined]  # asyncio keeps it there

    def _compare(
        self, row: InvocationRow, kind: Kind, method: Method | None, class_name: str, key: str | None, parameters: str
    ) -> None:
        try:
            require_same_call(row, kind, method, class_name, key, self._deliveries.number, parameters)
        except IncompatibleChange as problem:
            self._execution.stop(problem)

    def _class_name(self, call: OpenCall) -> str:
        """The class a call is recorded under; none where the flow has a name of its own: its class may be renamed."""
        execution = self._execution
        has_own_name = call.proxy is execution.proxy and not execution.method.recorded_class
        return "" if has_own_name else call.method.class_name

    def forget(self) -> None:
        """Drop what was held back: the replay has proved wrong."""
        self._held.clear()
