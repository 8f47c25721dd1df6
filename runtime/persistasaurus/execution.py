"""One run of one flow: numbers its calls, takes outcomes from the log or has bodies run, and owns its loop (G1-G7).

It knows neither SQLite nor the event loop of the program: all of that is behind `Host`. Everything here happens on one
thread. A *turn* is the flow's code running until nothing of it is ready; between turns one delivery is handed over.
"""

from __future__ import annotations

import contextlib
import logging
import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from greenlet import getcurrent, greenlet

from persistasaurus import branches
from persistasaurus.attempts import Attempts
from persistasaurus.errors import CorruptRow, Evicted, IncompatibleChange, PersistasaurusError, SignalTimeout
from persistasaurus.failures import FailureCodec, joined
from persistasaurus.flow_classes import FlowClass, Method
from persistasaurus.flow_loop import FlowLoop, FlowTask, Nothing, Timer, keep_for_good
from persistasaurus.flow_record import FlowRecord
from persistasaurus.giving_up import GivingUp
from persistasaurus.going_live import go_live
from persistasaurus.hosting import Host
from persistasaurus.mailbox import Mailbox
from persistasaurus.open_call import AnyCall, OpenCall, OpenCalls, State
from persistasaurus.plain_steps import step_in_thread
from persistasaurus.records import (
    CallChanged,
    CallMade,
    FlowRow,
    InvocationRow,
    Kind,
    SignalRow,
    SignalTaken,
    Status,
    Write,
)
from persistasaurus.replay import History, describe, require_same_call
from persistasaurus.winding_down import WindingDown

logger = logging.getLogger("persistasaurus.flow")

