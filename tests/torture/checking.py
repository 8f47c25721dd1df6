"""Runs one generated flow under many schedules of the world, and says everything that is wrong with how it ran.

Whatever a flow does, a full replay of its log runs no body, puts nothing, sees what the flow saw and comes to the same
end (G3, G4). The result of a calm program is that of a run in which nothing goes wrong.
"""

from __future__ import annotations

import asyncio
import random
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from persistasaurus.records import FlowRow, FlowStatus, Kind
from tests.runtime.simulation.check import outcome_of
from tests.runtime.simulation.world import ENDED, FLOW_ID, Replayer

from .grammar import Program
from .worlds import FlowWorld

SHORT: Final = 8
"""Programs with so many writes at most are crashed at every one of them, """
MIDDLING: Final = 30
"""of those with so many a quarter, and the others at a few."""
REOPENINGS: Final = 20
"""A calm flow needs no more than one for each of its steps."""

WAITS_FOR_OTHERS: Final = ("barrier", "queue")
"""Statements that wait for other branches. One that is left over when the flow's body ends, and whose step answers a
cancellation with a value, may so wait for good; then the flow ends with `FlowDeadlock`, and not as its body did."""

Outcome = tuple[FlowStatus, object]


class Check:
    """Checks one program.

    Args:
        program: The program.
        proxy: Its generated proxy class.
        seed: Where the schedules come from.
    """

    def __init__(self, program: Program, proxy: type[Any], seed: int) -> None:
        self._proxy = proxy
        self._seed = seed
        self._calm = program.calm
        self._may_stay = any(node.kind in WAITS_FOR_OTHERS for node in program.root.walk())
        self._expected: Outcome | None = None
        self._expected_mended: Outcome | None = None
        self.runs = 0
        """How many times the flow was run, replays aside."""
        self.trouble: list[str] = []

    def run(self) -> list[str]:
        """Run the flow under all schedules; returns what went wrong."""
        self._schedule("in peace", self._world, self._learn)
        if self.trouble:
            return self.trouble  # all else would say the same again
        self._schedule("crashing", lambda chance: self._world(chance, crashes=chance.randint(1, 4)))
        self._schedule(
            "always evicted", lambda chance: self._world(chance, crashes=chance.randint(0, 2), always_evict=True)
        )
        return self.trouble

    def _world(self, chance: random.Random, *, crashes: int = 0, always_evict: bool = False) -> FlowWorld:
        return FlowWorld(self._proxy, chance, calm=self._calm, crashes=crashes, always_evict=always_evict)

    def _schedule(
        self,
        name: str,
        make: Callable[[random.Random], FlowWorld],
        then: Callable[[FlowWorld, FlowRow], None] | None = None,
    ) -> None:
        """Run the flow to its end in a world, and to its right end if it failed."""
        chance = random.Random(f"{self._seed} {name}")
        trouble: list[str] = []
        try:
            world = make(chance)
            flow = self._run(world, trouble)
            if then is not None and not trouble:
                then(world, flow)
            if not trouble:
                self._require(self._expected, flow, trouble)
            if flow.status is FlowStatus.FAILED and not trouble:
                self._reopen(world, flow, chance, trouble)
        except Exception:
            trouble.append(traceback.format_exc())
            asyncio._set_running_loop(None)
        self.trouble += [f"{name}: {each}" for each in trouble]

    def _run(self, world: FlowWorld, trouble: list[str]) -> FlowRow:
        self.runs += 1
        flow = world.run()
        trouble += judged(world, flow)
        return flow

    def _require(self, expected: Outcome | None, flow: FlowRow, trouble: list[str]) -> None:
        """Calm programs come to the end they come to in peace. How they fail may depend on timing."""
        found = outcome(flow)
        if expected is None or not self._calm:
            return
        if self._may_stay and (_is_deadlock(found) or _is_deadlock(expected)):
            return
        if found[0] is not expected[0] or (found[0] is FlowStatus.COMPLETE and found != expected):
            trouble.append(f"ended with {_short(found)}, in peace with {_short(expected)}")

    def _learn(self, world: FlowWorld, flow: FlowRow) -> None:
        """A run in peace says what a calm program comes to, and where crashes may strike."""
        self._expected = outcome(flow)
        writes = len(world.log.journal)
        points = range(1, writes)
        if writes <= SHORT or (writes <= MIDDLING and self._seed % 4 == 0):
            self._crash_at(world, points)
        elif writes > MIDDLING:
            self._crash_at(world, random.Random(f"{self._seed} points").sample(points, 4))

    def _crash_at(self, world: FlowWorld, points: Sequence[int]) -> None:
        for point in sorted(points):
            there = world.log.crashed(point).flow(FLOW_ID)
            if there is None or there.status in ENDED:
                return
            self._schedule(f"crashed behind write {point}", partial(FlowWorld.after_a_crash, world, point))

    def _reopen(self, world: FlowWorld, flow: FlowRow, chance: random.Random, trouble: list[str]) -> None:
        """Retry a failed flow in a mended world: once, or a calm one until it comes to its right end (G7)."""
        for _ in range(REOPENINGS if self._calm else chance.randint(1, 3)):
            world.crashes = chance.randint(0, 2)
            if not world.reopen(flow):
                if self._calm:
                    trouble.append("it has no step that may run at most once, and is not reopened")
                return
            found: list[str] = []
            flow = self._run(world, found)
            trouble += [f"reopened: {each}" for each in found]
            if found or flow.status is not FlowStatus.FAILED or self._ends_as_failed():
                break
        if not trouble and self._calm:
            self._require(self._mended(), flow, trouble)
            trouble[:] = [f"reopened: {each}" for each in trouble]

    def _mended(self) -> Outcome:
        """What the program comes to if nothing in it is fatal."""
        if self._expected_mended is None:
            world = FlowWorld(self._proxy, random.Random(self._seed), calm=self._calm, mended=True)
            self._expected_mended = outcome(world.run())
        return self._expected_mended

    def _ends_as_failed(self) -> bool:
        return self._calm and self._mended()[0] is FlowStatus.FAILED


