"""A replay in memory: does code go on with what a log holds? No step body runs, and nothing is recorded.

It is the real `Execution` with a host on which nothing becomes durable, and what leaves a flow waits for that (G1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from persistasaurus.clock import Alarm, Clock
from persistasaurus.errors import FlowNotRegistered, PersistasaurusError
from persistasaurus.execution import Execution
from persistasaurus.hosting import Waiter
from persistasaurus.offline.recorded import Recorded
from persistasaurus.pump import Pump
from persistasaurus.records import Kind, Status, Write
from persistasaurus.replay import History

if TYPE_CHECKING:
    import asyncio

    from persistasaurus.open_call import OpenCall
    from persistasaurus.runner import Registered


def rehearse(recorded: Recorded, registered: Mapping[str, Registered], seed: bytes) -> PersistasaurusError | None:
    """Replay a flow against code, as an engine would that brings it back.

    Args:
        recorded: The flow with its history.
        registered: The flows there are, by recorded name; see `registered_flows`.
        seed: Of the log.

    Returns:
        What would park the flow; None if it would go on.
    """
    flow = recorded.flow
    found = registered.get(flow.name)
    if found is None:
        return FlowNotRegistered(flow.flow_id, f"flow {flow.flow_id} is {flow.name}, which none of these classes has")
    body = found.body_of(flow)
    if body is None:
        return found.body_is_missing(flow)
    waiting = {call.step for call in recorded.calls if call.kind is Kind.SIGNAL and call.status is Status.PENDING}
    execution = Execution(
        (host := _Nowhere(_last_moment(recorded), seed)),
        flow,
        found.flow_class,
        body,
        found.proxy,
        history=History(flow.flow_id, recorded.calls),
        unread=[signal for signal in recorded.signals if signal.taken_by is None],
        taken={signal.taken_by: signal for signal in recorded.signals if signal.taken_by in waiting},
    )
    try:
        execution.begin()
        return execution.problem
    finally:
        if not execution.dead:
            execution.discard()
        host.pump.close()


def _last_moment(recorded: Recorded) -> int:
    """When the flow last made or got something: no timer of it is due by then."""
    moments = [
        moment for call in recorded.calls for moment in (call.timestamp, call.delivered_at) if moment is not None
    ]
    return max(moments, default=recorded.flow.timestamp)


class _Stopped:
    """A clock that stands still, on which nothing falls due."""

    def __init__(self, now: int) -> None:
        self._now = now

    def now(self) -> int:
        return self._now

    def call_at(self, when: int, then: Callable[[], None], loop: asyncio.AbstractEventLoop) -> Alarm:
        return _Silent()


class _Silent:
    """An alarm that never goes off."""

    def cancel(self) -> None:
        return


class _Nowhere:
    """A `Host` that takes everything and makes nothing of it durable, so that no body starts."""

    closing = False
    heard = 0
    max_bytes = 2**31

    def __init__(self, now: int, seed: bytes) -> None:
        self.seed = seed
        self.clock: Clock = _Stopped(now)
        self.pump = Pump()
        self.random: Callable[[], float] = lambda: 0.5

    def put(self, write: Write) -> int:
        return 0

    def when_durable(self, position: int, waiter: Waiter) -> None:
        return

    def call_at(self, when: int, then: Callable[[], None]) -> Alarm:
        return _Silent()

    def start_body(self, call: OpenCall) -> None:
        raise AssertionError("no body starts where nothing becomes durable")

    def stop_body(self, call: OpenCall) -> None:
        return

    def is_sent_to(self, flow_id: str) -> bool:
        return False

    def quiescent(self, execution: Execution) -> None:
        return

    def progressed(self, execution: Execution) -> None:
        return

    def ended(self, execution: Execution) -> None:
        return
