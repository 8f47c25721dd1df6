"""A world in which flows run under a random but repeatable schedule: commits lag, bodies end in any order, it crashes.

It is the `Host` of an execution, without an event loop, threads or waiting: whatever may happen next is a list, and a
seeded generator picks from it. What real bodies would do stands in their arguments.
"""

from __future__ import annotations

import asyncio
import gc
import heapq
import random
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from persistasaurus.clock import Clock
from persistasaurus.execution import Execution
from persistasaurus.failed_flow import decode_failed_flow
from persistasaurus.flow_classes import FlowClass, Method
from persistasaurus.hosting import Waiter
from persistasaurus.open_call import OpenCall, State
from persistasaurus.pump import Pump
from persistasaurus.records import (
    Commit,
    FlowRow,
    FlowStatus,
    InvocationRow,
    Kind,
    Send,
    SignalRow,
    Start,
    Status,
    Write,
)
from persistasaurus.reopening import plan_reopening
from persistasaurus.replay import History
from persistasaurus.testing import InMemoryLog

from .program_flow import Declined, Trace
from .program_flow_durable import DurablePlainProgramFlow, DurableProgramFlow

FLOW_ID = "flow-1"
SEED = b"the simulation's"
START = 1_750_000_000_000_000
ENDED = (FlowStatus.COMPLETE, FlowStatus.FAILED, FlowStatus.PARKED)


class Alarm:
    """An alarm of the world's clock."""

    def __init__(self, then: Callable[[], None]) -> None:
        self.then: Callable[[], None] | None = then

    def cancel(self) -> None:
        self.then = None


