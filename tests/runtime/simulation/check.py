"""Runs one random program and says everything that is wrong with how it ran."""

from __future__ import annotations

import asyncio
import json
import random

from persistasaurus.records import FlowRow, FlowStatus, Kind

from .programs import Programs
from .world import Replayer, World


def check_program(seed: int, *, plain: bool, always_evict: bool = False) -> list[str]:
    """Run the program of a seed through crashes, replay its log, reopen it if it failed; returns what went wrong."""
    chance = random.Random(seed)
    program = Programs(chance, plain=plain).program()
    world = World(program, chance, plain=plain, crashes=chance.randint(0, 4), always_evict=always_evict)
    flow = world.run()
    trouble = _judge(world, flow)
    if flow.status is FlowStatus.FAILED and not trouble:
        world.crashes = chance.randint(0, 2)
        if world.reopen(flow):
            trouble = [f"reopened: {each}" for each in _judge(world, world.run())]
    return [f"seed {seed}: {each}" for each in trouble] + ([json.dumps(program)] if trouble else [])


def _judge(world: World, flow: FlowRow) -> list[str]:
    trouble = list(world.trouble)
    if asyncio._get_running_loop() is not None:
        trouble.append("a flow loop was left running")
    if flow.status is FlowStatus.PARKED:
        return [*trouble, f"parked: {flow.return_value}"]
    replayer = Replayer(world)
    trouble += replayer.trouble
    if replayer.outcome.status is not flow.status or outcome_of(replayer.outcome) != outcome_of(flow):
        trouble.append(f"replayed to {replayer.outcome}, lived to {flow}")
    if world.traces[-1] != replayer.traces[-1]:
        trouble.append(f"the flow saw another world:\n  {world.traces[-1]}\n  {replayer.traces[-1]}")
    drawn = [line for line in world.traces[-1] if line.startswith("draw gave")]
    if len(set(drawn)) != len(drawn):
        trouble.append(f"one value was drawn twice: {drawn}")
    for row in world.log.invocations(flow.flow_id, limit=10**6):
        # The attempts of a wait are those for the signal it has taken; one that gave its signal back starts anew.
        if world.started[row.step] > row.attempts and row.kind is not Kind.SIGNAL:
            trouble.append(f"step {row.step} ran {world.started[row.step]} times, on record are {row.attempts}")
    return trouble


def outcome_of(flow: FlowRow) -> object:
    """The result or error of a flow, without the traceback: a replay comes to the same place by another way."""
    value = json.loads(flow.return_value or "null")
    if isinstance(value, dict) and "error" in value:
        value["error"].pop("traceback", None)
        value["error"].pop("members", None)
    return value
