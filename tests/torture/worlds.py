"""The simulated world, for generated flows: what their bodies do, and what they must never do twice."""

from __future__ import annotations

import asyncio
import random
import zlib
from collections import Counter
from typing import Any

from persistasaurus.execution import Execution
from persistasaurus.flow_classes import FlowClass, Method
from persistasaurus.open_call import OpenCall, State
from persistasaurus.records import FlowRow, FlowStatus, Kind, Send, SignalRow, Start, Status
from persistasaurus.testing import InMemoryLog
from tests.runtime.simulation.world import FLOW_ID, START, World

from .grammar import FATAL
from .outcomes import Declined

KEYS = ("a", None)
"""The keys that signals are sent with."""


class FlowWorld(World):
    """One machine on which one generated flow runs, crashes and runs again.

    Args:
        proxy: The generated proxy class.
        chance: Picks what happens next.
        calm: Whether bodies give the same result whenever they run.
        crashes: The largest number of crashes.
        always_evict: Throw the flow out of memory at every wait.
        mended: Whether nothing fails that was made to end the flow.
    """

    def __init__(
        self,
        proxy: type[Any],
        chance: random.Random,
        *,
        calm: bool,
        crashes: int = 0,
        always_evict: bool = False,
        mended: bool = False,
    ) -> None:
        self._prepare(proxy, chance, calm=calm, crashes=crashes, always_evict=always_evict)
        self.mended = mended
        self.log = InMemoryLog(auto_commit=False)
        self._boot()
        flow = FlowRow(
            FLOW_ID, self.method.recorded_class, self.method.recorded_name, START,
            self.method.parameters.encode((), {}), FlowStatus.RUNNING, "3.x",
        )  # fmt: skip
        self.log.put(Start(flow))
        self.log.commit()
        self.flow = flow
        self.execution: Execution | None = self._execution(flow, None)
        self.execution.begin()

    def _prepare(
        self, proxy: type[Any], chance: random.Random, *, calm: bool, crashes: int, always_evict: bool
    ) -> None:
        self.chance = chance
        self.calm = calm
        self.crashes = crashes
        self.crashed = 0
        self.always_evict = always_evict
        self.traces = []
        self.proxy = proxy(self._new_trace)
        self.flow_class: FlowClass = proxy.__persistasaurus__
        self.method: Method = self.flow_class.methods["run"]
        self.signals = [method for method in self.flow_class.methods.values() if method.name in ("told", "asked")]
        self.started = Counter()
        self.bodies: list[tuple[int, int, str, str]] = []
        """Every start of a step's body in this round: how many writes were durable, step, method, arguments."""
        self.mended = False
        self.signals_left = 4 if self.signals else 0
        self.signals_sent = 0
        self.time = START
        self.random = chance.random
        self.trouble = []

    @classmethod
    def after_a_crash(cls, world: FlowWorld, writes: int, chance: random.Random) -> FlowWorld:
        """What becomes of a world that had no crashes if it crashes behind so many writes, and maybe once more."""
        new = cls.__new__(cls)
        new._prepare(
            type(world.proxy), chance, calm=world.calm, crashes=chance.randint(1, 2), always_evict=chance.random() < 0.2
        )
        # A clock set back, and one that has gone on, are as good as one that stands still.
        new.time = START if chance.random() < 0.2 else world.time
        new.signals_sent = world.signals_sent
        new.bodies = [body for body in world.bodies if body[0] <= writes]
        new.started = Counter(step for _, step, _, _ in new.bodies)
        new.log = world.log.crashed(writes)
        new.execution = None
        new._boot()
        new._crash()
        return new

    def _crash(self) -> None:
        if self.execution is not None:
            # The process is gone; here its garbage must be, too, without running anything of it.
            self.execution.discard()
        self.pump.close()
        self.execution = None
        self.crashes -= 1
        self.crashed += 1
        self.log = self.log.crashed()
        self._boot()
        flow = self.log.flow(FLOW_ID)
        assert flow is not None
        if flow.status is FlowStatus.RUNNING or flow.due is not None:
            self._load()  # one that waits for a signal alone stays on disk until one is sent
        elif flow.status is FlowStatus.WAITING:
            self._require_no_signal_for_it()

    def _require_no_signal_for_it(self) -> None:
        unread = {(signal.method_name, signal.key) for signal in self.log.unread_signals(FLOW_ID)}
        for row in self.log.invocations(FLOW_ID, limit=10**6):
            if row.status is Status.WAITING_FOR_SIGNAL and (row.method_name, row.key) in unread:
                self.trouble.append(f"nobody will wake the flow, though there is the signal for step {row.step}")

    def start_body(self, call: OpenCall) -> None:
        if call.method.at_most_once and self.started[call.step]:
            self.trouble.append(f"at-most-once step {call.step} ran twice")
        super().start_body(call)
        if call.kind is Kind.STEP:
            self.bodies.append((len(self.log.journal), call.step, call.method.name, call.parameters))

    def _finish_body(self) -> None:
        call = self.running.pop(self.chance.randrange(len(self.running)))
        if call.execution is not self.execution:
            return
        assert call.arguments is not None
        attempts = call.execution.attempts
        if call.kind is Kind.SIGNAL:
            attempts.returned(call, call.arguments[0][0])
            return
        name, fails, behaviour = call.arguments[0]
        call.arguments = None
        assert isinstance(name, str)
        assert isinstance(fails, int)
        stopping = call.state == State.STOPPING
        mended = self.mended and (fails >= FATAL or not self.calm)
        if stopping and call.stop_asked and behaviour == "obeys":
            attempts.raised(call, asyncio.CancelledError())
        elif stopping and behaviour == "protests":
            attempts.raised(call, Declined("while stopping", call.step))
        elif not mended and call.failures < fails:
            attempts.raised(call, Declined(name, call.step))
        elif behaviour == "unstorable" and not mended:
            attempts.returned(call, f"{name} gives no number")
        else:
            attempts.returned(call, zlib.crc32(name.encode()) % 10 if self.calm else self.chance.randrange(10))

    def _send(self) -> None:
        self.signals_left -= 1
        if not self.signals:
            return
        self.signals_sent += 1
        method, key = self.chance.choice(self.signals), self.chance.choice(KEYS)
        text = f"{method.name} {key}" if self.calm else f"signal {self.signals_sent}"
        arguments = method.parameters.encode((text,), {})
        signal = SignalRow(f"{self.signals_sent:04d}", FLOW_ID, method.name, key, arguments, self.time)
        self.sent[self.log.put(Send(signal))] = signal

    def reopen(self, flow: FlowRow) -> bool:
        """Reopen the failed flow in a mended world; False if that must not be."""
        reopened = super().reopen(flow)
        staying = {row.step for row in self.log.invocations(FLOW_ID, limit=10**6)}
        self.bodies = [body for body in self.bodies if body[1] in staying]
        return reopened
