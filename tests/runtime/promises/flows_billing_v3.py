"""A version of `flows_billing_v1` that no flow in the middle of its life can go on with."""

from __future__ import annotations

from persistasaurus import flow, signal, step, wait_for_signal

from .machine import Outside


class BillingFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def bill(self, customer: str) -> str:
        self.outside.seen.append("version 3 was tried")
        await self.greet(customer)
        amount = await self.measure(customer)
        approved_by = await wait_for_signal(self.approved)
        return f"{customer} used {amount}, approved by {approved_by}"

    @step
    async def greet(self, customer: str) -> None:
        await self.outside.visit("greet")

    @step
    async def measure(self, customer: str) -> int:
        await self.outside.visit("measure")
        return 10

    @signal
    async def approved(self, by: str) -> str:
        return by
