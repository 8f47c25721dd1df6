"""The flows that are measured: small steps, delays and waits.

Some are given a function that their bodies call: it notes a time, or does what the measurement needs at that moment.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from persistasaurus import flow, signal, step, wait_for_signal


class Counting:
    """A flow of sequential steps."""

    @flow
    async def count(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += await self.say("World", number)
        return total

    @step
    async def say(self, name: str, count: int) -> int:
        return count


class PlainCounting:
    """The same, in plain code."""

    @flow
    def count(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += self.say("World", number)
        return total

    @step
    def say(self, name: str, count: int) -> int:
        return count


class Waiting:
    """Steps, then a wait for signals without an end."""

    def __init__(self) -> None:
        self.replayed = asyncio.Event()

    @flow
    async def count_and_wait(self, steps: int) -> None:
        for number in range(steps):
            await self.say("World", number)
        while True:
            await wait_for_signal(self.go_on)

    @step
    async def say(self, name: str, count: int) -> int:
        return count

    @signal
    async def go_on(self) -> None:
        self.replayed.set()


class Watched:
    """Sequential steps that are watched."""

    def __init__(self, watch: Callable[[int], object]) -> None:
        self._watch = watch

    @flow
    async def count(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            total += await self.say("World", number)
        return total

    @step
    async def say(self, name: str, count: int) -> int:
        self._watch(count)
        return count


class Patient:
    """One wait, for a signal or for a time."""

    def __init__(self, watch: Callable[[int], object]) -> None:
        self._watch = watch

    @flow
    async def await_signal(self) -> int:
        return await wait_for_signal(self.go_on)

    @flow
    async def await_time(self, number: int, seconds: float) -> int:
        await asyncio.sleep(seconds)
        return await self.woken(number)

    @signal
    async def go_on(self, number: int) -> int:
        return number

    @step
    async def woken(self, number: int) -> int:
        self._watch(number)
        return number


class Looping:
    """A wait again and again. `runs` counts how often the flow's body was begun, replays included."""

    def __init__(self) -> None:
        self.runs = 0
        self.signals = 0

    @flow
    async def wait_on(self) -> None:
        self.runs += 1  # persistc: allow[PST205] counts how often the body is begun, replays included
        while True:
            await wait_for_signal(self.go_on)

    @signal
    async def go_on(self) -> None:
        self.signals += 1


class Interrupted:
    """Three steps, of which the second says that it has begun, and may never end."""

    def __init__(self, begun: Callable[[], Awaitable[object]], ended: Callable[[], object]) -> None:
        self._begun = begun
        self._ended = ended

    @flow
    async def work(self, number: int) -> int:
        prepared = await self.prepare(number)
        carried_out = await self.carry_out(prepared)
        return await self.finish(carried_out)

    @step
    async def prepare(self, number: int) -> int:
        return number

    @step
    async def carry_out(self, number: int) -> int:
        await self._begun()
        return number

    @step
    async def finish(self, number: int) -> int:
        self._ended()
        return number
