"""A call that a flow waits for: the future its body awaits, and what is known of it so far."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from persistasaurus.flow_loop import FlowFuture
from persistasaurus.records import InvocationRow, Kind

if TYPE_CHECKING:
    from persistasaurus.clock import Alarm
    from persistasaurus.execution import Execution
    from persistasaurus.proxies import Method


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

    def __init__(self, execution: Execution, step: int, kind: Kind, method: Method, proxy: object) -> None:
        super().__init__(execution.loop)
        self.execution = execution
        self.step = step
        self.kind = kind
        self.method = method
        self.proxy = proxy
        self.key: str | None = None
        self.state: int = State.RECORDED
        self.row: InvocationRow | None = None
        self.parameters = ""
        self.arguments: tuple[tuple[object, ...], dict[str, object]] | None = None
        self.attempts = 0
        self.failures = 0
        self.due: int | None = None
        self.round = 0
        self.alarm: Alarm | None = None
        self.signal_id: str | None = None
        self.cancel_message: object = None
        self.body: asyncio.Task[None] | None = None
        self.stop_asked = False
        self.body_started = False

    def cancel(self, msg: object = None) -> bool:
        return not self.done() and self.execution.cancel_asked(self, msg)

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
        self.execution.may_start(self)

    @property
    def label(self) -> str:
        """`method (step n of flow id)`, for messages."""
        return f"{self.method.name} (step {self.step} of flow {self.execution.flow_id})"
