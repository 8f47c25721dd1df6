"""What a write makes of a row: the rules every execution log shares, as functions from rows to rows."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from persistasaurus.records import CallChanged, CallMade, FlowChanged, FlowRow, FlowStatus, InvocationRow, Status

READS_NO_SIGNALS: Final = frozenset((FlowStatus.COMPLETE, FlowStatus.CANCELLED))
"""A flow in one of these will never wait again (G8). A FAILED one may be reopened, a PARKED one resumed."""


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


def change_of(row: FlowRow) -> FlowChanged:
    """The write that brings a flow's row to where `row` stands."""
    return FlowChanged(row.flow_id, row.status, row.due, row.recoveries, row.digest, row.return_value, row.ended_at)


def flow_woken(row: FlowRow, sent_at: int) -> FlowRow:
    """A WAITING flow a signal was sent to is due when the signal was sent, or before if it was (G8)."""
    return replace(row, due=sent_at if row.due is None else min(row.due, sent_at))


def flow_running(row: FlowRow) -> FlowRow:
    """A flow that was resumed or reopened: RUNNING, without outcome, reason, due time or recoveries."""
    return replace(row, status=FlowStatus.RUNNING, due=None, recoveries=0, return_value=None, ended_at=None)


def flow_reopened(row: FlowRow) -> FlowRow:
    """A FAILED flow in its next round (G7)."""
    return replace(flow_running(row), round=row.round + 1)
