"""What a write makes of a row: the rules every execution log shares, as functions from rows to rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from persistasaurus.errors import ClaimLost, RowRefused
from persistasaurus.records import (
    CallChanged,
    CallMade,
    Extend,
    FlowChanged,
    FlowRow,
    FlowStatus,
    InvocationRow,
    Question,
    Readmit,
    Rejoin,
    Status,
    Write,
)

READS_NO_SIGNALS: Final = frozenset((FlowStatus.COMPLETE, FlowStatus.CANCELLED))
"""A flow in one of these will never wait again (G8). A FAILED one may be reopened, a PARKED one resumed."""


NOTHING_UNHEARD: Final = 2**62
"""A number of a signal that none reaches."""

RUN_BY_NOBODY: Final = frozenset((FlowStatus.COMPLETE, FlowStatus.FAILED, FlowStatus.CANCELLED, FlowStatus.PARKED))
"""A flow in one of these has ended or is parked; it can be deleted."""


def call_made(write: CallMade) -> InvocationRow:
    """The row a new invocation begins with."""
    return InvocationRow(
        write.flow_id,
        write.step,
        write.kind,
        write.class_name,
        write.method_name,
        write.key,
        write.timestamp,
        write.called_after,
        write.parameters,
        write.delay,
        write.round,
        write.status,
        write.attempts,
        0,
        write.due,
        None,
        None,
        None,
        None,
    )


def call_changed(row: InvocationRow, write: CallChanged) -> InvocationRow:
    """The row with every column that changes in the life of an invocation."""
    return InvocationRow(
        row.flow_id,
        row.step,
        row.kind,
        row.class_name,
        row.method_name,
        row.key,
        row.timestamp,
        row.called_after,
        row.parameters,
        row.delay,
        row.round,
        write.status,
        write.attempts,
        write.failures,
        write.due,
        write.return_value,
        write.delivery,
        write.delivered_at,
        write.cancelled_after,
    )


def signal_taken(row: InvocationRow, parameters: str, attempts: int) -> InvocationRow:
    """A wait that got its signal: a PENDING step with the signal's arguments, its time limit over."""
    return replace(row, status=Status.PENDING, parameters=parameters, attempts=attempts, due=None)


def flow_changed(row: FlowRow, write: FlowChanged) -> FlowRow:
    """The flow's row with every column that changes in the life of a flow."""
    return replace(
        row,
        status=write.status,
        due=write.due,
        recoveries=write.recoveries,
        digest=write.digest,
        return_value=write.return_value,
        ended_at=write.ended_at,
    )


def change_of(row: FlowRow, heard: int = NOTHING_UNHEARD) -> FlowChanged:
    """The write that brings a flow's row to where `row` stands."""
    return FlowChanged(
        row.flow_id,
        row.status,
        row.due,
        row.recoveries,
        row.digest,
        row.return_value,
        row.ended_at,
        row.claims,
        heard,
    )


def flow_woken(row: FlowRow, sent_at: int) -> FlowRow:
    """A WAITING flow a signal was sent to is due when the signal was sent, or before if it was (G8)."""
    return replace(row, due=sent_at if row.due is None else min(row.due, sent_at))


def flow_running(row: FlowRow) -> FlowRow:
    """A flow that was resumed or reopened: RUNNING, without outcome, reason, due time or recoveries."""
    return replace(row, status=FlowStatus.RUNNING, due=None, recoveries=0, return_value=None, ended_at=None)


def flow_reopened(row: FlowRow) -> FlowRow:
    """A FAILED flow in its next round (G7)."""
    return replace(flow_running(row), round=row.round + 1)


def flow_claimed(row: FlowRow) -> FlowRow:
    """A flow that an engine got the right to run (G11)."""
    return replace(row, status=FlowStatus.RUNNING, due=None, return_value=None, ended_at=None, claims=row.claims + 1)


def flow_released(row: FlowRow) -> FlowRow:
    """A flow that was given back: whoever still holds the old claim is too late."""
    return replace(row, claims=row.claims + 1)


def is_claimable(row: FlowRow, *, owned: bool, parked: bool) -> bool:
    """Whether the right to run a flow can be had.

    Args:
        row: The flow's.
        owned: Whether the engine that last had it lives.
        parked: Whether a PARKED flow is wanted, too.
    """
    if row.status is FlowStatus.RUNNING:
        return not owned
    return row.status is FlowStatus.WAITING or (parked and row.status is FlowStatus.PARKED)


def refuse_no_lease(write: Extend) -> None:
    """RowRefused for a lease that is over when it begins."""
    if write.lease <= 0:
        raise RowRefused(f"a lease is extended by one microsecond or more, not by {write.lease}")


def is_free_of(stopped_by: Exception, write: Write) -> bool:
    """Whether a write may be made for a flow that is stopped: what comes from outside, if just the claim was lost."""
    return isinstance(stopped_by, ClaimLost) and isinstance(write, Question)


def passing_the_fence(writes: Sequence[Write], engine: int) -> tuple[list[Write], bool]:
    """What may be made of writes that were put by an engine which has lost its claims (G11).

    Args:
        writes: In the order in which they were put.
        engine: Its number by now.

    Returns:
        The writes, as many as before: what flows had put before its `Rejoin` is replaced by one, which does nothing.
        Whether that is still to come, so that what follows is dropped, too.
    """
    dropping = True
    nothing = Rejoin(engine)
    passing: list[Write] = []
    for write in writes:
        dropping = dropping and write != nothing
        passing.append(nothing if dropping and not isinstance(write, Question | Readmit) else write)
    return passing, dropping