Outcome = tuple[AnyCall, Status, str | None, object]
"""A call, how it ended, the text on record, and the value if there is one."""


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
        taken: Signals taken by waits whose step is not over, by step number.
        recovering: Whether a crash interrupted the flow; bodies that run again count as a recovery (G10).
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
        unread: Iterable[SignalRow] = (),
        taken: Mapping[int, SignalRow] | None = None,
        recovering: bool = False,
    ) -> None:
        self.host = host
        self.flow_id = flow.flow_id
        self.flow_class = flow_class
        self.method = method
        self.proxy = proxy
        self.loop = FlowLoop(flow.flow_id, self)  # type: ignore[abstract]  # what it lacks, it refuses
        self.loop.now = flow.timestamp / 1e6
        self.record = FlowRecord(host, flow, flow_class.failures, flow_class.digest)
        self.calls = OpenCalls()
        self.attempts = Attempts(self)
        self.giving_up = GivingUp(self)
        self.mailbox = Mailbox(unread)
        self.history = history
        """What is still to be replayed; None once the flow is live."""
        self.brought_back = history is not None
        """Whether this run began with a replay."""
        self.delivered = 0
        """The number of the last delivery."""
        self.inbox: deque[Outcome] = deque()
        """Outcomes to be delivered."""
        self.waking: deque[AnyCall] = deque()
        """Calls whose time had come when the replay ended."""
        self.restarting: list[OpenCall] = []
        """Calls whose bodies run again after the replay."""
        self.failures: dict[int, tuple[BaseException, OpenCall]] = {}
        """The exceptions handed to the flow, by their ids, and where they came from."""
        self.turning = False
        """Whether the flow's code runs, or is suspended in the middle of it."""
        self._now = flow.timestamp
        self._held: list[tuple[Write, AnyCall | None]] = []
        self._taken = taken or {}
        self._recovering = recovering
        self._blocked_on: OpenCall | None = None
        self._suspended: greenlet | None = None
        self._problem: PersistasaurusError | None = None
        self._winding_down: WindingDown

    # -- life ---------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Run the flow's body as far as it goes."""
        try:
            args, kwargs = self.method.parameters.decode(self.record.flow.parameters)
        except PersistasaurusError as error:
            self._problem = CorruptRow(f"flow {self.flow_id}: its arguments on record do not fit the code: {error}")
            self._park()
            return
        body = self.method.body(self.proxy)
        coroutine = body(*args, **kwargs) if self.method.is_async else branches.drive(body, args, kwargs)
        main = FlowTask(coroutine, loop=self.loop, name=self.method.name, context=None)
        self.loop.adopt(main)
        self._winding_down = WindingDown(self, main)
        self.advance()

    @property
    def replaying(self) -> bool:
        """Whether what the flow sees comes from the log."""
        return self.history is not None

    @property
    def dead(self) -> bool:
        """Whether this run is over; its flow may go on in another."""
        return self.loop.dead

    @property
    def waits(self) -> bool:
        """Whether the flow only waits: nothing of it runs, nothing is about to."""
        if self.calls.busy or self.inbox or self.waking:
            return False
        return not self.turning or self._suspended is not None

    def now(self) -> int:
        """The time now, which never goes back within a flow."""
        return max(self.host.clock.now(), self._now)

    def discard(self) -> None:
        """Throw this run out of memory; the log is all that stays (G9)."""
        self.loop.freeze()
        self.calls.clear()
        if self._suspended is not None:
            suspended, self._suspended = self._suspended, None
            self.host.pump.interrupt(suspended, Evicted())
        self.end_code()

    def end_code(self) -> None:
        """End what is left of the flow's code; on greenlets, because some of it may never come back."""
        self.host.pump.run(self.loop.kill)
        while not self.loop.is_empty:
            self.host.pump.run(self.loop.kill)

    def leave_behind(self) -> NoReturn:
        """Flow code swallows `Evicted` for ever and never waits: it stays where it is (`LoopOwner`)."""
        while branches.in_branch():
            with contextlib.suppress(Evicted):
                branches.wait_for(Nothing())
        keep_for_good(getcurrent())
        self.loop.leave()
        while True:
            with contextlib.suppress(Evicted):
                self.host.pump.suspend()

    def stop(self, problem: PersistasaurusError) -> NoReturn:
        """End this run in the middle of a turn; the flow is parked when the turn is over."""
        self._problem = problem
        self.loop.freeze()
        raise Evicted

    def advance(self) -> None:
        """Go on as far as what is there allows."""
        if not self.turning and not self.loop.dead:
            self.turning = True
            self.host.pump.run(self._turns)

    def _turns(self) -> None:
        loop = self.loop
        loop.enter()
        try:
            while True:
                loop.run_until_idle()
                if loop.dead or (self._winding_down.main.done() and self._winding_down.has_ended()):
                    break
                if not self._hand_next():
                    break
        except (IncompatibleChange, CorruptRow) as problem:
            self._problem = problem
        except Evicted:
            assert self._problem is not None  # `stop`, met outside of the flow's code
        except Exception as error:
            # Nothing the flow's code does comes here. Whatever it is, it concerns this flow and no other.
            logger.exception("flow %s cannot go on", self.flow_id)
            self._problem = PersistasaurusError(f"flow {self.flow_id} cannot go on: {error!r}")
        except BaseException:
            # KeyboardInterrupt and SystemExit are no outcome: the flow stays as the log has it (G3).
            loop.leave()
            self.turning = False
            self.discard()
            raise
        loop.leave()
        self.turning = False
        if self._problem is not None:
            self._park()
        elif not loop.dead:
            self.settle()

    def settle(self) -> None:
        """Nothing of the flow is ready: say in its row what it waits for, or that it waits for nothing."""
        if self.loop.dead or not self.waits or self.history is not None or self.host.closing:
            return
        if self.host.is_sent_to(self.flow_id):
            return  # until it has arrived
        if self.calls:
            self.record.waiting(self.calls.due())
            self.host.quiescent(self)
        else:
            self._winding_down.deadlocked()

    def _park(self) -> None:
        assert self._problem is not None
        self._held.clear()
        self.discard()
        self.record.park(self._problem)
        self.tell_end()

    def tell_end(self) -> None:
        """The flow's outcome was put: tell the host when it is durable."""
        self.record.when_durable(_Ended(self))

    # -- calls --------------------------------------------------------------------------------------------------------

    def step(self, proxy: Any, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> OpenCall:
        """The flow calls a step.

        Returns:
            What it waits for; already done where a replay needs no waiting.

        Raises:
            ValueNotStorable: An argument cannot be recorded; nothing was.
        """
        method: Method = type(proxy).__persistasaurus__.methods[name]
        calls = self.calls
        if self.history is not None:
            row = self.history.row(calls.next_step)
            if row is not None:
                parameters = method.parameters.text(args, kwargs)
                return self._recorded(
                    OpenCall(self, row.step, Kind.STEP, method, proxy, State.RECORDED), row, parameters
                )
        parameters, args, kwargs = method.parameters.round_trip(args, kwargs, self.host.max_bytes)
        delay = method.delay_us
        state = State.STARTING if delay is None else State.SLEEPING
        call = OpenCall(self, calls.next_step, Kind.STEP, method, proxy, state)
        call.parameters = parameters
        call.arguments = (args, kwargs)
        now = self.now()
        if delay is None:
            call.attempts = 1
        else:
            call.due = now + delay
        self._make(call, now, Status.PENDING, delay)
        return call

    def wait_for_signal(self, method: Method, key: str | None, timeout: int | None) -> OpenCall:
        """The flow waits for a signal, at most `timeout` microseconds."""
        row = self.history.row(self.calls.next_step) if self.history is not None else None
        state = State.WAITING if row is None else State.RECORDED
        call = OpenCall(self, self.calls.next_step, Kind.SIGNAL, method, self.proxy, state)
        call.key = key
        if row is not None:
            return self._recorded(call, row, row.parameters)
        now = self.now()
        call.due = None if timeout is None else now + timeout
        self._make(call, now, Status.WAITING_FOR_SIGNAL, timeout)
        if self.history is None:
            self._take_signal(call)
        return call

    def timer_set(self, timer: Timer, when: float) -> None:
        """The flow's code set a timer (`LoopOwner`)."""
        timer.step = self.calls.next_step
        row = self.history.row(timer.step) if self.history is not None else None
        if row is not None:
            self._compare(row, Kind.TIMER, None, "", None, "")
            timer.row = row
            timer.due = row.due or 0
            self.calls.add(timer)
            return
        now = self.now()
        delay = max(math.ceil((when - self.loop.now) * 1e6), 0)
        timer.due = now + delay
        self.calls.add(timer)
        write = CallMade(
            self.flow_id, timer.step, Kind.TIMER, "", "", None, now, self.delivered, "{}", delay,
            self.record.flow.round, Status.PENDING, 0, timer.due,
        )  # fmt: skip
        self.put(write, timer)

    def timer_cancelled(self, timer: Timer) -> None:
        """A timer is not wanted any more (`LoopOwner`)."""
        self.giving_up.cancel_timer(timer)

    def run_in_thread(self, function: Callable[..., Any], args: tuple[Any, ...]) -> OpenCall:
        """`asyncio.to_thread(self.plain_step, ...)`: a branch of its own (`LoopOwner`)."""
        return self.step(*step_in_thread(function, args))

    def _make(self, call: OpenCall, now: int, status: Status, delay: int | None) -> None:
        """Record a new call and see that it goes on."""
        self.calls.add(call)
        method = call.method
        write = CallMade(
            self.flow_id, call.step, call.kind, self._class_name(call), method.name, call.key, now, self.delivered,
            call.parameters, delay, call.round, status, call.attempts, call.due,
        )  # fmt: skip
        self.put(write, call)

    def put(self, write: Write, call: AnyCall | None = None) -> None:
        """Put a write, and set its call going; held back until the whole replay has proved right (G5)."""
        if self.history is not None:
            self._held.append((write, call))
            return
        record = self.record
        if call is None:
            record.put(write)
            return
        record.running()
        record.put(write)
        if call.due is not None:
            call.alarm = self.host.call_at(call.due, call.ring)
        else:
            assert isinstance(call, OpenCall)  # a timer is always due
            if call.state == State.STARTING:
                record.when_durable(call)

    def leave_history(self) -> None:
        """The replay has proved right: the flow is live, and what was held back is put."""
        self.history = None
        held, self._held = self._held, []
        for write, call in held:
            # A call given up since then needs nothing more than its record.
            self.put(write, call if call is not None and self.calls.has(call) else None)

    def _class_name(self, call: OpenCall) -> str:
        """The class a call is recorded under; none where the flow has a name of its own: its class may be renamed."""
        return "" if call.proxy is self.proxy and not self.method.recorded_class else call.method.class_name

    def _compare(
        self, row: InvocationRow, kind: Kind, method: Method | None, class_name: str, key: str | None, parameters: str
    ) -> None:
        try:
            require_same_call(self.flow_id, row, kind, method, class_name, key, self.delivered, parameters)
        except IncompatibleChange as problem:
            self.stop(problem)

    def _recorded(self, call: OpenCall, row: InvocationRow, parameters: str) -> OpenCall:
        """A call that the log holds: compare, and take the outcome at once where that is as good as waiting."""
        self._compare(row, call.kind, call.method, self._class_name(call), call.key, parameters)
        history = self.history
        assert history is not None
        call.row = row
        if history.peek() is row and row.status is not Status.CANCELLED and self._needs_no_turn():
            following = history.row(call.step + 1)
            if following is None or following.called_after >= (row.delivery or 0):
                self.calls.skip()
                history.advance()
                try:
                    self._hand_recorded(call, row)
                except CorruptRow as problem:
                    self.stop(problem)
                return call
        call.parameters = row.parameters
        call.attempts, call.failures, call.due, call.round = row.attempts, row.failures, row.due, row.round
        call.signal = self._taken.get(row.step)
        self.calls.add(call)
        return call

    def _needs_no_turn(self) -> bool:
        # Suspending now would do nothing but run this delivery next: nothing else is ready, nobody is cancelled.
        if not self.loop.idle or self._winding_down.main.done():
            return False
        task = self.loop.current_task()
        return task is not None and not task._must_cancel  # type: ignore[attr-defined]  # asyncio keeps it there

    # -- deliveries ---------------------------------------------------------------------------------------------------

    def answered(self, call: OpenCall, status: Status, text: str | None, value: object) -> None:
        """The outcome of a call is there: deliver it as soon as the flow can see it."""
        if self.host.closing:
            return
        if self.waits_for(call):
            suspended, self._suspended = self._suspended, None
            self._deliver(call, status, text, value)
            if suspended is not None:
                self.host.pump.resume(suspended)
            return
        self.inbox.append((call, status, text, value))
        self.advance()

    def waits_for(self, call: OpenCall) -> bool:
        """Whether the flow's code is suspended until this call is over."""
        return call is self._blocked_on

    def due_reached(self, call: AnyCall) -> None:
        """The time of a timer, of a delay, of a back-off or of a wait has come."""
        if self.loop.dead or self.host.closing or not self.calls.has(call):
            return
        if isinstance(call, Timer):
            self.inbox.append((call, Status.COMPLETE, None, None))
            self.advance()
        elif call.state == State.WAITING:
            key = f" with key {call.key!r}" if call.key is not None else ""
            error = SignalTimeout(f"no signal {call.method.name}{key} came in time: {call.label}")
            self.attempts.timed_out(call, error)
        elif call.state == State.SLEEPING:
            self.attempts.start(call)

    def _hand_next(self) -> bool:
        """Hand the next delivery over; False when there is none."""
        history = self.history
        if history is None:
            return self._hand_live()
        row = history.peek()
        if row is None:
            go_live(self, history)
            return self._problem is None and self._hand_live()
        history.require_no_call(self.calls.next_step, row.delivery)
        self._hand_open(history, row)
        return True

    def _hand_open(self, history: History, row: InvocationRow) -> None:
        call = self.calls.get(row.step)
        if call is None:
            raise IncompatibleChange(
                f"flow {self.flow_id}: the log holds the outcome of {describe(row)}, which the code gave up before"
            )
        if row.status is Status.CANCELLED and isinstance(call, OpenCall) and call.state == State.RECORDED:
            raise IncompatibleChange(
                f"flow {self.flow_id}: the log says that the flow cancelled {describe(row)}, the code does not"
            )
        history.advance()
        self.calls.close(call)
        self._hand_recorded(call, row)

    def _hand_recorded(self, call: AnyCall, row: InvocationRow) -> None:
        assert row.delivery is not None
        assert row.delivered_at is not None
        self.delivered = row.delivery
        self._now = row.delivered_at
        self.loop.now = row.delivered_at / 1e6
        if isinstance(call, Timer):
            call.fire()
            return
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("[SKIP] %s step=%d flow=%s", call.method.name, call.step, self.flow_id)
        try:
            if row.status is Status.COMPLETE:
                call.set_result(call.method.result.decode(row.return_value or ""))
            else:
                self._hand_failure(call, row.status, row.return_value)
        except PersistasaurusError as error:
            raise CorruptRow(f"flow {self.flow_id}: {describe(row)}: {error}") from error

    def _hand_failure(self, call: OpenCall, status: Status, text: str | None) -> None:
        if status is Status.CANCELLED:
            call.end_cancelled(call.cancel_message)
            return
        error = self.failures_of(call).decode(text or "")
        self.failures[id(error)] = (error, call)
        call.set_exception(error)
        call.exception()  # a branch nobody waits for any more is no news

    def failures_of(self, call: OpenCall) -> FailureCodec:
        """What encodes the failures of a call: what the flow's class lists, and what the step's class does."""
        own: FailureCodec = type(call.proxy).__persistasaurus__.failures  # type: ignore[attr-defined]  # it is a proxy
        return own if own is self.flow_class.failures else joined(self.flow_class.failures, own)

    def _hand_live(self) -> bool:
        if self.host.closing:
            return False
        while True:
            while self.inbox:
                outcome = self.inbox.popleft()
                if self.calls.has(outcome[0]):
                    self._deliver(*outcome)
                    return True
            if self.waking:
                self.due_reached(self.waking.popleft())
            elif self.restarting:
                self._restart()
            else:
                return False

    def _restart(self) -> None:
        calls, self.restarting = self.restarting, []
        recovering, self._recovering = self._recovering, False
        self.attempts.restart([call for call in calls if self.calls.has(call)], recovering=recovering)

    def _deliver(self, call: AnyCall, status: Status, text: str | None, value: object) -> None:
        """Number an outcome, put it, and hand it to the flow."""
        record = self.record
        record.running()
        self.calls.close(call)
        number = self.delivered = self.delivered + 1
        now = max(self.host.clock.now(), self._now)
        if isinstance(call, Timer):
            now = max(now, call.due)
            self._now = now
            self.loop.now = now / 1e6
            record.put(CallChanged(self.flow_id, call.step, status, 0, 0, call.due, None, number, now, None))
            call.fire()
            return
        self._now = now
        self.loop.now = now / 1e6
        record.put(
            CallChanged(self.flow_id, call.step, status, call.attempts, call.failures, None, text, number, now, None)
        )
        if status is not Status.COMPLETE:
            self._hand_failure(call, status, text)
        else:
            # A stored outcome comes as its text alone.
            call.set_result(call.method.result.decode(text or "") if value is None else value)

    # -- signals ------------------------------------------------------------------------------------------------------

    def signal_arrived(self, signal: SignalRow) -> None:
        """A signal for this flow is on record."""
        if self.loop.dead or not self.mailbox.keep(signal):
            return
        self.record.touched = True
        if self.host.closing:
            return
        self.take_signals()
        if self._problem is None:
            self.settle()
        elif self._suspended is not None:
            suspended, self._suspended = self._suspended, None
            self.host.pump.interrupt(suspended, Evicted())  # the turn ends, and parks the flow
        else:
            self._park()

    def take_signals(self) -> None:
        """Every wait takes the first signal meant for it, lower numbers first."""
        if self.history is None:
            for call in self.calls.waiting():
                self._take_signal(call)

    def _take_signal(self, call: OpenCall) -> None:
        signal = self.mailbox.first(call.method.name, call.key)
        if signal is None:
            return
        try:
            call.arguments = call.method.parameters.decode(signal.arguments)
        except PersistasaurusError as error:
            self._problem = CorruptRow(f"flow {self.flow_id}: a signal does not fit the code any more: {error}")
            self.loop.freeze()
            return
        self.mailbox.take(signal)
        self.record.running()
        call.disarm()
        call.due = None
        call.signal = signal
        call.parameters = signal.arguments
        call.attempts = 1
        self.calls.enter(call, State.STARTING)
        self.record.put(SignalTaken(self.flow_id, call.step, signal.signal_id, signal.arguments, call.attempts))
        self.record.when_durable(call)

    # -- plain steps --------------------------------------------------------------------------------------------------

    def wait_plain(self, call: OpenCall) -> Any:
        """Wait for a plain step: a plain flow's branch on its greenlet, an async flow with all it has (G4)."""
        if call.done():
            return call.result()
        if branches.in_branch():
            return branches.wait_for(call)
        self._blocked_on = call
        try:
            if self.history is not None:
                self._replay_blocked(call, self.history)
            if not call.done():
                self._suspend()
        except (IncompatibleChange, CorruptRow) as problem:
            self.stop(problem)
        finally:
            self._blocked_on = None
        return call.result()

    def _replay_blocked(self, call: OpenCall, history: History) -> None:
        row = history.peek()
        if row is None:
            go_live(self, history)
            for outcome in [each for each in self.inbox if each[0] is call]:
                self.inbox.remove(outcome)
                self._deliver(*outcome)
            self._restart()
        elif row.step == call.step:
            history.require_no_call(self.calls.next_step, row.delivery)
            self._hand_open(history, row)
        else:
            raise IncompatibleChange(
                f"flow {self.flow_id}: the log goes on with the outcome of {describe(row)}, "
                f"the code now waits for {call.label}"
            )

    def _suspend(self) -> None:
        self._suspended = getcurrent()
        self.loop.leave()
        try:
            self.settle()
            self.host.pump.suspend()
        finally:
            self.loop.enter()
            self._suspended = None


class _Ended:
    """Waits for the flow's outcome to be durable."""

    __slots__ = ("_execution",)

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def durable(self) -> None:
        self._execution.host.ended(self._execution)
