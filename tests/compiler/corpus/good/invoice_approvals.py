"""Invoices that people approve, with reminders, deputies and a time limit."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import Enum, StrEnum

from persistasaurus import SignalTimeout, flow, signal, step, wait_for_signal


class Verdict(StrEnum):
    APPROVED = "approved"
    REFUSED = "refused"

    @classmethod
    def of(cls, votes: list[bool]) -> Verdict:
        counted = Counter(votes)
        return cls.APPROVED if counted[True] > counted[False] else cls.REFUSED


class Level(Enum):
    TEAM = Decimal(1_000)
    DIVISION = Decimal(20_000)
    BOARD = Decimal("Infinity")

    def covers(self, amount: Decimal) -> bool:
        return amount <= self.value


@dataclass(frozen=True)
class Invoice:
    number: str
    amount: Decimal
    due: datetime
    reminders: int = 0

    def reminded(self) -> Invoice:
        return replace(self, reminders=self.reminders + 1)

    def limit(self, received: datetime) -> timedelta:
        return min(self.due - received, timedelta(days=30))


class ApprovalFlow:
    def __init__(self, voters: dict[Level, list[str]], limits: tuple[timedelta, ...]) -> None:
        self.voters = voters
        self.limits = limits

    @flow
    async def approve(self, invoice: Invoice, received: datetime) -> Verdict:
        level = next(each for each in Level if each.covers(invoice.amount))
        votes: list[bool] = []
        async with contextlib.AsyncExitStack() as stack:
            await stack.enter_async_context(asyncio.timeout(invoice.limit(received).total_seconds()))
            votes += [await self.vote_of(voter, invoice) for voter in self.voters[level]]
        verdict = Verdict.of(votes)
        await self.book(invoice.number, verdict)
        return verdict

    async def vote_of(self, voter: str, invoice: Invoice) -> bool:
        for limit in self.limits:
            await self.ask(voter, invoice)
            try:
                return await wait_for_signal(self.voted, timeout=limit)
            except SignalTimeout:
                invoice = invoice.reminded()
        return False

    @step
    async def ask(self, voter: str, invoice: Invoice) -> None:
        print(f"{voter}: {invoice.number}")

    @signal
    async def voted(self, yes: bool) -> bool:
        return yes

    @step
    async def book(self, number: str, verdict: Verdict) -> None:
        print(number, verdict)
