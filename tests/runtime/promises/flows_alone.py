"""Flows in which something goes wrong, or is about to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import flow, signal, step, wait_for_signal

from .machine import Outside


class AloneFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def greets(self, name: str) -> str:
        return await self.greet(name)

    @flow
    async def fails_after(self, causes: int) -> None:
        error: Exception | None = None
        for number in range(causes):
            try:
                raise ValueError(number) from error
            except ValueError as latest:
                error = latest
        assert error is not None
        raise error

    @flow
    async def holds_itself_up(self) -> str:
        rings = asyncio.ensure_future(asyncio.sleep(5, "rung"))
        await asyncio.sleep(0)
        return f"{self.greet_in_an_hour()}, {await rings}"

    @flow
    async def is_told_while_held_up(self) -> str:
        told = asyncio.ensure_future(wait_for_signal(self.tell))
        await asyncio.sleep(0)
        return f"{self.greet_plainly()}, {await told}"

    @flow
    async def is_told_while_held_up_for_an_hour(self) -> str:
        told = asyncio.ensure_future(wait_for_signal(self.tell))
        slow = asyncio.ensure_future(self.greet_in_ten_minutes())
        await asyncio.sleep(0)
        return f"{self.greet_in_an_hour()}, {await told}, {await slow}"

    @step
    async def greet(self, name: str) -> str:
        await self.outside.visit(name)
        return f"hello {name}"

    @step
    def greet_plainly(self) -> str:
        self.outside.visit_plain("plainly")
        return "hello"

    @step(delay=timedelta(hours=1))
    def greet_in_an_hour(self) -> str:
        return "hello"

    @step(delay=timedelta(minutes=10))
    async def greet_in_ten_minutes(self) -> str:
        await self.outside.visit("slowly")
        return "hello there"

    @signal
    async def tell(self, what: str) -> str:
        return what
