"""Steps that flows of another class call."""

from __future__ import annotations

from persistasaurus import flow, signal, step

from .machine import Outside


class PartsFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def order_parts(self) -> str:
        return await self.fetch_part("own")

    @step
    async def fetch_part(self, name: str) -> str:
        await self.outside.visit(f"part {name}")
        return f"part {name}"

    @signal
    async def delivered(self, what: str) -> str:
        return what
