"""A flow whose step is tried again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import Retry, StepInfo, flow, step, step_info

from .machine import Outside


class RetriedFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.infos: list[StepInfo] = []

    @flow
    async def insists(self, name: str) -> str:
        return await self.insist(name)

    @flow
    async def insists_for_ever(self, name: str) -> str:
        return await self.insist_some_day(name)

    @flow
    async def informs(self) -> list[str]:
        return [await self.inform("first"), await self.inform("second"), self.inform_plainly("third")]

    @flow
    async def aborts(self) -> list[str]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self.insist_and_fail_when_stopped("slow")),
                group.create_task(self.try_once("quick")),
            ]
        return [task.result() for task in tasks]

    @step(retry=Retry(max_attempts=3, initial=timedelta(seconds=10), jitter=0))
    async def insist_and_fail_when_stopped(self, name: str) -> str:
        try:
            await self.outside.visit(name)
        except asyncio.CancelledError:
            raise ConnectionError("cut off") from None
        return name

    @step
    async def try_once(self, name: str) -> str:
        await self.outside.visit(name)
        return name

    @step(retry=Retry(max_attempts=3, initial=timedelta(seconds=10), jitter=0))
    async def insist(self, name: str) -> str:
        self.infos.append(step_info())
        await self.outside.visit(name)
        return name

    @step(retry=Retry(max_attempts=9, initial=timedelta.max, maximum=timedelta.max, jitter=0))
    async def insist_some_day(self, name: str) -> str:
        await self.outside.visit(name)
        return name

    @step
    async def inform(self, name: str) -> str:
        self.infos.append(step_info())
        return step_info().idempotency_key

    @step
    def inform_plainly(self, name: str) -> str:
        self.infos.append(step_info())
        return step_info().idempotency_key
