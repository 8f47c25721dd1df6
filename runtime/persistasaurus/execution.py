"""One run of one flow: numbers its calls, takes outcomes from the log or has bodies run, and owns its loop (G1-G7).

It knows neither SQLite nor the event loop of the program: all of that is behind `Host`. Everything here happens on one
thread. A *turn* is the flow's code running until nothing of it is ready; between turns one delivery is handed over.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import logging
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, Protocol

import msgspec
from greenlet import getcurrent, greenlet

from persistasaurus import branches
from persistasaurus.clock import Alarm, Clock
from persistasaurus.errors import (
    CorruptRow,
    Evicted,
    FlowDeadlock,
    IncompatibleChange,
    NotOnFlowLoop,
    OutcomeNotStorable,
    PersistasaurusError,
    SignalTimeout,
    StepInterrupted,
)
from persistasaurus.failed_flow import FailurePoint, encode_failed_flow, failing_calls
from persistasaurus.failures import FailureCodec, joined
from persistasaurus.flow_loop import FlowLoop, FlowTask, Timer
from persistasaurus.open_call import OpenCall, State
from persistasaurus.proxies import FlowClass, Method
from persistasaurus.pump import Pump
from persistasaurus.records import (
    CallChanged,
    CallMade,
    FlowChanged,
    FlowRow,
    FlowStatus,
    InvocationRow,
    Kind,
    SignalReturned,
    SignalRow,
    SignalTaken,
    Status,
    Write,
)
from persistasaurus.replay import History, describe, ended_at_once, require_same_call

logger = logging.getLogger("persistasaurus.flow")


class Waiter(Protocol):
    """Something that goes on once what was put before it is durable."""

    def durable(self) -> None:
        """It is."""


class Host(Protocol):
    """What an execution needs from outside: the log, the time, and somebody to run bodies."""

    clock: Clock
    pump: Pump
    closing: bool
    random: Callable[[], float]

    def put(self, write: Write) -> int:
        """Put a write to the log's queue; returns its position."""

    def when_durable(self, position: int, waiter: Waiter) -> None:
        """Tell the waiter, later, when everything up to the position is durable."""

    def call_at(self, when: int, then: Callable[[], None]) -> Alarm:
        """Call later, not before the time."""

    def start_body(self, call: OpenCall) -> None:
        """Have a body run; its end is told by `body_returned` or `body_raised`."""

    def stop_body(self, call: OpenCall) -> None:
        """Ask an async body to stop."""

    def quiescent(self, execution: Execution) -> None:
        """The flow only waits; once everything it put is durable it may be evicted."""

    def progressed(self, execution: Execution) -> None:
        """A recovered flow has made a new record."""

    def ended(self, execution: Execution) -> None:
        """The flow has ended or was parked, and that is durable; `execution.flow` is its row."""


