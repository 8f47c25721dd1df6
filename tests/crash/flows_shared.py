"""A flow whose steps say in which process they run, and go on when they are let."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from persistasaurus import flow, step


class SharedFlow:
    """Args:
    process: The name of the process.
    visit: Called by every step with its name.
    """

    def __init__(self, process: str, visit: Callable[[str], Awaitable[None]]) -> None:
        self.process = process
        self.visit = visit

    @flow
    async def work(self) -> str:
        first = await self.first()
        second = await self.second()
        return f"{first}, {second}"

    @step
    async def first(self) -> str:
        await self.visit("first")
        return f"first in {self.process}"

    @step
    async def second(self) -> str:
        await self.visit("second")
        return f"second in {self.process}"
