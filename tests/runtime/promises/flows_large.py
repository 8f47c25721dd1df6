"""Flows that handle more than a log takes."""

from __future__ import annotations

from persistasaurus import Retry, ValueTooLarge, flow, step

TOO_MUCH = 17 * 2**20


class LargeFlow:
    @flow
    async def echoes(self, text: str) -> int:
        return await self.measure(text)

    @flow
    async def gives_a_step_too_much(self) -> str:
        try:
            await self.measure("x" * TOO_MUCH)
        except ValueTooLarge as error:
            return f"{type(error).__name__}, then {await self.measure('small')}"
        return "was let through"

    @flow
    async def gets_too_much(self) -> int:
        return len(await self.make(TOO_MUCH))

    @step
    async def measure(self, text: str) -> int:
        return len(text)

    @step(retry=Retry(max_attempts=3))
    async def make(self, length: int) -> str:
        return "x" * length
