"""The execution log as the runtime sees it: one queue of writes, short reads, and word of what became durable.

Every log keeps the same contract, which `persistasaurus.testing.ExecutionLogContract` checks:

- `put` never waits. What was put earlier is durable no later, and after a crash the durable part is a
  prefix of what was put (G1), for each flow also when rows were refused.
- `on_commit` is told once a commit has returned, and not before; from any thread.
- Reads see committed data only. They come in pages and do not wait for writes.
- A refused row stops its own flow: no later write of that flow is made until `Readmit`; other flows do not notice.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from persistasaurus.records import Commit, FlowRow, FlowStatus, InvocationRow, SignalRow, Write


class ExecutionLog(Protocol):
    """Where flows are recorded. One engine has a log open at a time."""

    def open(self, on_commit: Callable[[Commit], None]) -> None:
        """Take the log for one engine.

        Args:
            on_commit: Called after each commit, from any thread, with what it settled.

        Raises:
            LogInUse: Another engine has this log open.
            LogError: It is not an execution log, or newer than this version, or cannot be read.
        """

    def close(self) -> None:
        """Commit what was put, tell `on_commit`, and let go of the log.

        Raises:
            LogUnavailable: The log cannot be written; says what was not recorded. It is let go of all the same.
        """

    def put(self, write: Write) -> int:
        """Put a write at the end of the queue and return its position, counted from one."""

    def flow(self, flow_id: str) -> FlowRow | None:
        """The flow's own row, None if there is no such flow."""

    def invocations(self, flow_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[InvocationRow]:
        """The invocations in force with a step number above `after`, by step number, at most `limit`."""

    def archived(self, flow_id: str, *, limit: int = 1000) -> Sequence[InvocationRow]:
        """The invocations of earlier rounds, by round and step number, at most `limit`."""

    def unread_signals(self, flow_id: str) -> Sequence[SignalRow]:
        """The signals no wait has taken, in the order in which they were sent."""

    def taken_signals(self, flow_id: str) -> Sequence[SignalRow]:
        """The signals taken by waits of the flow, in the order in which they were sent."""

    def flows(
        self, *, status: FlowStatus | None = None, after: tuple[int, str] | None = None, limit: int = 100
    ) -> Sequence[FlowRow]:
        """Flows of one status or of all, oldest first by (timestamp, flow id), behind `after`, at most `limit`."""

    def due(self, before: int, *, after: tuple[int, str] | None = None, limit: int = 100) -> Sequence[FlowRow]:
        """WAITING flows due at or before `before`, by (due, flow id), behind `after`, at most `limit`."""

    def next_due(self, after: int) -> int | None:
        """The earliest due time later than `after` of any WAITING flow, None if there is none."""
