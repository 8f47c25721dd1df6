"""Jobs at set times, for months: the flow sleeps in between and begins anew with its own last time."""

from __future__ import annotations

import asyncio
import calendar
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from persistasaurus import Retry, flow, step

T = TypeVar("T")
ZONE = ZoneInfo("Europe/Berlin")
EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Monthly:
    day: int
    hour: int = 6

    def after(self, time: datetime) -> datetime:
        local = time.astimezone(ZONE)
        year, month = divmod(local.year * 12 + local.month, 12)
        last = calendar.monthrange(year, month + 1)[1]
        return datetime(year, month + 1, min(self.day, last), self.hour, tzinfo=ZONE).astimezone(UTC)


class Retrying:
    """What flow classes share."""

    async def persistently(self, action: Callable[[], Awaitable[T]], times: int = 3) -> T:
        for attempt in range(times - 1):
            try:
                return await action()
            except Exception:
                await asyncio.sleep(math.pow(2, attempt))
        return await action()


class Job(ABC, Retrying):
    @abstractmethod
    def title(self) -> str: ...

    async def run_once(self, due: datetime) -> None:
        await self.persistently(lambda: self.do_it(f"{self.title()} of {due:%B}"))

    @step(retry=Retry(max_attempts=2))
    async def do_it(self, title: str) -> None:
        print(title)


class ReportJob(Job):
    def __init__(self, plan: Monthly, *, months: int) -> None:
        self.plan = plan
        self.months = months

    def title(self) -> str:
        return type(self).__name__.removesuffix("Job").lower()

    @flow
    async def go_on(self, begun: datetime) -> datetime:
        due = begun
        for _ in range(self.months):
            last, due = due, self.plan.after(due)
            await asyncio.sleep(max((due - last) / timedelta(seconds=1), 0.0))
            await self.run_once(due)
        return due

    @step(retry=Retry(max_attempts=2))
    async def do_it(self, title: str) -> None:
        await super().do_it(title)
