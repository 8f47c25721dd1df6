"""Flows whose steps fail, and what they make of it."""

from __future__ import annotations

from datetime import timedelta

from persistasaurus import Retry, flow, step

from .machine import Outside


class Declined(Exception):
    """The bank says no."""


class Flaky(Exception):
    """Try again later."""


class Broken(Flaky):
    """Do not try again."""


class PayFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def pay(self, amount: int) -> str:
        return await self.charge(amount)

    @flow
    async def pay_or_bill(self, amount: int) -> str:
        try:
            return await self.charge(amount)
        except Declined as refusal:
            return await self.bill(amount, str(refusal))

    @flow
    async def pay_patiently(self, amount: int) -> str:
        return await self.charge_patiently(amount)

    @flow
    async def pay_patiently_or_bill(self, amount: int) -> str:
        try:
            return await self.charge_patiently(amount)
        except Flaky as failure:
            return await self.bill(amount, str(failure))

    @step(raises=(Declined,))
    async def charge(self, amount: int) -> str:
        await self.outside.visit("charge")
        return f"charged {amount}"

    @step(
        raises=(Flaky, Broken),
        retry=Retry(
            max_attempts=3, initial=timedelta(minutes=1), factor=10, maximum=timedelta(minutes=5), retry_on=(Flaky,),
            never_on=(Broken,),
        ),
    )  # fmt: skip
    async def charge_patiently(self, amount: int) -> str:
        await self.outside.visit("charge")
        return f"charged {amount}"

    @step
    async def bill(self, amount: int, why: str) -> str:
        await self.outside.visit("bill")
        return f"billed {amount}: {why}"


class PlainPayFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    def pay_patiently(self, amount: int) -> str:
        return self.charge_patiently(amount)

    @step(raises=(Flaky,), retry=Retry(max_attempts=3))
    def charge_patiently(self, amount: int) -> str:
        self.outside.visit_plain("charge")
        return f"charged {amount}"