def judged(world: FlowWorld, flow: FlowRow) -> list[str]:
    """What is wrong with a flow that has ended: with its log, with the bodies that ran, and with its replay."""
    trouble = list(world.trouble)
    if asyncio._get_running_loop() is not None:
        trouble.append("a flow loop was left running")
    if flow.status is FlowStatus.PARKED:
        return [*trouble, f"parked: {flow.return_value}"]
    replayer = Replayer(world)
    trouble += replayer.trouble
    replayed = replayer.outcome
    if outcome(replayed) != outcome(flow):
        trouble.append(f"replayed to {outcome(replayed)}, lived to {outcome(flow)}")
    if world.traces[-1] != replayer.traces[-1]:
        trouble.append(f"the flow saw another world:\n  live     {world.traces[-1]}\n  replayed {replayer.traces[-1]}")
    return trouble + _judged_bodies(world, flow)


def _judged_bodies(world: FlowWorld, flow: FlowRow) -> list[str]:
    trouble = []
    rows = {row.step: row for row in world.log.invocations(FLOW_ID, limit=10**6)}
    for step, row in rows.items():
        started = world.started[step]
        # The attempts of a wait are those for the signal it has taken; one that gave its signal back starts anew.
        if row.kind is not Kind.STEP:
            continue
        if started > row.attempts:
            trouble.append(f"step {step} ran {started} times, on record are {row.attempts}")
        retry = world.flow_class.methods[row.method_name].retry
        allowed = (1 if retry is None else retry.max_attempts) + world.crashed
        if flow.round == 0 and started > allowed:
            trouble.append(f"step {step} ran {started} times, after {world.crashed} crashes it may {allowed} times")
    for _, step, method, parameters in world.bodies:
        if step not in rows:
            trouble.append(f"a body ran for step {step}, which is not on record")
        elif (rows[step].method_name, rows[step].parameters) != (method, parameters):
            trouble.append(f"a body ran as {method}{parameters} for what is on record as {rows[step]}")
    return trouble


def outcome(flow: FlowRow) -> Outcome:
    """How a flow ended."""
    return flow.status, outcome_of(flow)


def _is_deadlock(found: Outcome) -> bool:
    return found[0] is FlowStatus.FAILED and "FlowDeadlock" in _short(found)


def _short(found: Outcome) -> str:
    status, value = found
    if isinstance(value, dict) and "error" in value:
        return f"{status} {value['error']['type']}: {value['error']['message']}"
    return f"{status} {value!r}"
