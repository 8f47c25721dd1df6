"""The execution log as the runtime sees it: one queue of writes, short reads, and word of what became durable.

Every log keeps the same contract, which `persistasaurus.testing.ExecutionLogContract` checks:

- `put` never waits. What was put earlier is durable no later, and after a crash the durable part is a
  prefix of what was put (G1), for each flow also when rows were refused.
- `on_commit` is told once a commit has returned, and not before; from any thread.
- Reads see committed data only. They come in pages and do not wait for writes.
- A refused row stops its own flow: no later write of that flow is made until `Readmit`; other flows do not notice.
- Many engines may share what is recorded, each through a log object of its own. A RUNNING flow is claimed by the
  engine that started it or took it with `Claim`, until the engine closes, gives it back, or its lease is over; a
  WAITING one by nobody. Whoever lost a claim can write nothing more for that flow (G11).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final, Protocol

from msgspec import Struct

from persistasaurus.records import Commit, FlowRow, FlowStatus, InvocationRow, SignalRow, Write

HEAD_START: Final = 100_000
"""Microseconds for which a due flow is left to the living engine that ran it last and may have it in memory."""

SEED_SIZE: Final = 16
"""Bytes of the seed of a log."""


def no_news() -> None:
    """News of other engines that nobody wants to hear."""


class Snapshot(Struct, frozen=True):
    """All that is recorded of one flow at one moment."""

    flow: FlowRow
    invocations: tuple[InvocationRow, ...]
    """Those in force, by step number."""
    archived: tuple[InvocationRow, ...]
    """Those of earlier rounds, by round and step number."""
    signals: tuple[SignalRow, ...]
    """Read and unread, in the order in which they were sent."""

    @property
    def position(self) -> int:
        """How far the flow has come: the number of its last delivery."""
        return max((row.delivery for row in self.invocations if row.delivery is not None), default=0)


class ExecutionLog(Protocol):
    """Where flows are recorded, as one engine sees it."""

    def open(self, on_commit: Callable[[Commit], None], on_news: Callable[[], None] = no_news) -> None:
        """Join the engines that share the log.

        Args:
            on_commit: Called after each commit, from any thread, with what it settled.
            on_news: Called, from any thread, when another engine may have recorded something that matters here: a flow
                nobody runs, a signal, the end of a flow. May come without a reason, and late by a second, never not.

        Raises:
            LogInUse: This log object is open for another engine.
            LogError: It is not an execution log, or newer than this version, or cannot be read.
        """

    def close(self) -> None:
        """Commit what was put, tell `on_commit`, give back every claim, and let go of the log.

        Raises:
            LogUnavailable: The log cannot be written; says what was not recorded. It is let go of all the same.
        """

    @property
    def seed(self) -> bytes:
        """`SEED_SIZE` random bytes, made with the log and kept in it; what flow code draws is derived from them."""

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

    def available(
        self,
        now: int,
        names: Collection[str],
        *,
        other: bool = False,
        after: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> Sequence[FlowRow]:
        """Flows that can be claimed: RUNNING ones nobody runs, and WAITING ones that are due.

        A due flow is left to the engine that ran it last, if that lives, for the time of `HEAD_START`.

        Args:
            now: The time.
            names: The recorded names of the flows that are wanted, `Class.method`.
            other: Find the flows of all other names instead.
            after: Begin behind this place, (since when, flow id).
            limit: At most so many.

        Returns:
            Ordered by since when they can be: a WAITING flow since it is due, a RUNNING one since it was started.
        """

    def next_due(self, after: int) -> int | None:
        """The earliest due time later than `after` of any WAITING flow, None if there is none."""

    def ended(self, flow_ids: Collection[str]) -> Sequence[FlowRow]:
        """Those of these flows that are neither RUNNING nor WAITING."""

    def snapshot(self, flow_id: str) -> Snapshot | None:
        """All that is recorded of a flow at one moment, None if there is no such flow."""

    def last_signal(self) -> int:
        """The number of the last signal stored for any flow, 0 if there is none; numbers only grow."""

    def signals_from_others(self, after: int, to: int) -> Sequence[SignalRow]:
        """The signals numbered above `after`, up to `to`, that were sent through other engines, in that order."""