class World:
    """One machine on which one program runs, crashes and runs again.

    Args:
        program: What the flow runs.
        chance: Picks what happens next.
        plain: Whether the flow is a plain one.
        crashes: The largest number of crashes.
        always_evict: Throw the flow out of memory at every wait.
    """

    def __init__(
        self, program: Any, chance: random.Random, *, plain: bool, crashes: int = 3, always_evict: bool = False
    ) -> None:
        self.chance = chance
        self.crashes = crashes
        self.always_evict = always_evict
        self.traces: list[Trace] = []
        self.proxy = (DurablePlainProgramFlow if plain else DurableProgramFlow)(self._new_trace)
        self.flow_class: FlowClass = type(self.proxy).__persistasaurus__
        self.method: Method = self.flow_class.methods["run"]
        self.started: Counter[int] = Counter()
        self.finished_on_record: set[tuple[int, int]] = set()
        self.mended = False
        self.signals_left = 4
        self.signals_sent = 0
        self.time = START
        self.log = InMemoryLog(auto_commit=False)
        self.random = chance.random
        self.trouble: list[str] = []
        self._boot()
        parameters = self.method.parameters.encode((program,), {})
        flow = FlowRow(
            FLOW_ID, self.method.recorded_class, self.method.recorded_name, START, parameters,
            FlowStatus.RUNNING, "3.x",
        )  # fmt: skip
        self.log.put(Start(flow))
        self.log.commit()
        self.flow = flow
        self.execution: Execution | None = self._execution(flow, None)
        self.execution.begin()

    # -- machine ------------------------------------------------------------------------------------------------------

    def _boot(self) -> None:
        self.pump = Pump()
        self.closing = False
        self.max_bytes = 1 << 20
        self.heard = 0
        self.seed = SEED
        self.clock: Clock = self
        self.waiters: deque[tuple[int, Waiter]] = deque()
        self.alarms: list[tuple[int, int, Alarm]] = []
        self.running: list[OpenCall] = []
        self.sent: dict[int, SignalRow] = {}
        self.durable_position = 0
        self.count = 0
        self.log.open(self._committed)

    def _execution(self, flow: FlowRow, history: History | None) -> Execution:
        taken = {signal.taken_by: signal for signal in self.log.taken_signals(FLOW_ID) if signal.taken_by is not None}
        return Execution(
            self, flow, self.flow_class, self.method, self.proxy,
            history=history, unread=self.log.unread_signals(FLOW_ID), taken=taken,
            recovering=flow.status is FlowStatus.RUNNING and history is not None,
        )  # fmt: skip

    def _new_trace(self) -> Trace:
        self.traces.append([])
        return self.traces[-1]

    def _load(self) -> None:
        flow = self.log.flow(FLOW_ID)
        assert flow is not None
        self.flow = flow
        self.execution = self._execution(flow, History(FLOW_ID, list(self.log.invocations(FLOW_ID, limit=10**6))))
        self.execution.begin()

    def _crash(self) -> None:
        if self.execution is not None:
            # The process is gone; here its garbage must be, too, without running anything of it.
            self.execution.discard()
        self.pump.close()
        self.execution = None
        self.crashes -= 1
        self.log = self.log.crashed()
        self._boot()
        flow = self.log.flow(FLOW_ID)
        assert flow is not None
        if flow.status is FlowStatus.RUNNING or flow.due is not None:
            self._load()  # one that waits for a signal alone stays on disk until one is sent
        elif flow.status is FlowStatus.WAITING:
            unread = {signal.key for signal in self.log.unread_signals(FLOW_ID)}
            for row in self.log.invocations(FLOW_ID, limit=10**6):
                if row.status is Status.WAITING_FOR_SIGNAL and row.key in unread:
                    self.trouble.append(f"nobody will wake the flow, though there is the signal for step {row.step}")

    # -- Host ---------------------------------------------------------------------------------------------------------

    def now(self) -> int:
        return self.time

    def put(self, write: Write) -> int:
        return self.log.put(write)

    def when_durable(self, position: int, waiter: Waiter) -> None:
        self.waiters.append((position, waiter))

    def call_at(self, when: int, then: Callable[[], None], loop: object = None) -> Alarm:
        alarm = Alarm(then)
        self.count += 1
        heapq.heappush(self.alarms, (when, self.count, alarm))
        return alarm

    def start_body(self, call: OpenCall) -> None:
        self.started[call.step] += 1
        if call.arguments is None:
            call.arguments = call.method.parameters.decode(call.parameters)
        name = call.method.name
        if name == "once" and self.started[call.step] > 1:
            self.trouble.append(f"at-most-once step {call.step} ran twice")
        row = next((row for row in self.log.invocations(FLOW_ID, after=call.step - 1, limit=1)), None)
        if row is None or row.step != call.step or row.attempts != call.attempts:
            self.trouble.append(f"the body of step {call.step} started before its record was durable")
        elif row.status in (Status.COMPLETE, Status.FAILED):
            self.trouble.append(f"the body of step {call.step} started though it is {row.status}")
        self.running.append(call)

    def stop_body(self, call: OpenCall) -> None:
        call.stop_asked = True

    def is_sent_to(self, flow_id: str) -> bool:
        return bool(self.sent)

    def quiescent(self, execution: Execution) -> None:
        pass

    def progressed(self, execution: Execution) -> None:
        pass

    def ended(self, execution: Execution) -> None:
        self.execution = None

    def _committed(self, commit: Commit) -> None:
        if commit.refused:
            self.trouble.append(f"refused: {commit.refused}")
        self.durable_position = commit.position
        for position, answer in commit.answers.items():
            signal = self.sent.pop(position, None)
            if signal is not None and isinstance(answer, FlowRow):
                self._signal_stored(signal, answer)
        while self.waiters and self.waiters[0][0] <= commit.position:
            self.waiters.popleft()[1].durable()

    def _signal_stored(self, signal: SignalRow, flow: FlowRow) -> None:
        if self.execution is not None:
            self.execution.mailbox.arrived(signal)
            if self.execution is not None:
                self.execution.settle()
        elif flow.status not in ENDED:
            self._load()

    # -- what may happen ----------------------------------------------------------------------------------------------

    def _finish_body(self) -> None:
        call = self.running.pop(self.chance.randrange(len(self.running)))
        if call.execution is not self.execution:
            return
        assert call.arguments is not None
        if call.kind is Kind.SIGNAL:
            call.execution.attempts.returned(call, f"told {call.arguments[0][0]}")
            return
        name, fails, behaviour = call.arguments[0]
        call.arguments = None
        if call.state == State.STOPPING and call.stop_asked and behaviour == "obeys":
            call.execution.attempts.raised(call, asyncio.CancelledError())
        elif call.state == State.STOPPING and behaviour == "protests":
            call.execution.attempts.raised(call, Declined("while stopping", call.step))
        elif not self.mended and isinstance(fails, int) and call.failures < fails:
            call.execution.attempts.raised(call, Declined(name, call.step))
        else:
            call.execution.attempts.returned(call, f"{name} done")

    def _commit(self) -> None:
        self.log.commit(self.chance.randint(1, self.log.queued))

    def _ring(self) -> None:
        while self.alarms:
            when, _, alarm = heapq.heappop(self.alarms)
            if alarm.then is not None:
                self.time = max(self.time, when)
                then, alarm.then = alarm.then, None
                then()
                return

    def _send(self) -> None:
        self.signals_left -= 1
        self.signals_sent += 1
        key = self.chance.choice(["a", "b"])
        arguments = self.flow_class.methods["told"].parameters.encode((f"signal {self.signals_sent}",), {})
        signal = SignalRow(f"{self.signals_sent:04d}", FLOW_ID, "told", key, arguments, self.time)
        self.sent[self.log.put(Send(signal))] = signal

    def _evict(self) -> None:
        execution = self.execution
        assert execution is not None
        execution.discard()
        self.alarms.clear()
        self._load()

    def _may_evict(self) -> bool:
        execution = self.execution
        return execution is not None and execution.waits and execution.record.position <= self.durable_position

    def run(self) -> FlowRow:
        """Let things happen until the flow has ended and that is durable; returns its row."""
        for _ in range(20_000):
            flow = self.log.flow(FLOW_ID)
            assert flow is not None
            if flow.status in ENDED and self.execution is None:
                self.pump.close()
                return flow
            self._one_thing()
        raise AssertionError(f"no end in sight: {flow}")

    def _one_thing(self) -> None:
        chance = self.chance
        if self.crashes and chance.random() < 0.04:
            self._crash()
            return
        if chance.random() < 0.01:
            gc.collect()
        if self._may_evict() and (self.always_evict or chance.random() < 0.1):
            self.always_evict_once()
        possible: list[Callable[[], None]] = []
        if self.log.queued:
            possible += [self._commit] * 3
        if self.running:
            possible += [self._finish_body] * 3
        if any(alarm.then is not None for _, _, alarm in self.alarms):
            possible.append(self._ring)
        if self.signals_left and chance.random() < 0.2:
            possible.append(self._send)
        if not possible:
            if self.execution is not None and not self.signals_left and self.crashes == 0:
                self.signals_left = 4  # whoever waits for a signal without a limit must get one in the end
            elif self.signals_left:
                possible.append(self._send)
            elif self.execution is not None:
                self._crash()
                return
            else:
                self.signals_left = 4
                return
        if possible:
            chance.choice(possible)()

    def always_evict_once(self) -> None:
        """Throw the flow out of memory and bring it back from the log."""
        assert self.execution is not None
        if self._last_evicted != self.execution.record.position or not self.always_evict:
            self._last_evicted = self.execution.record.position
            self._evict()

    _last_evicted = -1

    def reopen(self, flow: FlowRow) -> bool:
        """Reopen the failed flow in a mended world; False if that must not be."""
        from persistasaurus.errors import FlowNotReopened

        _, failure = decode_failed_flow(FLOW_ID, self.flow_class.failures, flow.return_value)
        rows = list(self.log.invocations(FLOW_ID, limit=10**6))
        self.mended = True
        try:
            plan = plan_reopening(flow, rows, failure, self.time)
        except FlowNotReopened:
            return False
        for step in plan.archive:
            self.started.pop(step, None)
        self.log.put(plan)
        self.log.commit()
        self._load()
        return True


