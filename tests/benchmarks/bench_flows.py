"""The flows that are measured: a loop of small steps."""

from __future__ import annotations

import asyncio

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
