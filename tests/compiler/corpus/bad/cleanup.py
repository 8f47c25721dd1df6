"""Flows with effects where they also happen when the flow leaves memory."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import AsyncIterator, Iterator

from persistasaurus import flow, step


class Timer:
    def __enter__(self) -> Timer:
        return self

    def __exit__(self, *reason: object) -> None:
        print(time.perf_counter())


class Quiet:
    async def __aenter__(self) -> Quiet:
        return self

    async def __aexit__(self, *reason: object) -> None:
        print("out")


@contextlib.contextmanager
def locked(name: str) -> Iterator[None]:
    try:
        yield
    finally:
        os.remove(name)


@contextlib.asynccontextmanager
async def counted(name: str) -> AsyncIterator[int]:
    try:
        yield len(name)
    finally:
        print(name)


def release(name: str) -> None:
    os.remove(name)


class HoldFlow:
    @flow
    async def hold(self, room: str) -> None:
        with Timer():  # error: PST210
            await self.take(room)
        with locked(room):  # error: PST210
            await self.take(room)
        async with Quiet(), counted(room) as number:
            await self.take(f"{room} {number}")
        rooms = [room]
        try:
            await self.take(room)
        except Exception:
            await self.give(room)
        finally:
            time.time()  # error: PST210
            release(room)  # error: PST210
            print(os.getpid())  # error: PST210
            rooms.append("given")
            rooms.clear()
            await self.give(room)
            await self.let_go(room)

    async def let_go(self, room: str) -> None:
        await self.give(room)

    @step
    async def take(self, room: str) -> None:
        print(room)

    @step
    async def give(self, room: str) -> None:
        print(room)
