"""Flows that have a lot to do, so that something may happen to their log meanwhile. Each result says what was done."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import Retry, flow, signal, step, step_info, wait_for_signal
from tests.crash.flows_trips import Ledger

MOMENT = timedelta(milliseconds=1)


class Door:
    """What bodies go through before they end.

    Args:
        shuts_behind: So many go through before it shuts; None if it stays open.
    """

    def __init__(self, shuts_behind: int | None = None) -> None:
        self._left = shuts_behind
        self._opened = asyncio.Event()
        if shuts_behind is None:
            self._opened.set()

    async def pass_through(self) -> None:
        if self._left:
            self._left -= 1
        else:
            await self._opened.wait()

    def open(self) -> None:
        """Let through who waits, and who comes later."""
        self._left = None
        self._opened.set()


class WorksFlow:
    def __init__(self, ledger: Ledger, door: Door) -> None:
        self.ledger = ledger
        self.door = door

    @flow
    async def works(self, times: int) -> int:
        """Work in a row, side by side, after a moment, behind a failure and behind an answer."""
        done = 0
        for _ in range(times):
            done = await self.add(done, 1)
        done = sum(await asyncio.gather(*(self.add(done, number) for number in range(3))))
        await asyncio.sleep(MOMENT.total_seconds())
        try:
            await self.fail()
        except ValueError:
            done = await self.add(done, 100)
        done = await self.try_twice(done)
        done += await wait_for_signal(self.answered)
        for _ in range(times):
            done = await self.add(done, 1)
        return done

    @step
    async def add(self, done: int, more: int) -> int:
        await self._begin()
        return done + more

    @step
    async def fail(self) -> int:
        await self._begin()
        raise ValueError("as it should")

    @step(retry=Retry(max_attempts=5, initial=MOMENT, maximum=MOMENT))
    async def try_twice(self, done: int) -> int:
        if step_info().attempt == 1:
            raise ConnectionError("no line")
        await self._begin()
        return done + 1000

    @signal
    async def answered(self, number: int) -> int:
        await self._begin()
        return number

    async def _begin(self) -> None:
        self.ledger.note(f"{step_info().flow_id} {step_info().step}")
        await self.door.pass_through()


def worked(times: int, answer: int) -> int:
    """What `works` comes to."""
    return 3 * times + 3 + 100 + 1000 + answer + times


def steps(times: int) -> int:
    """How many bodies a run of `works` notes."""
    return 2 * times + 3 + 1 + 1 + 1 + 1
