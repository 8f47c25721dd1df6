"""One run of one flow: it runs the flow's code turn by turn, from what its log holds to its end (G1-G7).

It knows neither SQLite nor the event loop of the program: all of that is behind `Host`. Everything here happens on one
thread. A *turn* is the flow's code running until nothing of it is ready; between turns one delivery is handed over.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from greenlet import getcurrent, greenlet

from persistasaurus import branches
from persistasaurus.attempts import Attempts
from persistasaurus.calling import Calling
from persistasaurus.deliveries import Deliveries
from persistasaurus.draws import Draws
from persistasaurus.errors import CorruptRow, Evicted, IncompatibleChange, PersistasaurusError, SignalTimeout
from persistasaurus.flow_classes import FlowClass, Method
from persistasaurus.flow_futures import FlowTask, Timer
from persistasaurus.flow_loop import FlowLoop, Nothing, keep_for_good
from persistasaurus.flow_record import FlowRecord
from persistasaurus.giving_up import GivingUp
from persistasaurus.going_live import go_live
from persistasaurus.hosting import Host
from persistasaurus.mailbox import Mailbox
from persistasaurus.open_call import AnyCall, OpenCall, OpenCalls, State
from persistasaurus.plain_steps import step_in_thread
from persistasaurus.records import FlowRow, SignalRow, Status
from persistasaurus.replay import History, describe
from persistasaurus.winding_down import WindingDown

logger = logging.getLogger("persistasaurus.flow")


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
        self.deliveries = Deliveries(self, flow.timestamp, recovering=recovering)
        self.draws = Draws(self)
        self.calling = Calling(self, taken or {})
        self.mailbox = Mailbox(self, unread)
        self.history = history
        """What is still to be replayed; None once the flow is live."""
        self.brought_back = history is not None
        """Whether this run began with a replay."""
        self.turning = False
        """Whether the flow's code runs, or is suspended in the middle of it."""
        self.problem: PersistasaurusError | None = None
        """What stops this run, and parks the flow."""
        self.main: FlowTask[Any]
        """The task of the flow's body."""
        self._winding_down: WindingDown
        self._blocked_on: OpenCall | None = None
        self._suspended: greenlet | None = None

    # -- life ---------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Run the flow's body as far as it goes."""
        try:
            args, kwargs = self.method.parameters.decode(self.record.flow.parameters)
        except PersistasaurusError as error:
            self.problem = CorruptRow(f"flow {self.flow_id}: its arguments on record do not fit the code: {error}")
            self.park()
            return
        body = self.method.body(self.proxy)
        coroutine = body(*args, **kwargs) if self.method.is_async else branches.drive(body, args, kwargs)
        self.main = FlowTask(coroutine, loop=self.loop, name=self.method.name, context=None)
        self.loop.adopt(self.main)
        self._winding_down = WindingDown(self)
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
        if self._suspended is None:
            return not (self.turning or self.calls.busy or self.deliveries.inbox or self.deliveries.waking)
        # One step holds all of it up. What else has come is delivered behind that step, now or after a replay.
        inbox = self.deliveries.inbox
        return self.calls.busy <= len(inbox) and self.calls.busy == sum(self._is_answered(call) for call, *_ in inbox)

    def _is_answered(self, call: AnyCall) -> bool:
        return isinstance(call, OpenCall) and self.calls.has(call)

    def now(self) -> int:
        """The time now, which never goes back within a flow."""
        return max(self.host.clock.now(), self.deliveries.time)

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
                if loop.dead or (self.main.done() and self._winding_down.has_ended()):
                    break
                if not self.deliveries.hand_next():
                    break
        except (IncompatibleChange, CorruptRow) as problem:
            self.problem = problem
        except Evicted:
            assert self.problem is not None  # `stop`, met outside of the flow's code
        except Exception as error:
            # Nothing the flow's code does comes here. Whatever it is, it concerns this flow and no other.
            logger.exception("flow %s cannot go on", self.flow_id)
            self.problem = PersistasaurusError(f"flow {self.flow_id} cannot go on: {error!r}")
        except BaseException:
            # KeyboardInterrupt and SystemExit are no outcome: the flow stays as the log has it (G3).
            loop.leave()
            self.turning = False
            self.discard()
            raise
        loop.leave()
        self.turning = False
        if self.problem is not None:
            self.park()
        elif not loop.dead:
            self.settle()

    def settle(self) -> None:
        """Nothing of the flow is ready: say in its row what it waits for, or that it waits for nothing."""
        if self.loop.dead or not self.waits or self.history is not None or self.host.closing:
            return
        if self.host.is_sent_to(self.flow_id):
            return  # until it has arrived
        if self.calls:
            # Held up by a step, a flow sees nothing of its timers, but the bodies of other steps start in time.
            due = self.calls.due() if self._suspended is None else self.calls.next_body()
            self.record.waiting(due, self.calls.waiting())
            self.host.quiescent(self)
        else:
            self._winding_down.deadlocked()

    def settle_or_park(self) -> None:
        """A signal has arrived: the flow may wait for less, or for what it cannot read."""
        if self.problem is None:
            self.settle()
        elif self._suspended is not None:
            suspended, self._suspended = self._suspended, None
            self.host.pump.interrupt(suspended, Evicted())  # the turn ends, and parks the flow
        else:
            self.park()

    def stop(self, problem: PersistasaurusError) -> NoReturn:
        """End this run in the middle of a turn; the flow is parked when the turn is over."""
        self.problem = problem
        self.loop.freeze()
        raise Evicted

    def park(self) -> None:
        assert self.problem is not None
        self.calling.forget()
        self.discard()
        self.record.park(self.problem)
        self.tell_end()

    def tell_end(self) -> None:
        """The flow's outcome was put: tell the host when it is durable."""
        self.record.when_durable(_Ended(self))

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

    # -- what the loop asks (`LoopOwner`) -----------------------------------------------------------------------------

    def timer_set(self, timer: Timer, when: float) -> None:
        """The flow's code set a timer."""
        self.calling.set_timer(timer, when)

    def timer_cancelled(self, timer: Timer) -> None:
        """A timer is not wanted any more (`LoopOwner`)."""
        self.giving_up.cancel_timer(timer)

    def run_in_thread(self, function: Callable[..., Any], args: tuple[Any, ...]) -> OpenCall:
        """`asyncio.to_thread(self.plain_step, ...)`: a branch of its own (`LoopOwner`)."""
        return self.calling.step(*step_in_thread(function, args))

    # -- outcomes -----------------------------------------------------------------------------------------------------

    def answered(self, call: OpenCall, status: Status, text: str | None, value: object) -> None:
        """The outcome of a call is there: deliver it as soon as the flow can see it."""
        if self.host.closing:
            return
        if self.waits_for(call):
            suspended, self._suspended = self._suspended, None
            self.deliveries.deliver(call, status, text, value)
            if suspended is not None:
                self.host.pump.resume(suspended)
            return
        self.deliveries.inbox.append((call, status, text, value))
        if self._suspended is None:
            self.advance()
        else:
            self.settle()

    def waits_for(self, call: OpenCall) -> bool:
        """Whether the flow's code is suspended until this call is over."""
        return call is self._blocked_on

    def due_reached(self, call: AnyCall) -> None:
        """The time of a timer, of a delay, of a back-off or of a wait has come."""
        if self.loop.dead or self.host.closing or not self.calls.has(call):
            return
        if isinstance(call, Timer):
            self.deliveries.inbox.append((call, Status.COMPLETE, None, None))
            self.advance()
        elif call.state == State.WAITING:
            key = f" with key {call.key!r}" if call.key is not None else ""
            error = SignalTimeout(f"no signal {call.method.name}{key} came in time: {call.label}")
            self.attempts.timed_out(call, error)
        elif call.state == State.SLEEPING:
            self.attempts.start(call)

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
            if self.problem is not None:
                self.stop(self.problem)
            for outcome in [each for each in self.deliveries.inbox if each[0] is call]:
                self.deliveries.inbox.remove(outcome)
                self.deliveries.deliver(*outcome)
            self.deliveries.restart()
        elif row.step == call.step:
            history.require_no_call(self.calls.next_step, row.delivery)
            self.deliveries.hand_open(history, row)
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
