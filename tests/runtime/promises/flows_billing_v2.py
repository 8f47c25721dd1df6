"""The next version of `flows_billing_v1`: nothing in it changes what its flows have done so far."""

from __future__ import annotations

from datetime import timedelta

from persistasaurus import Retry, flow, signal, step, wait_for_signal

from .machine import Outside


class BillingFlow:
    """Bills customers."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def bill(self, customer: str) -> str:
        """Bill a customer, once somebody has approved of it."""
        # The meter may be slow.
        amount = await self.measure(customer)
        approved_by = await wait_for_signal(self.approved, timeout=timedelta(days=30))
        await self.charge(customer, amount)
        await self.thank(customer)
        return f"{customer} paid {amount}, approved by {approved_by}"

    @step(delay=timedelta(hours=1), retry=Retry(max_attempts=2))
    async def measure(self, customer: str, precise: bool = False, unit: str = "kWh") -> int:
        await self.outside.visit(f"measure {unit} again")
        return 11

    @signal
    async def approved(self, by: str, remark: str = "") -> str:
        return by.title()

    @step(retry=Retry(max_attempts=3))
    async def charge(self, customer: str, amount: int, currency: str = "EUR") -> None:
        await self.outside.visit(f"charge {amount} {currency}")

    @step
    async def thank(self, customer: str) -> None:
        await self.outside.visit(f"thank {customer}")