class Execution:
    """One run of one flow.

    Args:
        host: Its outside.
        flow: The flow's row.
        flow_class: The registered flow class.
        method: The flow method.
        proxy: The object whose methods the flow body calls.
        history: What the log holds; None for a flow that is run for the first time.
        unread: Signals sent that no wait has taken.
        taken: Signals taken by waits whose step is not over: step number to signal id.
        recovering: Whether a crash interrupted the flow; bodies that run now count as a recovery (G10).
    """

    def __init__(
        self,
        host: Host,
        flow: FlowRow,
        flow_class: FlowClass,
        method: Method,
        proxy: object,
        *,
        history: History | None = None,
        unread: Sequence[SignalRow] = (),
        taken: dict[int, str] | None = None,
        recovering: bool = False,
    ) -> None:
        self.host = host
        self.flow = flow
        self.flow_id = flow.flow_id
        self.flow_class = flow_class
        self.method = method
        self.proxy = proxy
        self.loop = FlowLoop(flow.flow_id, self)  # type: ignore[abstract]  # what it lacks, it refuses
        self.position = 0
        """Position in the log's queue of the last write of this flow."""
        self._history = history
        self._held: list[tuple[Write, OpenCall | Timer | None]] = []
        self._unread: dict[tuple[str, str | None], deque[SignalRow]] = {}
        self._known_signals: set[str] = set()
        self._taken = taken or {}
        self._open: dict[int, OpenCall | Timer] = {}
        self._busy = 0
        self._next_step = 1
        self._delivered = 0
        self._now = flow.timestamp
        self.loop.now = flow.timestamp / 1e6
        self._inbox: deque[tuple[OpenCall | Timer, Status, str | None, object]] = deque()
        self._waking: deque[OpenCall | Timer] = deque()
        self._to_start: list[OpenCall] = []
        self._turning = False
        self._blocked_on: OpenCall | None = None
        self._suspended: greenlet | None = None
        self._problem: PersistasaurusError | None = None
        self._failures: dict[int, tuple[BaseException, OpenCall]] = {}
        self._wound_down: set[FlowTask[Any]] = set()
        self._closing: set[int] = set()
        self._recoveries = flow.recoveries
        self._recovering = recovering
        self._row_touched = False
        self._main: FlowTask[Any]
        self._main_ended_at: tuple[int, int, tuple[int, ...]] | None = None
        for signal in unread:
            self._keep_signal(signal)

    # -- life --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Run the flow's body as far as it goes."""
        try:
            args, kwargs = self.method.parameters.decode(self.flow.parameters)
        except PersistasaurusError as error:
            self._problem = CorruptRow(f"flow {self.flow_id}: its arguments on record do not fit the code: {error}")
            self._park()
            return
        body = self.method.body(self.proxy)
        coroutine = body(*args, **kwargs) if self.method.is_async else branches.drive(body, args, kwargs)
        self._main = FlowTask(coroutine, loop=self.loop, name=self.method.name, context=None)
        self.loop.adopt(self._main)
        self.advance()

    @property
    def replaying(self) -> bool:
        """Whether what the flow sees comes from the log."""
        return self._history is not None

    @property
    def dead(self) -> bool:
        """Whether this run is over; its flow may go on in another."""
        return self.loop.dead

    @property
    def waits(self) -> bool:
        """Whether the flow only waits: nothing of it runs, nothing is about to."""
        return self._busy == 0 and not self._inbox and (not self._turning or self._suspended is not None)

    def discard(self) -> None:
        """Throw this run out of memory; the log is all that stays (G9)."""
        self.loop.freeze()
        for call in self._open.values():
            call.disarm()
        if self._suspended is not None:
            suspended, self._suspended = self._suspended, None
            self.host.pump.interrupt(suspended, Evicted())
        self.loop.kill()
        self._open.clear()

    def advance(self) -> None:
        """Go on as far as what is there allows."""
        if not self._turning and not self.loop.dead:
            self._turning = True
            self.host.pump.run(self._turns)

    def _turns(self) -> None:
        try:
            while True:
                self.loop.run_until_idle()
                if self.loop.dead or (self._main.done() and self._ended()) or not self._hand_next():
                    break
        except (IncompatibleChange, CorruptRow) as problem:
            self._problem = problem
        except Evicted:
            assert self._problem is not None  # `_stop`, met outside of the flow's code
        except BaseException:
            # KeyboardInterrupt and SystemExit are no outcome: the flow stays as the log has it (G3).
            self._turning = False
            self.discard()
            raise
        self._turning = False
        if self._problem is not None:
            self._park()
        elif not self.loop.dead:
            self._settle()

    def _settle(self) -> None:
        """Nothing of the flow is ready: say in its row what it waits for, or that it waits for nothing."""
        if self._busy or self._inbox or self.host.closing or self._history is not None:
            return
        if not self._open:
            self._fail_deadlocked()
            return
        due = min((call.due for call in self._open.values() if call.due is not None), default=None)
        if self.flow.status is not FlowStatus.WAITING or self.flow.due != due or self._row_touched:
            self._row_touched = False
            self._change_flow(FlowStatus.WAITING, due=due)
            logger.info("[WAIT] %s flow=%s due=%s", self.flow.name, self.flow_id, due)
        self.host.quiescent(self)

    # -- the flow's own row --------------------------------------------------------------------------------------------

    def _change_flow(
        self,
        status: FlowStatus,
        *,
        due: int | None = None,
        return_value: str | None = None,
        digest: str | None = None,
        ended_at: int | None = None,
    ) -> None:
        self.flow = msgspec.structs.replace(
            self.flow,
            status=status,
            due=due,
            recoveries=self._recoveries,
            digest=digest,
            return_value=return_value,
            ended_at=ended_at,
        )
        self._put(FlowChanged(self.flow_id, status, due, self._recoveries, digest, return_value, ended_at))

    def _run_again(self) -> None:
        """The flow stops waiting: its row must say so before anything else does, or a crash would leave it asleep."""
        if self.flow.status is not FlowStatus.RUNNING:
            self._change_flow(FlowStatus.RUNNING)

    def _park(self) -> None:
        problem = self._problem
        assert problem is not None
        self._held.clear()
        self.discard()
        logger.warning("[PARK] %s flow=%s: %s", self.flow.name, self.flow_id, problem)
        self._history = None
        text = encode_failed_flow(self.flow_class.failures, problem, FailurePoint())
        self._change_flow(FlowStatus.PARKED, return_value=text, digest=self.flow_class.digest)
        self.host.when_durable(self.position, _Ended(self))

    def _fail_deadlocked(self) -> None:
        error = FlowDeadlock(
            self.flow_id,
            f"flow {self.flow_id} ({self.flow.name}) waits, but no step, timer or signal is outstanding: "
            "what it waits for must come from a step, a timer, a signal or another branch of the flow",
        )
        at = FailurePoint((), *(self._main_ended_at or self._here()))
        self.discard()
        self._finish(FlowStatus.FAILED, encode_failed_flow(self.flow_class.failures, error, at))

    def _ended(self) -> bool:
        """The main task is done: end what it left over, then put the flow's outcome. False while that waits."""
        loop = self.loop
        if self._main_ended_at is None:
            self._main_ended_at = self._here()
        while not loop.dead:
            unfinished = loop.unfinished_tasks()
            left = [task for task in unfinished if task not in self._wound_down]
            if left:
                for task in left:
                    self._wound_down.add(task)
                    task.cancel()
            elif unfinished:
                return False
            elif self._open:
                for call in list(self._open.values()):
                    call.cancel()
                if self._open:
                    return False
            else:
                generators = [each for each in loop.unfinished_generators() if id(each) not in self._closing]
                if not generators:
                    break
                for generator in generators:
                    self._closing.add(id(generator))
                    loop.create_task(generator.aclose())
            loop.run_until_idle()
        if loop.dead:
            return True
        if self._history is not None:
            row = self._history.peek()
            if row is not None:
                raise IncompatibleChange(
                    f"flow {self.flow_id}: the code ends where the log still holds the outcome of {describe(row)}"
                )
            self._go_live()
        loop.freeze()
        try:
            text = self.method.result.encode(self._main.result())
            self.method.result.decode(text)
        except BaseException as error:
            if isinstance(error, PersistasaurusError) and self._main_returned():
                error = OutcomeNotStorable(f"the result of flow {self.flow_id} cannot be recorded: {error}")
            failed = failing_calls(error, self._failures)
            at = FailurePoint(
                tuple(call.step for call in failed),
                *self._main_ended_at,
                tuple(call.step for call in failed if call.method.at_most_once),
            )
            # Said here with its traceback, which does not come back with the recorded error (G3).
            logger.warning("[FAIL] %s flow=%s", self.flow.name, self.flow_id, exc_info=error)
            self._finish(FlowStatus.FAILED, encode_failed_flow(self.flow_class.failures, error, at))
        else:
            self._finish(FlowStatus.COMPLETE, text)
        loop.kill()
        return True

    def _here(self) -> tuple[int, int, tuple[int, ...]]:
        return self._delivered, self._next_step, tuple(self._open)

    def _main_returned(self) -> bool:
        return not self._main.cancelled() and self._main.exception() is None

    def _finish(self, status: FlowStatus, text: str) -> None:
        self._recoveries = 0
        self._change_flow(status, return_value=text, ended_at=max(self.host.clock.now(), self._now))
        logger.info("[DONE] %s flow=%s %s", self.flow.name, self.flow_id, status)
        self.host.when_durable(self.position, _Ended(self))

    # -- calls -------------------------------------------------------------------------------------------------------

    def step(self, proxy: Any, name: str, args: tuple[object, ...], kwargs: dict[str, object]) -> OpenCall:
        """The flow calls a step.

        Returns:
            What it waits for; already done where a replay needs no waiting.

        Raises:
            ValueNotStorable: An argument cannot be recorded; nothing was.
        """
        method: Method = type(proxy).__persistasaurus__.methods[name]
        parameters = method.parameters.encode(args, kwargs)
        row = self._history.row(self._next_step) if self._history is not None else None
        arguments = method.parameters.decode(parameters) if row is None else None
        call = OpenCall(self, self._next_step, Kind.STEP, method, proxy)
        call.parameters = parameters
        if row is not None:
            self._recorded(call, row)
            return call
        call.arguments = arguments
        call.round = self.flow.round
        delay = method.delay_us
        now = max(self.host.clock.now(), self._now)
        if delay is None:
            call.attempts = 1
            self._enter(call, State.STARTING)
        else:
            call.due = now + delay
            self._enter(call, State.SLEEPING)
        self._make(call, now, Status.PENDING, delay)
        return call

    def wait_for_signal(self, method: Method, key: str | None, timeout: int | None) -> OpenCall:
        """The flow waits for a signal, at most `timeout` microseconds."""
        call = OpenCall(self, self._next_step, Kind.SIGNAL, method, self.proxy)
        call.key = key
        row = self._history.row(self._next_step) if self._history is not None else None
        if row is not None:
            self._recorded(call, row)
            return call
        call.round = self.flow.round
        now = max(self.host.clock.now(), self._now)
        call.due = None if timeout is None else now + timeout
        self._enter(call, State.WAITING)
        self._make(call, now, Status.WAITING_FOR_SIGNAL, timeout)
        if self._history is None:
            self._take_signal(call)
        return call

    def timer_set(self, timer: Timer, when: float) -> None:
        """The flow's code set a timer (`LoopOwner`)."""
        timer.step = self._next_step
        if self._history is not None:
            row = self._history.row(self._next_step)
            if row is not None:
                self._compare(row, Kind.TIMER, None, None, "")
                self._next_step += 1
                timer.row = row
                timer.due = row.due or 0
                self._open[timer.step] = timer
                return
        now = max(self.host.clock.now(), self._now)
        delay = max(math.ceil((when - self.loop.now) * 1e6), 0)
        timer.due = now + delay
        self._next_step += 1
        self._open[timer.step] = timer
        write = CallMade(
            self.flow_id, timer.step, Kind.TIMER, "", "", None, now, self._delivered, "{}", delay,
            self.flow.round, Status.PENDING, 0, timer.due,
        )  # fmt: skip
        if self._history is None:
            self._put(write)
            timer.alarm = self.host.call_at(timer.due, timer.ring)
        else:
            self._held.append((write, timer))

    def run_in_thread(self, function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        """`asyncio.to_thread(self.plain_step, ...)`: a branch of its own (`LoopOwner`)."""
        named = _plain_step_of(function, args)
        if named is None:
            raise NotOnFlowLoop(
                "a flow body has no threads: `await asyncio.to_thread(self.step, ...)` works for plain steps, "
                "anything else goes into a step"
            )
        return self.step(*named)

    def _enter(self, call: OpenCall, state: int) -> None:
        self._busy += (state >= State.STARTING) - (call.state >= State.STARTING)
        call.state = state

    def _close(self, call: OpenCall | Timer) -> None:
        """A call is over for the flow."""
        del self._open[call.step]
        call.disarm()
        if isinstance(call, OpenCall) and call.state >= State.STARTING:
            self._busy -= 1

    def _make(self, call: OpenCall, now: int, status: Status, delay: int | None) -> None:
        """Record a new call and see that it goes on."""
        self._next_step += 1
        self._open[call.step] = call
        method = call.method
        write = CallMade(
            self.flow_id, call.step, call.kind, method.class_name, method.name, call.key, now, self._delivered,
            call.parameters or "{}", delay, call.round, status, call.attempts, call.due,
        )  # fmt: skip
        if self._history is None:
            self._run_again()
            self._put(write)
            self._set_going(call)
        else:
            # Nothing is put before the whole replay has proved right (G5).
            self._held.append((write, call))

    def _set_going(self, call: OpenCall) -> None:
        if call.state == State.STARTING:
            self.host.when_durable(self.position, call)
        elif call.due is not None:
            call.alarm = self.host.call_at(call.due, call.ring)

    def _compare(self, row: InvocationRow, kind: Kind, method: Method | None, key: str | None, parameters: str) -> None:
        try:
            require_same_call(self.flow_id, row, kind, method, key, self._delivered, parameters)
        except IncompatibleChange as problem:
            self._stop(problem)

    def _stop(self, problem: PersistasaurusError) -> NoReturn:
        """End this run in the middle of a turn; the flow is parked when the turn is over."""
        self._problem = problem
        self.loop.freeze()
        raise Evicted

    def _recorded(self, call: OpenCall, row: InvocationRow) -> None:
        """A call that the log holds: compare, and take the outcome at once where that is as good as waiting."""
        self._compare(row, call.kind, call.method, call.key, call.parameters)
        self._next_step += 1
        call.row = row
        call.attempts, call.failures, call.due, call.round = row.attempts, row.failures, row.due, row.round
        if call.kind is Kind.SIGNAL:
            call.parameters = row.parameters
            call.signal_id = self._taken.get(row.step)
        history = self._history
        assert history is not None
        if history.peek() is row and row.status is not Status.CANCELLED and self._needs_no_turn():
            following = history.row(self._next_step)
            if following is None or following.called_after >= (row.delivery or 0):
                history.advance()
                try:
                    self._hand_recorded(call, row)
                except CorruptRow as problem:
                    self._stop(problem)
                return
        self._open[call.step] = call

    def _needs_no_turn(self) -> bool:
        # Suspending now would do nothing but run this delivery next: nothing else is ready, nobody is cancelled.
        if not self.loop.idle or self._main.done():
            return False
        task = self.loop.current_task()
        return task is not None and not task._must_cancel  # type: ignore[attr-defined]  # asyncio keeps it there

    # -- deliveries ----------------------------------------------------------------------------------------------------

    def _hand_next(self) -> bool:
        """Hand the next delivery over; False when there is none."""
        history = self._history
        if history is None:
            return self._hand_live()
        row = history.peek()
        if row is None:
            self._go_live()
            return self._problem is None and self._hand_live()
        history.require_no_call(self._next_step, row.delivery)
        self._hand_open(history, row)
        return True

    def _hand_open(self, history: History, row: InvocationRow) -> None:
        call = self._open.get(row.step)
        if call is None:
            raise IncompatibleChange(
                f"flow {self.flow_id}: the log holds the outcome of {describe(row)}, which the code gave up before"
            )
        if row.status is Status.CANCELLED and isinstance(call, OpenCall) and call.state == State.RECORDED:
            raise IncompatibleChange(
                f"flow {self.flow_id}: the log says that the flow cancelled {describe(row)}, the code does not"
            )
        history.advance()
        self._close(call)
        self._hand_recorded(call, row)

    def _hand_recorded(self, call: OpenCall | Timer, row: InvocationRow) -> None:
        assert row.delivery is not None
        assert row.delivered_at is not None
        self._delivered = row.delivery
        self._now = row.delivered_at
        self.loop.now = row.delivered_at / 1e6
        if isinstance(call, Timer):
            call.fire()
        else:
            logger.debug("[SKIP] %s step=%d flow=%s", call.method.name, call.step, self.flow_id)
            try:
                self._hand_outcome(call, row.status, row.return_value)
            except PersistasaurusError as error:
                raise CorruptRow(
                    f"flow {self.flow_id}: the outcome of {describe(row)} cannot be read: {error}"
                ) from error

    def _hand_outcome(self, call: OpenCall, status: Status, text: str | None, value: object = None) -> None:
        if status is Status.CANCELLED:
            call.end_cancelled(call.cancel_message)
        elif status is Status.FAILED:
            error = self._failures_of(call).decode(text or "")
            self._failures[id(error)] = (error, call)
            call.set_exception(error)
            call.exception()  # a branch nobody waits for any more is no news
        elif text is not None:
            call.set_result(call.method.result.decode(text))
        else:
            call.set_result(value)

    def _failures_of(self, call: OpenCall) -> FailureCodec:
        own: FailureCodec = type(call.proxy).__persistasaurus__.failures  # type: ignore[attr-defined]  # it is a proxy
        return own if own is self.flow_class.failures else joined(self.flow_class.failures, own)

    def _hand_live(self) -> bool:
        if self.host.closing:
            return False
        while True:
            while self._inbox:
                call, status, text, value = self._inbox.popleft()
                if self._open.get(call.step) is call:
                    self._deliver(call, status, text, value)
                    return True
            if self._waking:
                self.due_reached(self._waking.popleft())
            elif self._to_start:
                starting, self._to_start = self._to_start, []
                self._restart([call for call in starting if self._open.get(call.step) is call])
            else:
                return False

    def _deliver(self, call: OpenCall | Timer, status: Status, text: str | None, value: object) -> None:
        """Number an outcome, put it, and hand it to the flow."""
        self._run_again()
        self._close(call)
        self._delivered += 1
        self._now = max(self.host.clock.now(), self._now, call.due or 0 if isinstance(call, Timer) else 0)
        self.loop.now = self._now / 1e6
        if isinstance(call, Timer):
            self._put(CallChanged(
                self.flow_id, call.step, status, 0, 0, call.due, None, self._delivered, self._now, None
            ))  # fmt: skip
            call.fire()
        else:
            self._put(CallChanged(
                self.flow_id, call.step, status, call.attempts, call.failures, None, text,
                self._delivered, self._now, None,
            ))  # fmt: skip
            self._hand_outcome(call, status, text if value is None else None, value)

    def _go_live(self) -> None:
        """The recorded deliveries are through: what is still waited for goes on (G4)."""
        history = self._history
        assert history is not None
        history.require_no_call(self._next_step, None)
        for call in self._open.values():
            stops = isinstance(call, OpenCall) and call.state == State.RECORDED_STOPPING
            if call.row is not None and call.row.status is Status.CANCELLED and not stops:
                raise IncompatibleChange(
                    f"flow {self.flow_id}: the log says that the flow gave up {describe(call.row)}, "
                    "the code still waits for it"
                )
        self._history = None
        now = self.host.clock.now()
        recorded = [call for call in self._open.values() if call.row is not None]
        held, self._held = self._held, []
        if held:
            self._run_again()
        for write, made in held:
            self._put(write)
            if isinstance(made, Timer):
                made.alarm = self.host.call_at(made.due, made.ring)
            elif made is not None:
                self._set_going(made)
        waking = [call for call in recorded if self._goes_live(call, now)]
        self._waking.extend(sorted(waking, key=lambda call: (call.due or 0, call.step)))
        for call in list(self._open.values()):
            if isinstance(call, OpenCall) and call.state == State.WAITING:
                self._take_signal(call)

    def _goes_live(self, call: OpenCall | Timer, now: int) -> bool:
        """One recorded call that is still open goes live; True if its time limit is due."""
        row = call.row
        assert row is not None
        if isinstance(call, Timer):
            if call.due <= now:
                return True
            call.alarm = self.host.call_at(call.due, call.ring)
        elif row.status in (Status.COMPLETE, Status.FAILED, Status.CANCELLED):
            self._enter(call, State.ANSWERED)
            self._inbox.append((call, row.status, row.return_value, None))
        elif call.state == State.RECORDED_STOPPING:
            self._enter(call, State.ANSWERED)
            self._inbox.append((call, Status.CANCELLED, None, None))
        elif row.status is Status.WAITING_FOR_SIGNAL:
            self._enter(call, State.WAITING)
            if call.due is not None:
                if call.due <= now:
                    return True
                call.alarm = self.host.call_at(call.due, call.ring)
        elif call.due is not None and call.due > now:
            self._enter(call, State.SLEEPING)
            call.alarm = self.host.call_at(call.due, call.ring)
        else:
            self._enter(call, State.STARTING)
            self._to_start.append(call)
        return False

    def _restart(self, calls: list[OpenCall]) -> None:
        """Run bodies that a crash cut off, or whose time has come while nobody was there."""
        interrupted = [call for call in calls if call.due is None and call.attempts]
        if self._recovering and interrupted:
            # Written before the body runs: a flow that kills its process is parked in the end (G10).
            self._recovering = False
            self._recoveries += 1
            self._change_flow(FlowStatus.RUNNING)
        for call in calls:
            try:
                call.arguments = call.method.parameters.decode(call.parameters)
            except PersistasaurusError as error:
                assert call.row is not None
                raise CorruptRow(
                    f"flow {self.flow_id}: the arguments of {describe(call.row)} cannot be read: {error}"
                ) from error
            if call.due is None and call.attempts and call.method.at_most_once:
                self._fail(call, StepInterrupted(f"{call.label} was cut off and may run at most once"))
            else:
                self._start_attempt(call)

    # -- bodies --------------------------------------------------------------------------------------------------------

    def _start_attempt(self, call: OpenCall) -> None:
        self._run_again()
        call.attempts += 1
        call.due = None
        self._enter(call, State.STARTING)
        self._change_call(call, Status.PENDING)
        self.host.when_durable(self.position, call)

    def may_start(self, call: OpenCall) -> None:
        """Everything put before the call is durable: its body may start."""
        if self.loop.dead or self.host.closing or call.state != State.STARTING or call.step not in self._open:
            return
        call.state = State.RUNNING
        logger.info("[RUN] %s step=%d flow=%s attempt=%d", call.method.name, call.step, self.flow_id, call.attempts)
        self.host.start_body(call)

    def body_returned(self, call: OpenCall, value: object) -> None:
        """A body has returned."""
        if self._is_dropped(call):
            return
        result = call.method.result
        try:
            text = result.encode(value)
            value = result.decode(text)
        except PersistasaurusError as error:
            self._fail(call, OutcomeNotStorable(f"the result of {call.label} cannot be recorded: {error}"))
        else:
            self._answer(call, Status.COMPLETE, text, value)

    def body_raised(self, call: OpenCall, error: BaseException) -> None:
        """A body has raised; a `CancelledError` is its answer only if it was asked to stop."""
        if self._is_dropped(call):
            return
        if isinstance(error, StopIteration):
            error = RuntimeError(f"{call.label} raised StopIteration")  # no future takes it, as in a coroutine
        retry = call.method.retry
        if call.state == State.STOPPING:
            if isinstance(error, asyncio.CancelledError):
                self._answer(call, Status.CANCELLED, None, None)
                return
        elif retry is not None and retry.retries(error) and call.failures + 1 < retry.max_attempts:
            self._retry(call, error, int(retry.pause(call.failures + 1, self.host.random).total_seconds() * 1e6))
            return
        call.failures += 1
        self._fail(call, error)

    def _is_dropped(self, call: OpenCall) -> bool:
        return self.loop.dead or self._open.get(call.step) is not call

    def _retry(self, call: OpenCall, error: BaseException, pause: int) -> None:
        call.failures += 1
        call.due = self.host.clock.now() + pause
        logger.warning(
            "[RETRY] %s step=%d flow=%s attempt=%d failed: %r, again in %.1f s",
            call.method.name, call.step, self.flow_id, call.attempts, error, pause / 1e6,
        )  # fmt: skip
        self._enter(call, State.SLEEPING)
        self._change_call(call, Status.PENDING, self._failures_of(call).encode(error))
        self._new_record()
        if not self.host.closing:
            call.alarm = self.host.call_at(call.due, call.ring)
            if not self._turning or self._suspended is not None:
                self._settle()

    def _fail(self, call: OpenCall, error: BaseException) -> None:
        logger.info("[FAIL] %s step=%d flow=%s: %r", call.method.name, call.step, self.flow_id, error)
        self._answer(call, Status.FAILED, self._failures_of(call).encode(error), None)

    def _answer(self, call: OpenCall, status: Status, text: str | None, value: object) -> None:
        """An outcome is there: hand it over, or keep it on record until it can be."""
        self._enter(call, State.ANSWERED)
        call.due = None
        call.disarm()
        self._new_record()
        if call is self._blocked_on and not self.host.closing:
            suspended, self._suspended = self._suspended, None
            self._deliver(call, status, text, value)
            if suspended is not None:
                self.host.pump.resume(suspended)
            return
        if self._turning or self.host.closing:
            self._change_call(call, status, text)
        self._inbox.append((call, status, text, value))
        if not self.host.closing:
            self.advance()

    def _new_record(self) -> None:
        if self._recoveries:
            self._recoveries = 0
            self._change_flow(self.flow.status, due=self.flow.due)
        self.host.progressed(self)

    def _change_call(self, call: OpenCall, status: Status, text: str | None = None) -> None:
        self._put(CallChanged(
            self.flow_id, call.step, status, call.attempts, call.failures, call.due, text, None, None, None
        ))  # fmt: skip

    def due_reached(self, call: OpenCall | Timer) -> None:
        """The time of a timer, of a delay, of a back-off or of a wait has come."""
        if self.loop.dead or self.host.closing or self._open.get(call.step) is not call:
            return
        if isinstance(call, Timer):
            self._inbox.append((call, Status.COMPLETE, None, None))
            self.advance()
        elif call.state == State.WAITING:
            key = f" with key {call.key!r}" if call.key is not None else ""
            self._fail(call, SignalTimeout(f"no signal {call.method.name}{key} came in time: {call.label}"))
        elif call.state == State.SLEEPING:
            self._start_attempt(call)

    # -- giving up -----------------------------------------------------------------------------------------------------

    def timer_cancelled(self, timer: Timer) -> None:
        """A timer is not wanted any more (`LoopOwner`)."""
        if timer.row is not None and self._history is not None:
            if ended_at_once(timer.row):
                self._require_given_up_now(timer.row)
            elif self._history.peek() is not None or timer.row.delivery is not None:
                self._stop_incompatible_cancel(timer.row)
            else:
                self._held.append((self._cancellation(timer), None))
        elif self._history is not None:
            self._held.append((self._cancellation(timer), None))
        else:
            self._put(self._cancellation(timer))
        self._close(timer)

    def cancel_asked(self, call: OpenCall, message: object) -> bool:
        """The flow's code cancels a call: it ends at once, or when its running body has answered (G4)."""
        if self.loop.dead:
            return False
        state = call.state
        call.cancel_message = message
        if state == State.RECORDED:
            return self._cancel_recorded(call, message)
        if state in (State.RECORDED_STOPPING, State.STOPPING, State.ANSWERED):
            return True
        if state == State.RUNNING and call.method.is_async:
            call.state = State.STOPPING
            self.host.when_durable(self.position, _Stop(call))
            return True
        if state == State.STARTING and call.signal_id is not None:
            self._put(SignalReturned(self.flow_id, call.step, call.signal_id))
            call.attempts = 0
        self._give_up(call, message)
        return True

    def _cancel_recorded(self, call: OpenCall, message: object) -> bool:
        row = call.row
        history = self._history
        assert row is not None
        if history is not None and ended_at_once(row):
            self._require_given_up_now(row)
            self._close(call)
            call.end_cancelled(message)
        elif row.status is Status.WAITING_FOR_SIGNAL and row.delivery is None:
            if history is None or history.peek() is None:
                self._give_up(call, message)
            elif row.round and row.round == self.flow.round:
                # Its time was up when the flow gave it up, and reopening made it wait again (G7).
                call.state = State.RECORDED_STOPPING
            else:
                self._stop_incompatible_cancel(row)
        else:
            call.state = State.RECORDED_STOPPING
        return True

    def _give_up(self, call: OpenCall, message: object) -> None:
        write = self._cancellation(call)
        if self._history is None:
            self._put(write)
        else:
            self._held.append((write, None))
        self._close(call)
        call.end_cancelled(message)

    def _cancellation(self, call: OpenCall | Timer) -> CallChanged:
        attempts, failures = (0, 0) if isinstance(call, Timer) else (call.attempts, call.failures)
        return CallChanged(
            self.flow_id, call.step, Status.CANCELLED, attempts, failures, call.due, None, None, None, self._delivered
        )

    def _require_given_up_now(self, row: InvocationRow) -> None:
        if row.cancelled_after != self._delivered:
            self._stop_incompatible_cancel(row)

    def _stop_incompatible_cancel(self, row: InvocationRow) -> NoReturn:
        self._stop(
            IncompatibleChange(
                f"flow {self.flow_id}: the code gives up {describe(row)} after delivery {self._delivered}, "
                "where the log does not"
            )
        )

    # -- signals -------------------------------------------------------------------------------------------------------

    def signal_arrived(self, signal: SignalRow) -> None:
        """A signal for this flow is on record."""
        if self.loop.dead or not self._keep_signal(signal):
            return
        self._row_touched = True
        if self._history is None and not self.host.closing:
            for call in list(self._open.values()):
                if isinstance(call, OpenCall) and call.state == State.WAITING:
                    self._take_signal(call)
            if self._problem is not None:
                self._park()
            else:
                self._settle()

    def _keep_signal(self, signal: SignalRow) -> bool:
        if signal.signal_id in self._known_signals:
            return False
        self._known_signals.add(signal.signal_id)
        self._unread.setdefault((signal.method_name, signal.key), deque()).append(signal)
        return True

    def _take_signal(self, call: OpenCall) -> None:
        waiting = self._unread.get((call.method.name, call.key))
        if not waiting:
            return
        signal = waiting[0]
        try:
            call.arguments = call.method.parameters.decode(signal.arguments)
        except PersistasaurusError as error:
            self._problem = CorruptRow(
                f"flow {self.flow_id}: signal {signal.method_name} sent with {signal.arguments} "
                f"does not fit the code any more: {error}"
            )
            self.loop.freeze()
            return
        waiting.popleft()
        self._run_again()
        call.disarm()
        call.due = None
        call.signal_id = signal.signal_id
        call.parameters = signal.arguments
        call.attempts = 1
        self._enter(call, State.STARTING)
        self._put(SignalTaken(self.flow_id, call.step, signal.signal_id, signal.arguments, call.attempts))
        self.host.when_durable(self.position, call)

    # -- plain steps -----------------------------------------------------------------------------------------------------

    def wait_plain(self, call: OpenCall) -> Any:
        """Wait for a plain step: a plain flow's branch on its greenlet, an async flow with all it has (G4)."""
        if call.done():
            return call.result()
        if branches.in_branch():
            return branches.wait_for(call)
        self._blocked_on = call
        history = self._history
        try:
            if history is not None:
                row = history.peek()
                if row is not None and row.step == call.step:
                    history.require_no_call(self._next_step, row.delivery)
                    self._hand_open(history, row)
                elif row is not None:
                    raise IncompatibleChange(
                        f"flow {self.flow_id}: the log goes on with the outcome of {describe(row)}, "
                        f"the code now waits for {call.label}"
                    )
                else:
                    self._go_live_blocked(call)
            if not call.done():
                self._suspend()
        except (IncompatibleChange, CorruptRow) as problem:
            self._stop(problem)
        finally:
            self._blocked_on = None
        return call.result()

    def _go_live_blocked(self, call: OpenCall) -> None:
        self._go_live()
        for answered in list(self._inbox):
            if answered[0] is call:
                self._inbox.remove(answered)
                self._deliver(*answered)
        starting, self._to_start = self._to_start, []
        self._restart([each for each in starting if self._open.get(each.step) is each])

    def _suspend(self) -> None:
        self._suspended = getcurrent()
        self.loop.leave()
        try:
            self._settle()
            self.host.pump.suspend()
        finally:
            self.loop.enter()
            self._suspended = None

    # -- the log ---------------------------------------------------------------------------------------------------------

    def _put(self, write: Write) -> None:
        self.position = self.host.put(write)


class _Ended:
    """Waits for the flow's outcome to be durable."""

    __slots__ = ("_execution",)

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def durable(self) -> None:
        self._execution.host.ended(self._execution)


class _Stop:
    """Waits for what was put before a body is asked to stop."""

    __slots__ = ("_call",)

    def __init__(self, call: OpenCall) -> None:
        self._call = call

    def durable(self) -> None:
        if self._call.state == State.STOPPING and not self._call.execution.dead:
            self._call.execution.host.stop_body(self._call)


def _plain_step_of(
    function: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[object, str, tuple[Any, ...], dict[str, Any]] | None:
    """The plain step that `asyncio.to_thread` or `run_in_executor` is to run, None if it is anything else."""
    kwargs: dict[str, Any] = {}
    while isinstance(function, functools.partial):
        kwargs = {**function.keywords, **kwargs}
        function, *first = function.func, *function.args, *args
        args = tuple(first)
        if getattr(function, "__name__", "") == "run" and isinstance(
            getattr(function, "__self__", None), contextvars.Context
        ):
            function, *first = args
            args = tuple(first)
    proxy = getattr(function, "__self__", None)
    flow_class = getattr(type(proxy), "__persistasaurus__", None)
    if not isinstance(flow_class, FlowClass):
        return None
    method = flow_class.methods.get(function.__name__)
    if method is None or method.kind != "step" or method.is_async:
        return None
    return proxy, method.name, args, kwargs
