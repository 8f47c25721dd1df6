"""What a running flow puts to the log: its own row, and its writes in their order."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from typing import Final

import msgspec

from persistasaurus.errors import IncompatibleChange
from persistasaurus.failed_flow import FailurePoint, encode_failed_flow
from persistasaurus.failures import FailureCodec
from persistasaurus.history import moment
from persistasaurus.hosting import Host, Waiter
from persistasaurus.open_call import OpenCall
from persistasaurus.records import FlowChanged, FlowRow, FlowStatus, Write

logger = logging.getLogger("persistasaurus.flow")

PYTHON: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The Python version on record with a flow: asyncio itself makes other calls from one minor version to the next."""


_MOST_NAMED: Final = 5


def log_parked(flow: FlowRow, problem: Exception) -> None:
    """Say that a flow is parked, and why."""
    reason = str(problem).removeprefix(f"flow {flow.flow_id}: ")
    logger.warning("[PARK] %s flow=%s: %s", flow.name, flow.flow_id, reason)


class FlowRecord:
    """The log of one flow, as the flow's run writes it.

    Args:
        host: Takes the writes.
        flow: The flow's row.
        failures: Encodes errors.
        digest: The digest of the code, kept with what parks the flow.
    """

    __slots__ = ("_digest", "_failures", "_host", "_recoveries", "_waits_for", "flow", "position", "touched")

    def __init__(self, host: Host, flow: FlowRow, failures: FailureCodec, digest: str) -> None:
        self._host = host
        self._failures = failures
        self._digest = digest
        self._recoveries = flow.recoveries
        self._waits_for = ""
        self.flow = flow
        self.position = 0
        """Of the last write of this flow in the log's queue."""
        self.touched = False
        """Whether somebody else changed the row: a signal makes a WAITING flow due (G8)."""

    def put(self, write: Write) -> None:
        """Put a write behind all others of this flow."""
        self.position = self._host.put(write)

    def when_durable(self, waiter: Waiter) -> None:
        """Tell the waiter when all that was put so far is durable."""
        self._host.when_durable(self.position, waiter)

    def running(self) -> None:
        """The flow stops waiting: its row must say so before anything else does, or a crash would leave it asleep."""
        if self.flow.status is not FlowStatus.RUNNING:
            self._waits_for = ""
            self._change(FlowStatus.RUNNING)

    def waiting(self, due: int | None, signals: Iterable[OpenCall]) -> None:
        """The flow only waits, until `due` or for one of these signals."""
        if self.flow.status is not FlowStatus.WAITING or self.flow.due != due or self.touched:
            self.touched = False
            self._change(FlowStatus.WAITING, due=due)
            if logger.isEnabledFor(logging.INFO):
                self._say_what_for(due, signals)

    def _say_what_for(self, due: int | None, signals: Iterable[OpenCall]) -> None:
        names = [call.method.name if call.key is None else f"{call.method.name} {call.key!r}" for call in signals]
        listed = ", ".join(names[:_MOST_NAMED]) + (", ..." if len(names) > _MOST_NAMED else "")
        signal = "signal" if len(names) == 1 else "one of the signals"
        until = [] if due is None else [f"until {moment(due).isoformat()}"]
        what_for = ", ".join(([f"for {signal} {listed}"] if names else []) + until)
        if what_for != self._waits_for:
            self._waits_for = what_for
            logger.info("[WAIT] %s flow=%s %s", self.flow.name, self.flow.flow_id, what_for)

    def recovered(self) -> None:
        """A crash cut bodies off that run again now; the count is written before they do (G10)."""
        self._recoveries += 1
        self._change(FlowStatus.RUNNING)

    def progressed(self) -> None:
        """The flow has made a new record: earlier recoveries do not count any more (G10)."""
        if self._recoveries:
            self._recoveries = 0
            self._change(self.flow.status, due=self.flow.due)

    def complete(self, text: str, ended_at: int) -> None:
        """The flow has a result."""
        self._finish(FlowStatus.COMPLETE, text, ended_at)

    def fail(self, error: BaseException, at: FailurePoint, ended_at: int) -> None:
        """An exception has left the flow body (G7)."""
        # Said here with its traceback, which does not come back with the recorded error (G3).
        logger.warning("[FAIL] %s flow=%s", self.flow.name, self.flow.flow_id, exc_info=error)
        self._finish(FlowStatus.FAILED, encode_failed_flow(self._failures, error, at), ended_at)

    def park(self, problem: Exception) -> None:
        """The flow cannot go on as things are; its own row says why, everything else stays (G5)."""
        if isinstance(problem, IncompatibleChange) and self.flow.python != PYTHON:
            problem = IncompatibleChange(
                f"{problem}. The flow was started on Python {self.flow.python}, this is Python {PYTHON}: "
                "that alone may be the difference"
            )
        log_parked(self.flow, problem)
        text = encode_failed_flow(self._failures, problem, FailurePoint())
        self._change(FlowStatus.PARKED, return_value=text, digest=self._digest)

    def _finish(self, status: FlowStatus, text: str, ended_at: int) -> None:
        self._recoveries = 0
        self._change(status, return_value=text, ended_at=ended_at)
        logger.info("[DONE] %s flow=%s %s", self.flow.name, self.flow.flow_id, status)

    def _change(
        self,
        status: FlowStatus,
        *,
        due: int | None = None,
        return_value: str | None = None,
        digest: str | None = None,
        ended_at: int | None = None,
    ) -> None:
        recoveries = self._recoveries
        self.flow = msgspec.structs.replace(
            self.flow, status=status, due=due, recoveries=recoveries, digest=digest, return_value=return_value,
            ended_at=ended_at,
        )  # fmt: skip
        self.put(
            FlowChanged(
                self.flow.flow_id, status, due, recoveries, digest, return_value, ended_at, self.flow.claims,
                self._host.heard,
            )
        )  # fmt: skip
