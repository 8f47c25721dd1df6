"""The end of a replay: what the flow still waits for goes on, in a fixed order (G4).

Stored outcomes, signals and due timers come first, then bodies: a time limit that passed while nobody was there strikes
before the step it limits is run again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from persistasaurus.errors import IncompatibleChange
from persistasaurus.flow_futures import Timer
from persistasaurus.open_call import AnyCall, OpenCall, State
from persistasaurus.records import Status
from persistasaurus.replay import History, describe

if TYPE_CHECKING:
    from persistasaurus.execution import Execution


def go_live(execution: Execution, history: History) -> None:
    """Leave the history behind; everything that was held back is put now.

    Raises:
        IncompatibleChange: The log holds more than the code does.
    """
    _require_no_difference(execution, history)
    recorded = [call for call in execution.calls if call.row is not None]
    execution.calling.leave_history()
    now = execution.host.clock.now()
    waking = [call for call in recorded if _goes_on(execution, call, now)]
    execution.deliveries.waking.extend(sorted(waking, key=lambda call: (call.due or 0, call.step)))
    execution.mailbox.give_out()


def _require_no_difference(execution: Execution, history: History) -> None:
    history.require_no_call(execution.calls.next_step, None)
    for call in execution.calls:
        stopping = isinstance(call, OpenCall) and call.state == State.RECORDED_STOPPING
        if call.row is not None and call.row.status is Status.CANCELLED and not stopping:
            raise IncompatibleChange(
                f"flow {execution.flow_id}: the log says that the flow gave up {describe(call.row)}, "
                "the code still waits for it"
            )


def _goes_on(execution: Execution, call: AnyCall, now: int) -> bool:
    """One recorded call that is still open goes on; True if its time has come already."""
    row = call.row
    assert row is not None
    if isinstance(call, Timer):
        return _set_alarm(execution, call, now)
    if row.status in (Status.COMPLETE, Status.FAILED, Status.CANCELLED):
        execution.calls.enter(call, State.ANSWERED)
        execution.deliveries.inbox.append((call, row.status, row.return_value, None))
        return False
    if call.state == State.RECORDED_STOPPING:
        execution.calls.enter(call, State.ANSWERED)
        execution.deliveries.inbox.append((call, Status.CANCELLED, None, None))
        return False
    if row.status is Status.WAITING_FOR_SIGNAL:
        execution.calls.enter(call, State.WAITING)
        return _set_alarm(execution, call, now)
    if call.due is not None and call.due > now:
        execution.calls.enter(call, State.SLEEPING)
        return _set_alarm(execution, call, now)
    execution.calls.enter(call, State.STARTING)
    execution.deliveries.restarting.append(call)
    return False


def _set_alarm(execution: Execution, call: AnyCall, now: int) -> bool:
    if call.due is None:
        return False
    if call.due <= now:
        return True
    call.alarm = execution.host.call_at(call.due, call.ring)
    return False