class Replayer(World):
    """Replays a finished log from its first call to its last; any write before the end, and any body, is trouble."""

    def __init__(self, world: World) -> None:
        self.chance = random.Random(0)
        self.always_evict = False
        self.crashes = 0
        self.traces = []
        self.proxy = type(world.proxy)(self._new_trace)
        self.flow_class = world.flow_class
        self.method = world.method
        self.trouble = []
        self.random = self.chance.random
        self.time = world.time + 1_000_000_000
        self.started = Counter()
        self.writes: list[Write] = []
        self.pump = Pump()
        self.closing = False
        self.max_bytes = 1 << 20
        self.heard = 0
        self.seed = SEED
        self.clock: Clock = self
        self.alarms = []
        self.sent = {}
        self.count = 0
        flow = world.log.flow(FLOW_ID)
        assert flow is not None
        rows: list[InvocationRow] = list(world.log.invocations(FLOW_ID, limit=10**6))
        running = FlowRow(
            FLOW_ID, flow.class_name, flow.method_name, flow.timestamp, flow.parameters, FlowStatus.RUNNING,
            flow.python, round=flow.round,
        )  # fmt: skip
        execution = Execution(
            self, running, self.flow_class, self.method, self.proxy, history=History(FLOW_ID, rows), recovering=True
        )
        execution.begin()
        self.outcome = execution.record.flow
        if not execution.dead:
            self.trouble.append("the replay does not end")
            execution.discard()
        self.pump.close()

    def put(self, write: Write) -> int:
        self.writes.append(write)
        return len(self.writes)

    def when_durable(self, position: int, waiter: Waiter) -> None:
        pass

    def start_body(self, call: OpenCall) -> None:
        self.trouble.append(f"the replay ran the body of {call.label}")
