"""What reopening a failed flow does to its log: everything from the failure on is undone, what it cost is kept (G7).

Reopening the failed step alone would not do: calls made because of the failure, and cancellations that followed it, are
part of the past of a flow that takes another course now.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from persistasaurus.errors import FlowNotReopened
from persistasaurus.failed_flow import FailurePoint
from persistasaurus.records import CallChanged, FlowRow, InvocationRow, Kind, Reopen, Status


def plan_reopening(
    flow: FlowRow,
    rows: Sequence[InvocationRow],
    failure: FailurePoint,
    now: int,
) -> Reopen:
    """Work out the one transaction that begins another round of a failed flow.

    Args:
        flow: The flow's row, FAILED.
        rows: Its invocations in force, by step number.
        failure: Where it failed.
        now: The time now.

    Raises:
        FlowNotReopened: A step that may run at most once is among those that failed the flow.
    """
    failed = [row for row in rows if row.step in failure.steps and row.status is Status.FAILED and row.delivery]
    for row in failed:
        if row.step in failure.at_most_once:
            raise FlowNotReopened(
                flow.flow_id,
                f"flow {flow.flow_id} failed because of {row.class_name}.{row.method_name} (step {row.step}), "
                "which may run at most once: the flow is not reopened, and `result()` raises what it failed with. "
                "Look what the step has done before you start a new flow under another id",
            )
    if failed:
        undone_from = min(row.delivery or 0 for row in failed)
        staying = [row for row in rows if row.called_after < undone_from]
        given_up = {row.step for row in staying if (row.cancelled_after or 0) >= undone_from}
    else:
        undone_from = failure.after + 1
        staying = [row for row in rows if row.step < failure.made]
        given_up = set(failure.open)
    stopped_at = next((row.delivered_at for row in rows if row.delivery == undone_from), None) or flow.ended_at or now
    failed_steps = {row.step for row in failed}
    restated = [
        change
        for row in staying
        if (change := _restate(row, failed_steps, given_up, undone_from, now - stopped_at, now)) is not None
    ]
    kept = {row.step for row in staying}
    anew = tuple(change.step for change in restated if change.status not in (Status.COMPLETE, Status.FAILED))
    waiting = tuple(change.step for change in restated if change.status is Status.WAITING_FOR_SIGNAL)
    return Reopen(
        flow.flow_id,
        flow.round,
        tuple(row.step for row in rows if row.step not in kept),
        tuple(restated),
        anew,
        waiting,
    )


def _restate(
    row: InvocationRow, failed: Collection[int], given_up: Collection[int], undone_from: int, shift: int, now: int
) -> CallChanged | None:
    """A staying call as the new round finds it; None if nothing changes for it."""
    delivered_later = row.delivery is not None and row.delivery >= undone_from
    cancelled_later = row.status is Status.CANCELLED and row.delivery is None and row.step in given_up
    if not delivered_later and not cancelled_later:
        return None
    never_taken = row.kind is Kind.SIGNAL and row.attempts == 0
    due: int | None
    if row.step in failed:
        due = now + row.delay if never_taken and row.delay is not None else None
        failures = 0
    elif row.kind is Kind.TIMER or row.status is Status.CANCELLED:
        # What was open then keeps the time it had left.
        due = None if row.due is None else row.due + shift
        failures = row.failures
    else:
        # An outcome that came later keeps its value and is delivered anew.
        return CallChanged(
            row.flow_id, row.step, row.status, row.attempts, row.failures, row.due, row.return_value, None, None, None
        )
    status = Status.WAITING_FOR_SIGNAL if never_taken else Status.PENDING
    return CallChanged(row.flow_id, row.step, status, row.attempts, failures, due, None, None, None, None)
