"""A flow whose body is given to it, so that a test can show the code before and after it was edited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from persistasaurus import flow, signal, step

from .machine import Outside


class Sold(Exception):
    """The item is gone."""


class EditedFlow:
    def __init__(self, outside: Outside, body: Callable[[EditedFlow], Coroutine[Any, Any, str]]) -> None:
        self.outside = outside
        self.body = body

    @flow
    async def order(self) -> str:
        return await self.body(self)  # persistc: allow[PST204] each test brings a body that only calls steps

    @step
    async def reserve(self, item: str, count: int = 1) -> str:
        await self.outside.visit(f"reserve {count} {item}")
        return item

    @step
    async def book(self, item: str, count: int = 1) -> str:
        await self.outside.visit(f"book {count} {item}")
        return item

    @step
    async def charge(self, amounts: dict[str, int]) -> int:
        await self.outside.visit(f"charge {sum(amounts.values())}")
        return sum(amounts.values())

    @step(raises=(Sold,))
    async def find(self, item: str) -> str:
        await self.outside.visit(f"find {item}")
        raise Sold(item)

    @step
    async def pause(self) -> str:
        """Where the first version of a flow stands when its code is edited."""
        await self.outside.visit("pause")
        return "paused"

    @step
    async def wave(self) -> None:
        await self.outside.visit("wave")

    @signal
    async def approved(self, by: str) -> str:
        return by
