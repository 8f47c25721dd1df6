"""When flows that are not in memory come to it, and when waiting ones leave it (G9, G10, G11)."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING

from persistasaurus.clock import Alarm
from persistasaurus.errors import CorruptRow, LogUnavailable
from persistasaurus.execution import Execution
from persistasaurus.left_to_others import LeftToOthers
from persistasaurus.log import HEAD_START
from persistasaurus.records import Answer, Claim, FlowRow, FlowStatus, Release
from persistasaurus.row_changes import flow_claimed
from persistasaurus.settings import Settings

if TYPE_CHECKING:
    from persistasaurus.runner import Runner

logger = logging.getLogger("persistasaurus.engine")

_PAGE = 100
_LONGEST_PLACE = 5
"""Seconds that a flow holds its place."""
_LONG_LOOK = 0.005
"""Seconds on the event loop."""
_WARN_EVERY = 10.0
"""Seconds."""
_PAUSE = 1
"""Seconds until a log that could not be read is tried again."""


class Schedule:
    """Claims flows that nobody runs, as far as there is room, has them replayed, and evicts those that wait.

    A flow that was brought back holds a place until it has made a new record, waits, or has ended, but not for long: a
    body of it may be waiting for a flow that needs a place. A flow that somebody waits for needs none.

    Args:
        runner: Loads and holds the executions.
        settings: Bounds and durations.
    """

    def __init__(self, runner: Runner, settings: Settings) -> None:
        self._runner = runner
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._requested: dict[str, bool] = {}
        """Flows that somebody waits for, and whether they are parked."""
        self._starting: set[str] = set()
        """Flows that are being recorded, to be run here."""
        self._claiming: set[str] = set()
        """Flows that are being claimed, until they are brought back or the claim was not to be had."""
        self._claimed: deque[FlowRow] = deque()
        """Flows claimed and not brought back yet, as they were found."""
        self._parked: Iterator[str] = iter(())
        self._left_alone: set[str] = set()
        """Flows that could not be brought back here; others may try."""
        self._left_to_others = LeftToOthers()
        self._admitted: dict[str, int] = {}
        self._available: Iterator[FlowRow] | None = None
        """Flows that were found and are not claimed yet."""
        self._stale = False
        """Whether there may be more to find."""
        self._look_at = 0.0
        """When the log is looked through again at the earliest, by the loop's time."""
        self._warn_at = 0.0
        self._later: asyncio.TimerHandle | None = None
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
        self._parked = self._find_parked()
        self.look()

    def look(self) -> None:
        """There may be flows that nobody runs: claim them, as far as there is room."""
        wait = self._look_at - self._loop.time()
        if wait <= 0:
            self._stale = True
            self._go_on()
        elif self._later is None:
            self._later = self._loop.call_later(wait, self._look_later)

    def _look_later(self) -> None:
        self._later = None
        self.look()

    def request(self, flow: FlowRow, *, parked: bool = False) -> None:
        """Bring a flow back ahead of the others, if nobody runs it: somebody waits for it."""
        if not self._runner.can_run(flow):
            self.look()  # it is left to others first
        elif flow.flow_id not in self._runner.executions and flow.flow_id not in self._claiming:
            self._requested[flow.flow_id] = parked
            self._go_on()

    def leave_alone(self, flow_id: str) -> None:
        """Bring this flow back only if somebody asks for it."""
        self._left_alone.add(flow_id)

    def take_place(self, flow_id: str) -> bool:
        """Keep a place for a flow that is about to be recorded; False if there is none."""
        if self._free_places() < 1:
            return False
        self._starting.add(flow_id)
        return True

    def give_place_back(self, flow_id: str) -> None:
        """The flow was recorded, and has begun here or has not."""
        self._starting.discard(flow_id)

    def admitted(self, flow_id: str) -> None:
        """A flow that was admitted does not need its place any more."""
        if self._admitted.pop(flow_id, None) is not None or self._settings.max_concurrency is not None:
            self._go_on()

    def drop_all(self) -> None:
        """Every claim was lost (G11)."""
        for found in self._claimed:
            self._claiming.discard(found.flow_id)
        self._claimed.clear()
        self._waiting.clear()
        self._admitted.clear()
        self.look()

    def stop(self) -> None:
        """Admit and evict nothing any more."""
        for alarm in (self._turn, self._again, self._room, self._grace, self._due, self._later):
            if alarm is not None:
                alarm.cancel()

    def _go_on(self) -> None:
        if self._turn is None and not self._runner.closing:
            self._turn = self._loop.call_soon(self._admit)

    def _admit(self) -> None:
        # One replay a turn of the loop: a long one delays others, but never all of them together.
        self._turn = None
        if self._runner.closing:
            return
        try:
            if self._claimed:
                self._bring_back(self._claimed[0])
            else:
                self._claim_some()
        except LogUnavailable as problem:
            logger.warning("flows are brought back in %d s, for now the log cannot be read: %s", _PAUSE, problem)
            self._parked = self._find_parked()  # a generator that raised is at its end
            self._available = None
            self._stale = True
            self._again = self._runner.call_at(self._runner.clock.now() + _PAUSE * 1_000_000, self._go_on)
        else:
            if self._claimed:
                self._go_on()

    def _bring_back(self, found: FlowRow) -> None:
        runner = self._runner
        flow = flow_claimed(found)
        try:
            runner.load(flow, recovering=found.status is FlowStatus.RUNNING)
        except LogUnavailable:
            raise
        except Exception:
            logger.exception("flow %s cannot be brought back here; others are", flow.flow_id)
            self.leave_alone(flow.flow_id)
            runner.log.put(Release(flow.flow_id, flow.claims))
        self._claimed.popleft()
        self._claiming.discard(flow.flow_id)
        if flow.flow_id not in runner.executions:
            self.admitted(flow.flow_id)

    # -- claims -------------------------------------------------------------------------------------------------------

    def _claim_some(self) -> None:
        while self._requested and self._has_place():
            flow_id = next(iter(self._requested))
            self._claim(flow_id, parked=self._requested.pop(flow_id))
        while (self._stale or self._available is not None) and self._has_room():
            self._claim_available()
        while not self._stale and self._available is None and self._has_room():
            flow_id = next(self._parked, "")
            if not flow_id:
                break
            self._claim_with_room(flow_id, parked=True)

    def _claim_available(self) -> None:
        """Claim what can be claimed, the oldest first; what is left is there when a place is given back."""
        if self._available is None:
            self._stale = False
            self._available = self._find_available()
        for flow in self._available:
            if flow.flow_id in self._runner.executions:
                self._look_after(self._runner.executions[flow.flow_id], flow)
            elif flow.flow_id not in self._claiming and flow.flow_id not in self._left_alone:
                if self._is_left_to_others(flow):
                    continue
                self._claim_with_room(flow.flow_id)
                if not self._has_room():
                    return
        self._available = None
        self._left_to_others.forget(self._runner.clock.now())

    def _is_left_to_others(self, flow: FlowRow) -> bool:
        """Whether to leave a flow to engines that have its version; if none takes it, it is claimed, and parked."""
        if self._runner.can_run(flow):
            return False
        until = self._left_to_others.until(flow.flow_id, self._runner.clock.now())
        if until is not None:
            self._note_due(until)
        return until is not None

    def _claim_with_room(self, flow_id: str, *, parked: bool = False) -> None:
        self._admitted[flow_id] = self._runner.clock.now() + _LONGEST_PLACE * 1_000_000
        self._claim(flow_id, parked=parked)

    def _claim(self, flow_id: str, *, parked: bool) -> None:
        if flow_id in self._claiming or flow_id in self._runner.executions:
            return
        self._claiming.add(flow_id)

        def answered(found: Answer) -> None:
            if isinstance(found, FlowRow):
                self._claimed.append(found)
                self._go_on()

        def settled(future: asyncio.Future[Answer]) -> None:
            if future.cancelled() or future.exception() is not None or future.result() is None:
                self._claiming.discard(flow_id)  # another engine was faster, or it has ended
                self.admitted(flow_id)

        self._runner.ask(Claim(flow_id, parked), answered).add_done_callback(settled)

    def _look_after(self, execution: Execution, flow: FlowRow) -> None:
        """A flow in memory is due by its row: another engine may have stored a signal nobody heard of here (G8)."""
        believed = execution.record.flow.due
        if execution.waits and flow.due is not None and (believed is None or flow.due < believed):
            try:
                unread = self._runner.log.unread_signals(flow.flow_id)
            except CorruptRow as problem:
                logger.error("flow %s: %s", flow.flow_id, problem)
                return
            execution.record.touched = True
            for signal in unread:
                execution.mailbox.arrived(signal)
            if not execution.dead:
                execution.settle()

    # -- room ---------------------------------------------------------------------------------------------------------

    def _free_places(self) -> float:
        """How many more flows may be in memory; makes room by evicting flows that only wait."""
        most = self._settings.max_concurrency
        if most is None:
            return float("inf")
        coming = len(self._starting) + len(self._claiming)
        free = most - len(self._runner.executions) - coming
        if free < 1 and self._waiting:
            self._evict(1 - free)
            free = most - len(self._runner.executions) - coming
        return free

    def _has_place(self) -> bool:
        return self._free_places() >= 1

    def _has_room(self) -> bool:
        if not self._has_place():
            return False  # until a flow ends or waits
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

    # -- what there is ------------------------------------------------------------------------------------------------

    def _find_available(self) -> Iterator[FlowRow]:
        """Flows that can be claimed now, page by page; then it is known when to look again."""
        runner, loop = self._runner, self._loop
        now = runner.clock.now()
        after: tuple[int, str] | None = None
        begun = loop.time()
        while page := runner.log.available(now, runner.names, after=after, limit=_PAGE):
            took = loop.time() - begun
            yield from page
            begun = loop.time() - took
            last = page[-1]
            after = (last.timestamp if last.due is None else last.due, last.flow_id)
            if len(page) < _PAGE:
                break
        if loop.time() >= self._warn_at:
            runner.warn_of_unregistered(now)
            self._warn_at = loop.time() + _WARN_EVERY
        self._wait_for_due(now)
        took = loop.time() - begun
        if took > _LONG_LOOK:
            # There is much that is not for this engine; looking through it must not be all that it does.
            self._look_at = loop.time() + 10 * took

    def _find_parked(self) -> Iterator[str]:
        """Parked flows for which there is new code (G5)."""
        after: tuple[int, str] | None = None
        while page := self._runner.log.flows(status=FlowStatus.PARKED, after=after, limit=_PAGE):
            for flow in page:
                if self.has_new_code(flow):
                    yield flow.flow_id
            after = (page[-1].timestamp, page[-1].flow_id)

    def has_new_code(self, flow: FlowRow) -> bool:
        """Whether a flow was parked under other code than today's, which has the flow's version (G5)."""
        digest = self._runner.digest_of(flow) if flow.status is FlowStatus.PARKED else None
        return flow.digest is not None and digest not in (None, flow.digest) and self._runner.can_run(flow)

    def _wait_for_due(self, now: int) -> None:
        """Look again when the next flow is due, or when a due one has been left to the engine it was with."""
        log = self._runner.log
        upcoming = log.next_due(now)
        recent = log.next_due(now - HEAD_START)
        if recent is not None and recent <= now:
            upcoming = min(recent + HEAD_START, upcoming or recent + HEAD_START)
        if upcoming is not None:
            self._note_due(upcoming)

    def _note_due(self, due: int) -> None:
        if self._due_at is not None and self._due_at <= due:
            return
        if self._due is not None:
            self._due.cancel()
        self._due_at = due
        self._due = self._runner.call_at(due, self._due_reached)

    def _due_reached(self) -> None:
        self._due = None
        self._due_at = None
        self.look()

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
        if self._settings.max_concurrency is not None:
            self._go_on()  # another may need its place

    def _evict(self, at_least: int = 0) -> None:
        """Let flows go whose grace is over, or that are too many, or this many because others need their places."""
        runner = self._runner
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None
        now = runner.clock.now()
        waiting = self._waiting
        while waiting and not runner.closing:
            flow_id, until = next(iter(waiting.items()))
            execution = runner.executions.get(flow_id)
            if execution is None or not execution.waits or execution.record.flow.status is not FlowStatus.WAITING:
                del waiting[flow_id]
            elif until > now and len(waiting) <= self._settings.max_waiting_in_memory and at_least <= 0:
                self._grace = runner.call_at(until, self._evict)
                return
            elif runner.is_durable(execution.record.position):
                del waiting[flow_id]
                at_least -= 1
                self._leave(execution)
            else:
                return  # it calls again when it is durable

    def _leave(self, execution: Execution) -> None:
        del self._runner.executions[execution.flow_id]
        execution.discard()
        if execution.record.flow.due is not None:
            self._note_due(execution.record.flow.due)
        if self._settings.max_concurrency is not None:
            self._go_on()
