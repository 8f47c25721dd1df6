"""Flows that read clocks: by every name they have, in every place a flow can hide them."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from time import monotonic as ticks

from persistasaurus import flow, step

from . import chain_ends
from .chain import deadline, is_even, outlined, timed_price
from .chain_api import at_last, stamped

alias = time.time


class ClockFlow:
    def __init__(self, clock: chain_ends.Clock, wall: chain_ends.WallClock, read: Callable[[], float]) -> None:
        self.clock = clock
        self.wall = wall
        self.own = time.perf_counter

    @flow
    async def directly(self, name: str) -> None:
        await self.note(datetime.now(UTC).isoformat())  # error: PST201
        await self.note(f"{dt.datetime.utcnow():%H}")  # error: PST201
        await self.note(str(date.today()))  # error: PST201
        await self.note(str(ticks() - time.perf_counter_ns()))  # error: PST201
        await self.note(time.strftime("%Y"))  # error: PST201
        await self.note(time.ctime())  # error: PST201
        await self.note(time.ctime(0.0))
        await self.note(time.strftime("%Y", time.gmtime(0)))
        await self.note(str(alias()))  # error: PST201
        await self.note(str(self.own()))  # error: PST201

    @flow
    async def in_hidden_places(self, names: list[str]) -> None:
        def nested() -> float:
            return time.time()  # error: PST201

        later: Callable[[], int] = lambda: 3 + time.time_ns()  # noqa: E731  # error: PST201
        times = [time.monotonic() for _ in names]  # error: PST201
        if names and (begun := time.time()) > 3:  # error: PST201
            await self.note(str(begun))
        clock = time.thread_time
        await self.note(f"{nested()} {later()} {times} {clock()}")  # error: PST201
        await self.note(str(list(map(time.localtime, [1.0]))))
        await self.note(str(sorted(names, key=lambda name: (name, time.time()))))  # error: PST201

    @flow
    async def by_way_of_others(self, number: int) -> None:
        await self.note(stamped("x"))  # error: PST201
        await self.note(at_last("x"))  # error: PST201
        await self.note(str(chain_ends.now_text()))  # error: PST201
        await self.note(str(is_even(number)))
        await self.note(str(deadline(number)))  # error: PST201
        await self.note(str(timed_price(number)))  # error: PST201
        await self.note("".join(map(outlined, "ab")))  # error: PST201
        await self.helper()

    @flow
    async def by_way_of_objects(self, number: int) -> None:
        await self.note(str(self.clock.read()))
        await self.note(str(self.wall.read()))  # error: PST201
        await self.note(str(chain_ends.WallClock().read()))  # error: PST201
        made = chain_ends.Event("made")  # error: PST201
        given = chain_ends.Event("given", at=1.0)
        await self.note(f"{made.name} {given.name}")
        await self.note(f"{given.age}")  # error: PST201
        await self.note(str(chain_ends.Event.fresh().name))  # error: PST201
        await self.note(str(chain_ends.Called()(number)))  # error: PST201

    async def helper(self) -> None:
        await self.note(str(time.time()))  # error: PST201

    @step
    async def note(self, text: str) -> None:
        print(time.time(), text)
