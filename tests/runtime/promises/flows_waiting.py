"""Flows that wait: for time, for signals, for bodies."""

from __future__ import annotations

import asyncio
import weakref
from datetime import timedelta

from persistasaurus import flow, signal, sleep, step, wait_for_signal

from .machine import Outside


class Ballast:
    """What a flow holds on to: it is in memory exactly as long as the flow is."""


class WaitingFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.ballasts: weakref.WeakSet[Ballast] = weakref.WeakSet()
        self.begun = 0

    def _load(self) -> Ballast:
        ballast = Ballast()
        self.ballasts.add(ballast)
        self.begun += 1  # persistc: allow[PST205] counts how often a body is begun
        return ballast

    @flow
    async def delays(self) -> str:
        return await self.mail_in_three_days("hello")

    @flow
    async def sleeps(self, seconds: float) -> str:
        ballast = self._load()
        await asyncio.sleep(seconds)
        return await self.mail(f"slept, holding {type(ballast).__name__}")

    @flow
    async def asks(self) -> str:
        ballast = self._load()
        question = await self.mail("question")
        answer = await wait_for_signal(self.answered)
        return f"{question}, {answer}, holding {type(ballast).__name__}"

    @flow
    def asks_in_plain_code(self) -> str:
        ballast = self._load()
        sleep(timedelta(days=1))
        answer = wait_for_signal(self.answered_in_plain_code)
        return f"{answer}, holding {type(ballast).__name__}"

    @flow
    async def asks_and_works(self) -> str:
        ballast = self._load()
        answer = asyncio.create_task(wait_for_signal(self.answered))
        work = await self.mail("work")
        return f"{work}, {await answer}, holding {type(ballast).__name__}"

    @flow
    async def reminds(self, times: int) -> str:
        self._load()
        seen: list[str] = []
        for count in range(times):
            try:
                seen.append(await wait_for_signal(self.answered, timeout=timedelta(days=1)))
                break
            except TimeoutError:
                seen.append(await self.mail(f"reminder {count}"))
                await asyncio.sleep(60)
        return ", ".join(seen)

    @flow
    async def tells_the_time(self) -> list[float]:
        loop = asyncio.get_running_loop()
        times = [loop.time()]
        for name in ("a", "b", "c"):
            await self.mail(name)
            times.append(loop.time())
        return [each - times[0] for each in times]

    @step
    async def mail(self, text: str) -> str:
        await self.outside.visit(text)
        return text

    @step(delay=timedelta(days=3))
    async def mail_in_three_days(self, text: str) -> str:
        await self.outside.visit(text)
        return text

    @signal
    async def answered(self, text: str) -> str:
        return text

    @signal
    def answered_in_plain_code(self, text: str) -> str:
        return text
