"""The calls a flow waits for: what its body awaits, and what is known of each so far."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final

from persistasaurus.flow_futures import FlowFuture, Timer
from persistasaurus.records import InvocationRow, Kind, SignalRow

if TYPE_CHECKING:
    from persistasaurus.bodies import BodyTask
    from persistasaurus.clock import Alarm
    from persistasaurus.execution import Execution
    from persistasaurus.flow_classes import Method


class State:
    """Where an open call stands in this run of its flow; from STARTING on it keeps its flow in memory.

    Whole numbers, not an enum: they are compared several times a step.
    """

    RECORDED: Final = 0
    """Known from the log; it goes live when the recorded deliveries are through."""
    RECORDED_STOPPING: Final = 1
    """The same, and the flow has asked it to stop."""
    SLEEPING: Final = 2
    """Delayed, or between two attempts."""
    WAITING: Final = 3
    """For a signal."""
    STARTING: Final = 4
    """Its body starts as soon as what was put before is durable."""
    RUNNING: Final = 5
    """Its body runs."""
    STOPPING: Final = 6
    """Its body runs and was asked to stop."""
    ANSWERED: Final = 7
    """Its outcome is there and will be delivered."""


class OpenCall(FlowFuture[Any]):
    """A step or a wait for a signal whose outcome has not been delivered.

    Cancelling it asks its execution, which decides whether it ends at once or when its body has answered (G4).
    """

    __slots__ = (
        "alarm", "arguments", "attempts", "body", "cancel_message", "due", "execution", "failures", "key", "kind",
        "method", "parameters", "proxy", "round", "row", "signal", "state", "step", "stop_asked",
    )  # fmt: skip

    def __init__(self, execution: Execution, step: int, kind: Kind, method: Method, proxy: object, state: int) -> None:
        super().__init__(execution.loop)
        self.execution = execution
        self.step = step
        self.kind = kind
        self.method = method
        self.proxy = proxy
        self.state = state
        self.round = execution.record.flow.round
        self.parameters = "{}"
        self.arguments: tuple[tuple[Any, ...], dict[str, Any]] | None = None
        self.attempts = self.failures = 0
        self.stop_asked = False
        self.key: str | None = None
        self.row: InvocationRow | None = None
        self.due: int | None = None
        self.alarm: Alarm | None = None
        self.signal: SignalRow | None = None
        self.cancel_message: object = None
        self.body: BodyTask | None = None

    def cancel(self, msg: object = None) -> bool:
        return not self.done() and self.execution.giving_up.cancel(self, msg)

    def end_cancelled(self, message: object) -> None:
        """Cancel the future itself: what awaits it sees `CancelledError`."""
        super().cancel(message)

    def disarm(self) -> None:
        """Drop the alarm of a delay, a back-off or a time limit."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None

    def ring(self) -> None:
        """The alarm went off: a delay or back-off is over, or a wait has run out of time."""
        self.alarm = None
        self.execution.due_reached(self)

    def durable(self) -> None:
        """What was put before this call's body may start is durable (G1)."""
        self.execution.attempts.may_start(self)

    @property
    def label(self) -> str:
        """`method (step n of flow id)`, for messages."""
        return f"{self.method.name} (step {self.step} of flow {self.execution.flow_id})"


AnyCall = OpenCall | Timer


class OpenCalls:
    """The open calls of one run, in the order of their numbers."""

    __slots__ = ("_by_step", "_due", "_waits", "busy", "next_step")

    def __init__(self) -> None:
        self._by_step: dict[int, AnyCall] = {}
        self._due: list[tuple[int, int]] = []
        self._waits: dict[tuple[str, str | None], dict[int, OpenCall]] = {}
        self.next_step = 1
        """The number the next call draws."""
        self.busy = 0
        """How many are about to run, run, or have an outcome to be delivered."""

    def __iter__(self) -> Iterator[AnyCall]:
        return iter(list(self._by_step.values()))

    def __bool__(self) -> bool:
        return bool(self._by_step)

    def get(self, step: int) -> AnyCall | None:
        """The open call of that number."""
        return self._by_step.get(step)

    def has(self, call: AnyCall) -> bool:
        """Whether the call is still open."""
        return self._by_step.get(call.step) is call

    def add(self, call: AnyCall) -> None:
        """A call was made; it has drawn the next number."""
        self._by_step[call.step] = call
        self.next_step += 1
        if call.due is not None:
            heappush(self._due, (call.due, call.step))
        if isinstance(call, OpenCall):
            self._entered(call)

    def skip(self) -> None:
        """A call was made that is over already."""
        self.next_step += 1

    def enter(self, call: OpenCall, state: int) -> None:
        """An open call gets another state."""
        self._left(call)
        call.state = state
        self._entered(call)
        if state == State.SLEEPING and call.due is not None:
            heappush(self._due, (call.due, call.step))

    def close(self, call: AnyCall) -> None:
        """A call is over for the flow."""
        del self._by_step[call.step]
        if call.alarm is not None:
            call.disarm()
        if isinstance(call, OpenCall):
            self._left(call)

    def _entered(self, call: OpenCall) -> None:
        if call.state >= State.STARTING:
            self.busy += 1
        elif call.state == State.WAITING:
            self._waits.setdefault((call.method.name, call.key), {})[call.step] = call

    def _left(self, call: OpenCall) -> None:
        if call.state >= State.STARTING:
            self.busy -= 1
        elif call.state == State.WAITING:
            waits = self._waits[call.method.name, call.key]
            del waits[call.step]
            if not waits:
                del self._waits[call.method.name, call.key]

    def waiting(self) -> Iterator[OpenCall]:
        """The waits for signals, by number."""
        return (call for call in self if isinstance(call, OpenCall) and call.state == State.WAITING)

    def first_wait(self, method_name: str, key: str | None) -> OpenCall | None:
        """The wait that takes the next signal of that method and key."""
        waits = self._waits.get((method_name, key))
        return None if waits is None else waits[min(waits)]

    def due(self) -> int | None:
        """When the first of them goes on by itself; None if only a signal can help."""
        due = self._due
        while due:
            call = self._by_step.get(due[0][1])
            if call is not None and call.due == due[0][0]:
                return call.due
            heappop(due)  # over, or due at another time by now
        return None

    def next_body(self) -> int | None:
        """When the first delay or back-off of them is over."""
        sleeping = (call for call in self if isinstance(call, OpenCall) and call.state == State.SLEEPING)
        return min((call.due for call in sleeping if call.due is not None), default=None)

    def steps(self) -> tuple[int, ...]:
        """Their numbers."""
        return tuple(self._by_step)

    def clear(self) -> None:
        """Forget them all and drop their alarms."""
        for call in self._by_step.values():
            call.disarm()
        self._by_step.clear()
        self._due.clear()
        self._waits.clear()
        self.busy = 0
