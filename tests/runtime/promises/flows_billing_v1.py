"""A flow class as it was first deployed; the modules `flows_billing_v2` and `_v3` are later versions of it."""

from __future__ import annotations

from datetime import timedelta

from persistasaurus import flow, signal, step, wait_for_signal

from .machine import Outside


class BillingFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def bill(self, customer: str) -> str:
        amount = await self.measure(customer)
        approved_by = await wait_for_signal(self.approved, timeout=timedelta(days=7))
        await self.charge(customer, amount)
        return f"{customer} paid {amount}, approved by {approved_by}"

    @step
    async def measure(self, customer: str) -> int:
        await self.outside.visit("measure")
        return 10

    @signal
    async def approved(self, by: str) -> str:
        return by

    @step
    async def charge(self, customer: str, amount: int) -> None:
        await self.outside.visit(f"charge {amount}")
