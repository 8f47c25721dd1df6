"""When flows that are not in memory come back to it, and when waiting ones leave it (G9, G10)."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from persistasaurus.clock import Alarm
from persistasaurus.errors import CorruptRow, LogUnavailable
from persistasaurus.execution import Execution
from persistasaurus.records import FlowRow, FlowStatus
from persistasaurus.settings import Settings

if TYPE_CHECKING:
    from persistasaurus.runner import Runner

logger = logging.getLogger("persistasaurus.engine")

_PAGE = 100
_LONGEST_PLACE = 5
"""Seconds that a flow holds its place."""
_PAUSE = 1
"""Seconds until a log that could not be read is tried again."""


class Schedule:
    """Admits a bounded number of flows at a time to be replayed, and evicts those that wait.

    A flow holds its place until it has made a new record, waits, or has ended, but not for long: a body of it may be
    waiting for a flow that needs a place. A flow that somebody waits for needs none.

    Args:
        runner: Loads and holds the executions.
        settings: Bounds and durations.
    """

    def __init__(self, runner: Runner, settings: Settings) -> None:
        self._runner = runner
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._requested: dict[str, None] = {}
        self._woken: dict[str, bool] = {}
        self._interrupted: Iterator[str] = iter(())
        self._admitted: dict[str, int] = {}
        self._room: Alarm | None = None
        self._turn: asyncio.Handle | None = None
        self._again: Alarm | None = None
        self._waiting: OrderedDict[str, int] = OrderedDict()
        self._grace: Alarm | None = None
        self._due: Alarm | None = None
        self._due_at: int | None = None

    # -- into memory --------------------------------------------------------------------------------------------------

    def recover(self) -> None:
        """Begin to continue what a crash interrupted, without blocking whoever opens the engine (G10)."""
        self._interrupted = self._find_interrupted()
        self._go_on()
        self._look_for_due()

    def wake(self, flow_id: str, *, recovering: bool = False) -> None:
        """Bring a flow back when there is room."""
        self._woken[flow_id] = recovering
        self._go_on()

    def recover_now(self, flow_id: str) -> None:
        """Recover an interrupted flow ahead of the others: somebody waits for it."""
        self._requested[flow_id] = None
        self._go_on()

    def admitted(self, flow_id: str) -> None:
        """A flow that was admitted does not need its place any more."""
        if self._admitted.pop(flow_id, None) is not None:
            self._go_on()

    def stop(self) -> None:
        """Admit and evict nothing any more."""
        for alarm in (self._turn, self._again, self._room, self._grace, self._due):
            if alarm is not None:
                alarm.cancel()

    def _go_on(self) -> None:
        if self._turn is None and not self._runner.closing:
            self._turn = self._loop.call_soon(self._admit)

    def _admit(self) -> None:
        # One flow a turn of the loop: a long replay delays others, but never all of them together.
        self._turn = None
        if self._runner.closing or not (self._requested or self._has_room()):
            return
        try:
            found = self._admit_next()
        except LogUnavailable as problem:
            logger.warning("flows are brought back in %d s, for now the log cannot be read: %s", _PAUSE, problem)
            self._interrupted = self._find_interrupted()  # a generator that raised is at its end
            self._again = self._runner.call_at(self._runner.clock.now() + _PAUSE * 1_000_000, self._go_on)
        else:
            if found:
                self._go_on()

    def _admit_next(self) -> bool:
        """Bring the next flow back; False if there is none."""
        found = self._next()
        if found is None:
            return False
        flow_id, recovering = found
        # As it is now: since it was found it may have run, at somebody's request, and ended.
        flow = self._row_of(flow_id) if flow_id not in self._runner.executions else None
        if flow is not None and self._may_run(flow):
            if flow_id not in self._requested:
                self._admitted[flow_id] = self._runner.clock.now() + _LONGEST_PLACE * 1_000_000
            try:
                self._runner.load(flow, recovering=recovering and flow.status is FlowStatus.RUNNING)
            except LogUnavailable:
                raise
            except Exception:
                logger.exception("flow %s cannot be brought back; others are", flow_id)
            finally:
                if flow_id not in self._runner.executions:
                    self._admitted.pop(flow_id, None)
        self._requested.pop(flow_id, None)
        self._woken.pop(flow_id, None)
        return True

    def _has_room(self) -> bool:
        now = self._runner.clock.now()
        for flow_id, until in list(self._admitted.items()):
            if until <= now:
                del self._admitted[flow_id]
        if len(self._admitted) < self._settings.max_concurrent_recoveries:
            return True
        if self._room is not None:
            self._room.cancel()
        self._room = self._runner.call_at(min(self._admitted.values()), self._go_on)
        return False

    def _next(self) -> tuple[str, bool] | None:
        """The flow to bring back next, and whether that is a recovery."""
        for flow_id in self._requested:
            return flow_id, True
        for woken in self._woken.items():
            return woken
        interrupted = next(self._interrupted, None)
        return None if interrupted is None else (interrupted, True)

    def _row_of(self, flow_id: str) -> FlowRow | None:
        try:
            return self._runner.log.flow(flow_id)
        except CorruptRow as problem:
            logger.error("a flow is left alone: %s", problem)
            return None

    def _may_run(self, flow: FlowRow) -> bool:
        return flow.status in (FlowStatus.RUNNING, FlowStatus.WAITING) or self.has_new_code(flow)

    def _find_interrupted(self) -> Iterator[str]:
        """Flows that ran when the last engine ended, and parked ones for which there is new code (G5)."""
        for status in (FlowStatus.RUNNING, FlowStatus.PARKED):
            after: tuple[int, str] | None = None
            while page := self._runner.log.flows(status=status, after=after, limit=_PAGE):
                for flow in page:
                    if status is FlowStatus.RUNNING or self.has_new_code(flow):
                        yield flow.flow_id
                after = (page[-1].timestamp, page[-1].flow_id)

    def has_new_code(self, flow: FlowRow) -> bool:
        """Whether a flow was parked under other code than today's (G5)."""
        digest = self._runner.digest_of(flow) if flow.status is FlowStatus.PARKED else None
        return flow.digest is not None and digest is not None and flow.digest != digest

    # -- due ----------------------------------------------------------------------------------------------------------

    def _look_for_due(self) -> None:
        """Wake the flows that are due and set the alarm for the next one."""
        self._due = None
        self._due_at = None
        runner = self._runner
        if runner.closing:
            return
        now = runner.clock.now()
        try:
            self._wake_due(now)
            upcoming = runner.log.next_due(now)
        except LogUnavailable as problem:
            logger.warning("due flows are looked for in %d s, for now the log cannot be read: %s", _PAUSE, problem)
            upcoming = now + _PAUSE * 1_000_000
        if upcoming is not None:
            self._note_due(upcoming)

    def _wake_due(self, now: int) -> None:
        runner = self._runner
        after: tuple[int, str] | None = None
        while page := runner.log.due(now, after=after, limit=_PAGE):
            for flow in page:
                if flow.flow_id not in runner.executions and runner.runs(flow):
                    self.wake(flow.flow_id)
            after = (page[-1].due or 0, page[-1].flow_id)

    def _note_due(self, due: int) -> None:
        if self._due_at is not None and self._due_at <= due:
            return
        if self._due is not None:
            self._due.cancel()
        self._due_at = due
        self._due = self._runner.call_at(due, self._look_for_due)

    # -- out of memory ------------------------------------------------------------------------------------------------

    def quiescent(self, execution: Execution) -> None:
        """A flow only waits: it stays in memory for a grace, unless too many do."""
        self.admitted(execution.flow_id)
        now = self._runner.clock.now()
        self._waiting[execution.flow_id] = now + int(self._settings.waiting_grace * 1e6)
        self._waiting.move_to_end(execution.flow_id)
        self._runner.when_durable(execution.record.position, self)

    def durable(self) -> None:
        """What a waiting flow put is durable: it may leave (`Waiter`)."""
        self._evict()

    def _evict(self) -> None:
        runner = self._runner
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        now = runner.clock.now()
        waiting = self._waiting
        while waiting and not runner.closing:
            flow_id, until = next(iter(waiting.items()))
            execution = runner.executions.get(flow_id)
            if execution is None or not execution.waits:
                del waiting[flow_id]
            elif until > now and len(waiting) <= self._settings.max_waiting_in_memory:
                self._grace = runner.call_at(until, self._evict)
                return
            elif runner.is_durable(execution.record.position):
                del waiting[flow_id]
                self._leave(execution)
            else:
                return  # it calls again when it is durable

    def _leave(self, execution: Execution) -> None:
        del self._runner.executions[execution.flow_id]
        execution.discard()
        if execution.record.flow.due is not None:
            self._note_due(execution.record.flow.due)
