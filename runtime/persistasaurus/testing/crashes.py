"""Crashes a flow behind every write to its log, and sees that it comes to the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar

from persistasaurus.engine import Engine
from persistasaurus.errors import FlowParked
from persistasaurus.instances import Async, FlowInstance
from persistasaurus.memory_log import InMemoryLog
from persistasaurus.proxies import Durable
from persistasaurus.records import FlowStatus, InvocationRow, Kind, Status
from persistasaurus.testing.manual_clock import ManualClock

InstanceT = TypeVar("InstanceT", bound=FlowInstance[Async])
R = TypeVar("R")

_FLOW_ID: Final = "flow"
_ENDED: Final = frozenset({Status.COMPLETE, Status.FAILED, Status.CANCELLED})
_STILL: Final = 20
"""Turns of the event loop between two looks at what the flow is doing; each stage of an engine takes one or two."""


@dataclass(frozen=True)
class _Outcome(Generic[R]):
    """How a flow ended."""

    result: R | None
    error: Exception | None = None

    def __str__(self) -> str:
        return repr(self.result) if self.error is None else f"{type(self.error).__name__}: {self.error}"

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

    async def live(self, log: InMemoryLog) -> _Outcome[R]:
        """Run the flow to its end on what is on record."""
        self.effects.clear()
        clock = ManualClock(_next_start(log))
        proxy = self.make()
        async with Engine(log, flows=[proxy], clock=clock, random=lambda: 0.0) as engine:
            flow = engine.get_flow(type(proxy), _FLOW_ID)
            running = asyncio.ensure_future(self.run(flow))
            await self._attend(flow, running, log, clock)
            try:
                return _Outcome(await running)
            except FlowParked as parked:
                raise AssertionError(f"replayed, the flow is parked: {parked.reason}") from None
            except Exception as error:
                if log.flow(_FLOW_ID) is None:
                    raise  # it was never started
                return _Outcome(None, error)

    async def _attend(self, flow: InstanceT, running: asyncio.Future[R], log: InMemoryLog, clock: ManualClock) -> None:
        """Send what is to be sent, and let time pass whenever the flow waits for nothing else."""
        sent = len(log.taken_signals(_FLOW_ID)) + len(log.unread_signals(_FLOW_ID))
        writes = -1
        while not running.done():
            for _ in range(_STILL):
                await asyncio.sleep(0)
            row = log.flow(_FLOW_ID)
            if row is None or row.status not in (FlowStatus.RUNNING, FlowStatus.WAITING):
                continue
            if sent < len(self.signals):
                await self.signals[sent](flow)
                sent += 1
            elif len(log.journal) > writes or log.queued or _is_busy(log, clock.now()):
                writes = len(log.journal)
            elif (away := clock.next_alarm()) is not None:
                clock.advance(away)
            else:
                running.cancel()
                raise AssertionError(_what_it_waits_for(log))


def check_crashes(
    make: Callable[[], Durable[InstanceT, Any]],
    run: Callable[[InstanceT], Coroutine[Any, Any, R]],
    *,
    signals: Sequence[Callable[[InstanceT], Coroutine[Any, Any, None]]] = (),
    effects: list[Any] | None = None,
) -> R:
    """Run a flow, then crash it behind every single write to its log, recover it, and see that it comes to the same.

    The log is in memory, and time passes by itself: delays, retries and time limits take none.

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
    first = asyncio.run(scenario.live(log))
    for writes in range(len(log.journal) + 1):
        crashed = log.crashed(writes)
        row = crashed.flow(_FLOW_ID)
        if row is not None and row.status is FlowStatus.FAILED:
            continue  # to run it again is to reopen it
        with _told_behind(writes, log):
            before = _steps(crashed)
            outcome = asyncio.run(scenario.live(crashed))
            after = _steps(crashed)
            _see_that_nothing_ran_again(before, after)
            if [_came_to(each) for each in after] == [_came_to(each) for each in _steps(log)]:
                _see_the_same(first, outcome)
            replayed = _before_the_end(crashed)
            _see_the_same(outcome, asyncio.run(scenario.live(replayed)))
            if scenario.effects:
                raise AssertionError(f"done again though every step had ended, so outside of steps: {scenario.effects}")
    return first.value()


def _is_busy(log: InMemoryLog, now: int) -> bool:
    """Whether a body runs, or is about to."""
    return any(row.status is Status.PENDING and (row.due or 0) <= now for row in _calls(log))


def _calls(log: InMemoryLog) -> Sequence[InvocationRow]:
    return log.invocations(_FLOW_ID, limit=1_000_000)


def _steps(log: InMemoryLog) -> list[InvocationRow]:
    return [row for row in _calls(log) if row.kind is Kind.STEP]


def _came_to(row: InvocationRow) -> tuple[str, Status, str | None]:
    return row.method_name, row.status, row.return_value


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
        if flow is None or flow.status in (FlowStatus.RUNNING, FlowStatus.WAITING):
            return crashed
    return log.crashed()


def _see_that_nothing_ran_again(before: Sequence[InvocationRow], after: Sequence[InvocationRow]) -> None:
    now = {row.step: row for row in after}
    for row in before:
        if row.status in _ENDED and (_came_to(row), row.attempts) != (_came_to(now[row.step]), now[row.step].attempts):
            raise AssertionError(f"step {row.step} `{row.method_name}` had ended, and has run again")


def _see_the_same(expected: _Outcome[Any], found: _Outcome[Any]) -> None:
    if str(expected) != str(found) or (expected.error is None and expected.result != found.result):
        raise AssertionError(
            f"the flow came to {expected}, and replayed to {found}: something outside of steps differs"
        )


def _what_it_waits_for(log: InMemoryLog) -> str:
    waits = [row.method_name for row in _calls(log) if row.status is Status.WAITING_FOR_SIGNAL]
    named = ", ".join(f"`{name}`" for name in waits)
    return f"the flow waits for {named}, and nothing more comes: send it in `signals`"


@contextmanager
def _told_behind(writes: int, log: InMemoryLog) -> Iterator[None]:
    """Say of what goes wrong behind which write it did."""
    try:
        yield
    except AssertionError as error:
        ended = [row for row in _steps(log.crashed(writes)) if row.status in _ENDED]
        last = f"step {ended[-1].step} `{ended[-1].method_name}` had ended last" if ended else "no step had ended"
        raise AssertionError(f"crashed behind write {writes} of {len(log.journal)}, when {last}: {error}") from None
