"""A scheduler: something every night until it is told to stop, with what is late done at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import Enum, auto

from persistasaurus import flow, signal, step, wait_for_signal

WEEKEND = {5, 6}
NIGHT = 2


class Outcome(Enum):
    SENT = auto()
    SKIPPED = auto()
    FAILED = auto()


@dataclass(frozen=True)
class Schedule:
    region: str
    holidays: frozenset[date]
    hour: int = NIGHT
    failures: int = 0

    def after(self, moment: datetime) -> datetime:
        """The next time it is due."""
        due = moment.replace(hour=self.hour, minute=0, second=0, microsecond=0)
        while due <= moment or due.weekday() in WEEKEND or due.date() in self.holidays:
            due += timedelta(days=1)
        return due


class NightlyReports:
    max_failures = 3

    def __init__(self, archive: str) -> None:
        self._archive = archive

    @flow
    async def run_every_night(self, schedule: Schedule, until: date) -> dict[Outcome, int]:
        counts = dict.fromkeys(Outcome, 0)
        moment = await self.clock()
        while moment.date() < until:
            due = schedule.after(moment)
            try:
                async with asyncio.timeout((due - moment).total_seconds()):
                    schedule = await wait_for_signal(self.changed)
                    moment = await self.clock()
                    continue
            except TimeoutError:
                moment = due
            outcome = await self._report(schedule, due.date())
            counts[outcome] += 1
            schedule = replace(schedule, failures=schedule.failures + 1 if outcome is Outcome.FAILED else 0)
            if schedule.failures >= self.max_failures:
                await self.give_up(schedule.region)
                break
        return counts

    async def _report(self, schedule: Schedule, day: date) -> Outcome:
        sections = ("sales", "stock", "returns")
        async with asyncio.TaskGroup() as group:
            tasks = {name: group.create_task(self.build(schedule.region, name, day)) for name in sections}
        pages = {name: task.result() for name, task in tasks.items()}
        if not any(pages.values()):
            return Outcome.SKIPPED
        try:
            await self.send(schedule.region, [pages[name] for name in sections])
        except (ConnectionError, TimeoutError):
            return Outcome.FAILED
        except Exception:
            await self.give_up(schedule.region)
            raise
        return Outcome.SENT

    @signal
    async def changed(self, schedule: Schedule) -> Schedule:
        return schedule

    @step
    async def clock(self) -> datetime:
        return datetime.now()

    @step
    async def build(self, region: str, section: str, day: date) -> str:
        return f"{self._archive}/{region}/{section}/{day}"

    @step
    async def send(self, region: str, pages: list[str]) -> None:
        print(region, *pages)

    @step
    async def give_up(self, region: str) -> None:
        print(region)
