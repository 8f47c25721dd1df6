"""The mixed load of the process torture: flows of many kinds, each of whose bodies leaves its traces in a ledger."""

from __future__ import annotations

import asyncio
import os
from datetime import timedelta

from persistasaurus import Retry, StepInterrupted, flow, parallel, signal, sleep, step, step_info, wait_for_signal

from .ledger import Ledger

MOMENT = timedelta(milliseconds=5)


class NotMended(Exception):
    """What a step needs is broken, until somebody mends it."""


class MixedFlow:
    """Async flows.

    Args:
        ledger: Survives the process.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @flow
    async def chain(self, length: int) -> list[str]:
        return [await self.work(number) for number in range(length)]

    @flow
    async def fan(self, width: int) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.pair(number)) for number in range(width)]
        return [done for task in tasks for done in task.result()]

    async def pair(self, number: int) -> list[str]:
        first = await self.work(number)
        await asyncio.sleep(MOMENT.total_seconds())
        return [first, await self.work(number + 100)]

    @flow
    async def approvals(self, count: int) -> list[str]:
        done = []
        for number in range(count):
            told = await wait_for_signal(self.approve)
            done.append(f"{told} {await self.work(number)}")
        return done

    @flow
    async def retries(self, number: int) -> list[str]:
        return [await self.flaky(number), await self.later(number)]

    @flow
    async def charges_once(self, number: int) -> list[str]:
        try:
            return [await self.once(number)]
        except StepInterrupted:
            return [await self.work(number)]

    @flow
    async def breaks(self, number: int) -> list[str]:
        return [await self.work(number), await self.mended(number), await self.work(number + 1)]

    @flow
    async def races(self, number: int) -> list[str]:
        try:
            async with asyncio.timeout(0.02):
                return [await wait_for_signal(self.approve)]
        except TimeoutError:
            return [await self.work(number)]

    @step
    async def work(self, number: int) -> str:
        return await self._do("work")

    @step(retry=Retry(max_attempts=50, initial=MOMENT, maximum=MOMENT))
    async def flaky(self, number: int) -> str:
        done = await self._do("flaky")
        if step_info().attempt % 3:
            raise ConnectionError("no line")
        return done

    @step(delay=MOMENT)
    async def later(self, number: int) -> str:
        return await self._do("later")

    @step(at_most_once=True)
    async def once(self, number: int) -> str:
        return await self._do("once")

    @step(raises=(NotMended,))
    async def mended(self, number: int) -> str:
        done = await self._do("mended")
        if not self.ledger.is_mended(step_info().flow_id):
            raise NotMended
        return done

    @signal
    async def approve(self, by: str) -> str:
        return f"{by} {await self._do('approve')}"

    async def _do(self, name: str) -> str:
        what = begin(self.ledger, name)
        await asyncio.sleep(0)
        self.ledger.note("end", what)
        return what


class PlainMixedFlow:
    """Plain flows.

    Args:
        ledger: Survives the process.
    """

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    @flow
    def branches(self, width: int) -> list[str]:
        with parallel() as group:
            started = [group.start(self.pair, number) for number in range(width)]
        return [done for branch in started for done in branch.result()]

    def pair(self, number: int) -> list[str]:
        first = self.work(number)
        sleep(MOMENT)
        return [first, self.work(number + 100)]

    @step
    def work(self, number: int) -> str:
        what = begin(self.ledger, "work")
        self.ledger.note("end", what)
        return what


def begin(ledger: Ledger, name: str) -> str:
    """Note that a body begins; returns what it will return."""
    info = step_info()
    what = f"{info.flow_id}/{info.step}/{name}/{info.attempt}/{os.getpid()}"
    ledger.note("begin", what)
    return what
