"""A flow with one of everything that a drawing has a form for."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from persistasaurus import flow, signal, step, wait_for_signal


def repeatedly(function: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    return function


class EverythingFlow:
    @flow
    async def everything(self, names: list[str], text: str) -> None:
        for name in names:
            if name == 'a "quoted" | <b> & `c`; #d':
                continue
            await self.look(name)
            if not name:
                break
        else:
            await self.none_left()
        if text == "x":
            await self.look(text)
        elif await self.is_known(text):
            return
        try:
            async with asyncio.timeout(60):
                await wait_for_signal(self.approve, timeout=timedelta(days=1), key=text)
        except* (TimeoutError, ValueError):
            raise
        finally:
            await self.none_left()
        match names:
            case [one]:
                await self.look(one)
            case _:
                await asyncio.sleep(1)
        left = asyncio.create_task(self.look("left"))
        await asyncio.gather(self.none_left(), *(self.look(name) for name in names))
        await left
        await self._again(3)
        await getattr(self, text)()
        with suppress(ValueError):
            await self._repeated()

    @repeatedly
    async def _repeated(self) -> None:
        await self.none_left()

    async def _again(self, times: int) -> None:
        await self.none_left()
        if times:
            await self._again(times - 1)

    @step
    async def look(self, name: str) -> None: ...

    @step
    async def is_known(self, name: str) -> bool:
        return True

    @step(delay=timedelta(minutes=1))
    async def none_left(self) -> None: ...

    @signal
    async def approve(self, by: str) -> str:
        return by
