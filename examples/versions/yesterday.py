"""The program as it was deployed yesterday: an order is charged as soon as it is confirmed."""

from persistasaurus import flow, signal, step, wait_for_signal


class OrderFlow:
    @flow
    async def place_order(self, item: str) -> str:
        """Place an order; returns what the customer is told."""
        customer = await wait_for_signal(self.confirmed)
        await self.charge(customer, 10)
        return f"{item} is paid"

    @signal
    async def confirmed(self, customer: str) -> str:
        return customer

    @step
    async def charge(self, customer: str, cents: int) -> None:
        print(f"  charge {customer} {cents}")
