"""What an execution needs from outside: an engine gives it, or a simulated world."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from persistasaurus.clock import Alarm, Clock
from persistasaurus.pump import Pump
from persistasaurus.records import Write

if TYPE_CHECKING:
    from persistasaurus.execution import Execution
    from persistasaurus.open_call import OpenCall


class Waiter(Protocol):
    """Something that goes on once what was put before it is durable."""

    def durable(self) -> None:
        """It is."""


class Host(Protocol):
    """The log, the time, and somebody to run bodies; all on one thread."""

    clock: Clock
    pump: Pump
    closing: bool
    """Whether no flow may go on any more (G14)."""
    heard: int
    """The number of the last signal that was heard of from other engines."""
    random: Callable[[], float]
    seed: bytes
    """Of the log; what flows draw is derived from it."""
    max_bytes: int
    """The largest value, in bytes of JSON."""

    @property
    def put(self) -> Callable[[Write], int]:
        """Put a write to the log's queue; returns its position."""

    def when_durable(self, position: int, waiter: Waiter) -> None:
        """Tell the waiter, later, when everything up to the position is durable."""

    def call_at(self, when: int, then: Callable[[], None]) -> Alarm:
        """Call later, not before the time."""

    def start_body(self, call: OpenCall) -> None:
        """Have a body run; its end is told by `attempts.returned` or `attempts.raised`."""

    def stop_body(self, call: OpenCall) -> None:
        """Ask an async body to stop."""

    def is_sent_to(self, flow_id: str) -> bool:
        """Whether a signal for the flow is on its way into the log: put behind it, a flow's row must not say that the
        flow waits, or a crash before it hears of the signal would leave it asleep (G8)."""

    def quiescent(self, execution: Execution) -> None:
        """The flow only waits; once everything it put is durable it may be evicted."""

    def progressed(self, execution: Execution) -> None:
        """A flow that was brought back has made a new record."""

    def ended(self, execution: Execution) -> None:
        """The flow has ended or was parked, and that is durable; `execution.record.flow` is its row."""
