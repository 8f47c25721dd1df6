"""Flows that keep what belongs to one run where all runs see it, or read what others change."""

from __future__ import annotations

import heapq
import itertools
from collections import defaultdict, deque

from persistasaurus import flow, signal, step

from . import settings
from .settings import LIMITS, threshold

RUNS = 0
SEEN: set[str] = set()
NUMBERS = itertools.count()
RATES = {"EUR": 1.0}
settings.refresh()


def update_rates() -> None:
    RATES["EUR"] = 2.0


class Counting:
    """A base class whose method changes what a flow of a derived class reads."""

    def __init__(self) -> None:
        self.refused = 0
        self.paused = False

    def pause(self) -> None:
        self.paused = True


class ApprovalFlow(Counting):
    approvals = 0

    def __init__(self, users: dict[str, int], history: deque[str], settings_file: str) -> None:
        super().__init__()
        self.users = users
        self.history = history
        self.settings_file = settings_file
        self.by_team = defaultdict[str, list[str]](list)
        self.queue: list[int] = []
        self.current = ""
        self.limit = 3
        self._open()

    def _open(self) -> None:
        self.opened = self.settings_file

    @flow
    async def approve(self, name: str, amount: int) -> int:
        global RUNS
        RUNS += 1  # error: PST205
        self.current = name  # error: PST205
        self.users[name] = amount  # error: PST205
        self.users[name] += 1  # error: PST205
        self.history.append(name)  # error: PST205
        self.by_team[name].append(name)  # error: PST205
        heapq.heappush(self.queue, amount)  # error: PST205
        setattr(self, name, amount)  # error: PST205
        ApprovalFlow.approvals += 1  # error: PST205
        type(self).approvals = 3  # error: PST205
        self.__class__.approvals = 4  # error: PST205
        SEEN.add(name)  # error: PST205
        LIMITS[name] = amount  # error: PST205
        settings.threshold = amount  # error: PST205
        number = next(NUMBERS)  # error: PST205

        async def ask() -> None:
            self.refused += 1  # error: PST205

        await ask()
        (self.limit, other), rest = (1, 2), 3  # error: PST205
        del self.current  # error: PST205
        for self.limit in range(other):  # error: PST205
            rest += self.limit
        await self._remember(name)
        return number + rest

    async def _remember(self, name: str) -> None:
        self.users.setdefault(name, 0)  # error: PST205

    @flow
    async def read(self, amount: int) -> float:
        if self.paused:  # error: PST205
            return 0.0
        if amount > settings.threshold:  # error: PST205
            return threshold
        if self.answer != "yes":  # error: PST205
            await self.ask()
        rate = RATES["EUR"]  # error: PST205
        return rate * amount + LIMITS.get("EUR", 0) + len(self.opened)  # error: PST205

    @step
    async def ask(self) -> None:
        self.answer = "no"

    @signal
    async def answered(self, answer: str) -> None:
        self.answer = answer
