"""Approvals by people: reminders beside the wait, several approvers, the first refusal ends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from persistasaurus import flow, parallel, signal, step, wait_for_signal

LIMITS = {"team lead": Decimal(500), "head of department": Decimal(5000)}


class Refused(Exception):
    def __init__(self, by: str) -> None:
        super().__init__(by)
        self.by = by


@dataclass(frozen=True)
class Expense:
    number: int
    amount: Decimal
    owner: str
    approvers: frozenset[str]


@dataclass(frozen=True)
class Decision:
    approver: str
    approved: bool


class ApprovalBase:
    def __init__(self, office: str) -> None:
        self.office = office
        self.signature = self._signature()

    def _signature(self) -> str:
        return f"The {self.office} office"

    @step
    async def write_to(self, person: str, text: str) -> None:
        print(person, text, self.signature)


class ExpenseApproval(ApprovalBase):
    @flow
    async def approve(self, expense: Expense) -> str:
        waiting = set(expense.approvers)
        try:
            async with self._reminding(expense.owner):
                while waiting:
                    decision = await wait_for_signal(self.decided, timeout=timedelta(days=14))
                    if not decision.approved:
                        raise Refused(decision.approver)
                    waiting.discard(decision.approver)
        except TimeoutError:
            for person in sorted(waiting):
                await self.write_to(person, "too late")
            return "expired"
        except Refused as refused:
            await self.write_to(expense.owner, f"refused by {refused.by}")
            return "refused"
        role = next((role for role, limit in LIMITS.items() if expense.amount <= limit), "board")
        return await self.pay(expense.number, role)

    @flow
    def notify(self, expense: Expense, colleagues: list[str]) -> int:
        with parallel() as branches:
            told = [branches.start(self.tell, person) for person in colleagues if person not in expense.approvers]
        return sum(each.result() for each in told)

    @asynccontextmanager
    async def _reminding(self, owner: str) -> AsyncIterator[None]:
        """Writes to the owner every week while the block runs."""
        reminders = asyncio.create_task(self._remind(owner))
        try:
            yield
        finally:
            reminders.cancel()
            with suppress(asyncio.CancelledError):
                await reminders

    async def _remind(self, owner: str) -> None:
        week = 1
        while True:
            await asyncio.sleep(7 * 24 * 3600)
            await self.write_to(owner, f"still waiting, week {week}")
            week += 1

    @signal
    async def decided(self, approver: str, approved: bool) -> Decision:
        return Decision(approver, approved)

    @step
    async def pay(self, number: int, role: str) -> str:
        return f"{self.office}: {number} by {role}"

    @step
    def tell(self, person: str) -> int:
        return len(person)
