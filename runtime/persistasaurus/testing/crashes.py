"""Crashes a flow behind every write to its log, and sees that it comes to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final, Generic, TypeVar

from persistasaurus.engine import Engine
from persistasaurus.errors import FlowParked
from persistasaurus.instances import Async, FlowInstance
from persistasaurus.memory_log import InMemoryLog
from persistasaurus.proxies import Durable
from persistasaurus.records import FlowStatus, InvocationRow, Kind, Status
from persistasaurus.testing.idle_time import IdleTimeLoop
from persistasaurus.testing.manual_clock import ManualClock

InstanceT = TypeVar("InstanceT", bound=FlowInstance[Async])
R = TypeVar("R")

_FLOW_ID: Final = "flow"
_ENDED: Final = frozenset({Status.COMPLETE, Status.FAILED, Status.CANCELLED})
_UNDER_WAY: Final = frozenset({FlowStatus.RUNNING, FlowStatus.WAITING})


@dataclass(frozen=True)
class _Outcome(Generic[R]):
    """How a flow ended."""

    result: R | None
    text: str
    """What is on record of its result, which equal values share, or what it raised."""
    error: Exception | None = None

    def value(self) -> R:
        """What the caller of the flow gets."""
        if self.error is not None:
            raise self.error
        return self.result  # type: ignore[return-value]  # None only where R is


@dataclass(frozen=True)
class _Scenario(Generic[InstanceT, R]):
    """One flow with all that happens to it."""

    make: Callable[[], Durable[InstanceT, Any]]
    run: Callable[[InstanceT], Coroutine[Any, Any, R]]
    signals: Sequence[Callable[[InstanceT], Coroutine[Any, Any, None]]]
    effects: list[Any]

    def played(self, log: InMemoryLog) -> _Outcome[R]:
        """How the flow ends when it runs on what is on record."""
        loop = IdleTimeLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(self._live(log, loop))

    async def _live(self, log: InMemoryLog, loop: IdleTimeLoop) -> _Outcome[R]:
        self.effects.clear()
        clock = ManualClock(_next_start(log))
        proxy = self.make()
        surroundings = _Surroundings(loop, log, clock)
        with loop.watched(surroundings.when_idle):
            async with Engine(log, flows=[proxy], clock=clock, random=lambda: 0.0) as engine:
                flow = engine.get_flow(type(proxy), _FLOW_ID)
                running = loop.create_task(self.run(flow))
                sent = len(log.taken_signals(_FLOW_ID)) + len(log.unread_signals(_FLOW_ID))
                surroundings.attend(running, [partial(send, flow) for send in self.signals[sent:]])
                return await self._end_of(running, log, surroundings)

    @staticmethod
    async def _end_of(running: asyncio.Task[R], log: InMemoryLog, surroundings: _Surroundings) -> _Outcome[R]:
        try:
            result = await running
        except asyncio.CancelledError:
            raise surroundings.problem or RuntimeError("what runs the flow was cancelled") from None
        except FlowParked as parked:
            raise AssertionError(f"replayed, the flow is parked: {parked.reason}") from None
        except Exception as error:
            if log.flow(_FLOW_ID) is None:
                raise  # it was never started
            return _Outcome(None, f"{type(error).__name__}: {error}", error)
        row = log.flow(_FLOW_ID)
        stored = row.return_value if row is not None and row.status is FlowStatus.COMPLETE else None
        return _Outcome(result, repr(result) if stored is None else stored)


class _Surroundings:
    """What happens to a flow whenever nothing is left to do: a signal is sent, time passes, or nothing more comes."""

    def __init__(self, loop: IdleTimeLoop, log: InMemoryLog, clock: ManualClock) -> None:
        self._loop = loop
        self._log = log
        self._clock = clock
        self._running: asyncio.Task[Any] | None = None
        self._to_send: Iterator[Callable[[], Coroutine[Any, Any, None]]] = iter(())
        self._sending: asyncio.Task[None] | None = None
        self.problem: BaseException | None = None
        """Why what runs the flow was cancelled."""

    def attend(self, running: asyncio.Task[Any], to_send: Sequence[Callable[[], Coroutine[Any, Any, None]]]) -> None:
        """Look after the flow from here on, until what runs it has ended."""
        self._running = running
        self._to_send = iter(to_send)

    def when_idle(self, timer: float | None) -> float | None:
        """How many seconds pass before something is to be done, None if it comes from outside."""
        if self._running is None or self._running.done():
            return None if self.problem is None or self._loop.has_jobs else timer
        if self._sends_another():
            return 0.0
        open_bodies = _open_bodies(self._log, self._clock.now())
        if self._loop.has_jobs or any(map(_is_plain, open_bodies)) or (open_bodies and self._loop.may_be_woken):
            return None
        alarm = self._clock.next_alarm()
        waits = [each for each in (timer, None if alarm is None else alarm.total_seconds()) if each is not None]
        if not waits:
            self._give_up(self._running, AssertionError(_what_it_waits_for(self._log, open_bodies)))
            return 0.0
        self._clock.advance(timedelta(seconds=min(waits)))
        return min(waits)

    def _sends_another(self) -> bool:
        row = self._log.flow(_FLOW_ID)
        if row is None or row.status not in _UNDER_WAY or self._sending is not None or self._running is None:
            return False
        send = next(self._to_send, None)
        if send is None:
            return False
        self._sending = self._loop.create_task(send())
        self._sending.add_done_callback(partial(self._sent, self._running))
        return True

    def _sent(self, running: asyncio.Task[Any], sending: asyncio.Task[None]) -> None:
        self._sending = None
        if not sending.cancelled() and (error := sending.exception()) is not None:
            self._give_up(running, error)

    def _give_up(self, running: asyncio.Task[Any], problem: BaseException) -> None:
        self.problem = problem
        running.cancel()


def check_crashes(
    make: Callable[[], Durable[InstanceT, Any]],
    run: Callable[[InstanceT], Coroutine[Any, Any, R]],
    *,
    signals: Sequence[Callable[[InstanceT], Coroutine[Any, Any, None]]] = (),
    effects: list[Any] | None = None,
) -> R:
    """Run a flow, then crash it behind every single write to its log, recover it, and see that it comes to the same.

    The log is in memory, and time passes by itself as soon as nothing else is left to do: delays, retries, time limits
    and what async doubles sleep take none. Waited for are plain doubles, which run on threads, and async ones that have
    threads or connections of their own.

        check_crashes(
            lambda: DurableSignupFlow(users, mailer),
            lambda signup: signup.sign_up.run("alice", "alice@example.com"),
            signals=[lambda signup: signup.confirm_email_address.send(datetime(2025, 1, 2, tzinfo=UTC))],
        )

    Args:
        make: Makes the proxy, once for each process that is played.
        run: Runs the flow of an instance.
        signals: Send one signal each. They are sent in this order, as soon as the flow is on record, and not again
            when they survived the crash.
        effects: What your doubles append to whenever they are called. It is emptied before each run, and has to stay
            empty when a flow is replayed whose steps have all ended: what is there was done outside of steps.

    Returns:
        What the flow returned. An exception that the flow raised comes out when all crashes have been played.

    Raises:
        AssertionError: After a crash the flow was parked, came to something else, did again what was done, or waits
            for what nobody sends.
    """
    scenario = _Scenario(make, run, signals, [] if effects is None else effects)
    log = InMemoryLog()
    first = scenario.played(log)
    for writes in range(len(log.journal) + 1):
        crashed = log.crashed(writes)
        row = crashed.flow(_FLOW_ID)
        if row is not None and row.status is FlowStatus.FAILED:
            continue  # to run it again is to reopen it
        with _told_behind(writes, log):
            before = _steps(crashed)
            outcome = scenario.played(crashed)
            after = _steps(crashed)
            _see_that_nothing_ran_again(before, after)
            if _seen(crashed) == _seen(log):
                _see_the_same(first, outcome)
            replayed = _before_the_end(crashed)
            _see_the_same(outcome, scenario.played(replayed))
            if scenario.effects:
                raise AssertionError(f"done again though every step had ended, so outside of steps: {scenario.effects}")
    return first.value()


def _open_bodies(log: InMemoryLog, now: int) -> list[InvocationRow]:
    """The calls whose bodies run."""
    return [row for row in _calls(log) if row.status is Status.PENDING and (row.due or 0) <= now]


def _is_plain(row: InvocationRow) -> bool:
    """Whether a body is a plain one, which runs on a thread; a flow may call the steps of any proxy."""
    flow_classes = (
        proxy.__persistasaurus__ for proxy in Durable.__subclasses__() if hasattr(proxy, "__persistasaurus__")
    )
    methods = (each.methods.get(row.method_name) for each in flow_classes if each.name == row.class_name)
    return any(method is not None and not method.is_async for method in methods)


def _calls(log: InMemoryLog) -> Sequence[InvocationRow]:
    return log.invocations(_FLOW_ID, limit=1_000_000)


def _steps(log: InMemoryLog) -> list[InvocationRow]:
    return [row for row in _calls(log) if row.kind is Kind.STEP]


def _came_to(row: InvocationRow) -> tuple[str, Status, str | None]:
    return row.method_name, row.status, row.return_value


def _seen(log: InMemoryLog) -> tuple[object, ...]:
    """What the code of the flow could see: the outcomes in their order, and the times at which it got them."""
    flow = log.flow(_FLOW_ID)
    outcomes = [(row.step, _came_to(row), row.delivery, row.delivered_at, row.cancelled_after) for row in _calls(log)]
    return (None if flow is None else flow.timestamp, outcomes)


def _next_start(log: InMemoryLog) -> datetime:
    """When a process that follows another begins: signals are in order by their times, so these must not be equal."""
    flow = log.flow(_FLOW_ID)
    if flow is None:
        return datetime(2025, 1, 1, tzinfo=UTC)
    times = [flow.timestamp, *(max(row.timestamp, row.delivered_at or 0) for row in _calls(log))]
    times += [signal.sent_at for signal in (*log.taken_signals(_FLOW_ID), *log.unread_signals(_FLOW_ID))]
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=max(times), milliseconds=1)


def _before_the_end(log: InMemoryLog) -> InMemoryLog:
    """The log when everything was on record but how the flow ended."""
    for writes in range(len(log.journal) - 1, -1, -1):
        crashed = log.crashed(writes)
        flow = crashed.flow(_FLOW_ID)
        if flow is None or flow.status in _UNDER_WAY:
            return crashed
    return log.crashed()


def _see_that_nothing_ran_again(before: Sequence[InvocationRow], after: Sequence[InvocationRow]) -> None:
    now = {row.step: row for row in after}
    for row in before:
        if row.status in _ENDED and (_came_to(row), row.attempts) != (_came_to(now[row.step]), now[row.step].attempts):
            raise AssertionError(f"step {row.step} `{row.method_name}` had ended, and has run again")


def _see_the_same(expected: _Outcome[Any], found: _Outcome[Any]) -> None:
    if expected.text != found.text:
        raise AssertionError(
            f"the flow came to {expected.text}, and replayed to {found.text}: something outside of steps differs"
        )


def _what_it_waits_for(log: InMemoryLog, open_bodies: Sequence[InvocationRow]) -> str:
    if open_bodies:
        named = ", ".join(f"step {row.step} `{row.method_name}`" for row in open_bodies)
        return f"the flow waits for {named}, whose body waits for something that never comes"
    waits = [row.method_name for row in _calls(log) if row.status is Status.WAITING_FOR_SIGNAL]
    if waits:
        named = ", ".join(f"`{name}`" for name in waits)
        return f"the flow waits for {named}, and nothing more comes: send it in `signals`"
    return "`run` waits for something that never comes, though the flow does not"


@contextmanager
def _told_behind(writes: int, log: InMemoryLog) -> Iterator[None]:
    """Say of what goes wrong behind which write it did."""
    try:
        yield
    except AssertionError as error:
        ended = [row for row in _steps(log.crashed(writes)) if row.status in _ENDED]
        last = f"step {ended[-1].step} `{ended[-1].method_name}` had ended last" if ended else "no step had ended"
        raise AssertionError(f"crashed behind write {writes} of {len(log.journal)}, when {last}: {error}") from None
