"""Live a flow up to its last step, crash, replay it: it must see again what it saw."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import pytest

from persistasaurus import EngineClosed
from persistasaurus.generated import Async, Durable, FlowInstance

from .machine import Machine

InstanceT = TypeVar("InstanceT", bound=FlowInstance[Async])
Event = Callable[[Machine], Awaitable[None]]
FLOW_ID = "flow-1"


def ends(name: str) -> Event:
    """The body that visits under this name ends, and the flow gets its outcome before anything else happens."""

    async def happen(machine: Machine) -> None:
        await machine.outside.arrived(name)
        steps = [row.step for row in machine.calls(FLOW_ID) if name in row.parameters and row.delivery is None]
        machine.outside.open(name)
        await machine.until(lambda: any(row.delivery for row in machine.calls(FLOW_ID) if row.step in steps))

    return happen


def comes(name: str) -> Event:
    """A body comes to the outside world under this name and stays there."""

    async def happen(machine: Machine) -> None:
        await machine.outside.arrived(name)

    return happen


def passes(seconds: float) -> Event:
    """So much time passes."""

    async def happen(machine: Machine) -> None:
        machine.clock.advance(timedelta(seconds=seconds))

    return happen


def waits() -> Event:
    """The flow has come to wait for time or signals alone, and may leave memory."""

    async def happen(machine: Machine) -> None:
        await machine.waiting(FLOW_ID)

    return happen


async def live_and_replay(
    machine: Machine,
    make_proxy: Callable[[], Durable[InstanceT, Any]],
    run: Callable[[InstanceT], Coroutine[Any, Any, str]],
    *events: Event,
) -> str:
    """Run a flow while these events happen, crash before its step `finish` ends, and replay it in a quicker world.

    Returns:
        What the replayed flow returns. That the first run saw the same is checked by the replay: the flow gives all it
        saw to `finish`, and other arguments than those on record would park it.
    """
    machine.outside.shut_all()
    proxy = make_proxy()
    async with machine.engine(proxy) as engine:
        running = asyncio.ensure_future(run(engine.get_flow(type(proxy), FLOW_ID)))
        for happen in events:
            await happen(machine)
        await machine.outside.arrived("finish")
        again = machine.crashed()
        lived = machine.calls(FLOW_ID)
    with pytest.raises(EngineClosed):
        await running
    machine.outside.open_all()
    seen = list(machine.outside.seen)
    proxy = make_proxy()
    async with again.engine(proxy) as engine:
        result = await run(engine.get_flow(type(proxy), FLOW_ID))
    assert machine.outside.seen == [*seen, "finish"], "a step that was over ran again"
    assert again.calls(FLOW_ID)[: len(lived) - 1] == lived[:-1], "the replay changed what was on record"
    return result
