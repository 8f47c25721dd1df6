"""The end of a flow: what its main task left over is cancelled and runs to its end, then the outcome is put (G4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from persistasaurus.errors import FlowDeadlock, IncompatibleChange, OutcomeNotStorable, PersistasaurusError
from persistasaurus.failed_flow import FailurePoint, failing_calls
from persistasaurus.flow_futures import FlowTask
from persistasaurus.going_live import go_live
from persistasaurus.open_call import OpenCall
from persistasaurus.replay import describe

if TYPE_CHECKING:
    from persistasaurus.execution import Execution


class WindingDown:
    """Ends one flow.

    Args:
        execution: The run of the flow.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._cancelled: set[FlowTask[Any]] = set()
        self._asked: dict[FlowTask[Any], OpenCall] = {}
        """What tasks waited for when they were cancelled: a body may answer with something else."""
        self._closed: set[int] = set()
        self._main_ended_at: FailurePoint | None = None

    def has_ended(self) -> bool:
        """The main task is done: end what it left over, then put the flow's outcome. False while that waits."""
        execution = self._execution
        if self._main_ended_at is None:
            self._main_ended_at = self._here()
        while not execution.loop.dead:
            going_on = self._end_something()
            if going_on is None:
                break
            if not going_on:
                return False
            execution.loop.run_until_idle()
        if execution.loop.dead:
            return True
        if execution.history is not None:
            row = execution.history.peek()
            if row is not None:
                raise IncompatibleChange(
                    f"flow {execution.flow_id}: the code ends where the log still holds the outcome of {describe(row)}"
                )
            go_live(execution, execution.history)
        execution.loop.freeze()
        self._put_outcome(self._main_ended_at)
        execution.end_code()
        execution.tell_end()
        return True

    def deadlocked(self) -> None:
        """Nothing is ready and nothing outstanding: the flow fails (G4)."""
        execution = self._execution
        flow = execution.record.flow
        error = FlowDeadlock(
            flow.flow_id,
            f"flow {flow.flow_id} ({flow.name}) waits, but no step, timer or signal is outstanding: "
            "what it waits for must come from a step, a timer, a signal or another branch of the flow",
        )
        at = self._main_ended_at or self._here()
        execution.discard()
        execution.record.fail(error, at, execution.now())
        execution.tell_end()

    def _end_something(self) -> bool | None:
        """End tasks, then calls, then async generators; False while they take their time, None when nothing is left."""
        execution = self._execution
        unfinished = execution.loop.unfinished_tasks()
        left = [task for task in unfinished if task not in self._cancelled or self._has_gone_on(task)]
        if left:
            for task in left:
                self._cancelled.add(task)
                waits_for = task._fut_waiter  # type: ignore[attr-defined]  # asyncio keeps it there
                if isinstance(waits_for, OpenCall):
                    self._asked[task] = waits_for
                task.cancel()
            return True
        if unfinished:
            return False
        for call in execution.calls:
            call.cancel()
        if execution.calls:
            return False
        generators = [each for each in execution.loop.unfinished_generators() if id(each) not in self._closed]
        for generator in generators:
            self._closed.add(id(generator))
            execution.loop.create_task(generator.aclose())
        return True if generators else None

    def _has_gone_on(self, task: FlowTask[Any]) -> bool:
        """Whether a task never heard that it was cancelled: its step had ended, or did not care. A loop would go on."""
        call = self._asked.get(task)
        if call is None or not call.done():
            return False
        del self._asked[task]
        return not call.cancelled()

    def _here(self) -> FailurePoint:
        execution = self._execution
        return FailurePoint((), execution.deliveries.number, execution.calls.next_step, execution.calls.steps())

    def _put_outcome(self, at: FailurePoint) -> None:
        execution = self._execution
        error = _error_of(execution.main)
        if error is None:
            try:
                text, _ = execution.method.result.round_trip(execution.main.result(), execution.host.max_bytes)
                execution.record.complete(text, execution.now())
                return
            except PersistasaurusError as reason:
                error = OutcomeNotStorable(f"flow {execution.flow_id} has ended, but {reason}")
        failed = failing_calls(error, execution.deliveries.failures)
        steps = tuple(call.step for call in failed)
        never_again = tuple(call.step for call in failed if call.method.at_most_once)
        execution.record.fail(error, FailurePoint(steps, at.after, at.made, at.open, never_again), execution.now())


def _error_of(task: FlowTask[Any]) -> BaseException | None:
    try:
        return task.exception()
    except BaseException as cancelled:
        return cancelled
