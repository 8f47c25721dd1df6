"""The program of today: the item is reserved first, and several can be ordered.

The body of yesterday stands below the new one, as `persistc keep OrderFlow.place_order` puts it there: orders that were
placed yesterday have confirmed nothing yet, and must not be asked for a reservation they never made.
"""

from dataclasses import dataclass

from persistasaurus import flow, signal, step, wait_for_signal


@dataclass(frozen=True)
class Receipt:
    item: str
    count: int
    customer: str


class OrderFlow:
    @flow(version=2)
    async def place_order(self, item: str, count: int = 1) -> Receipt:
        """Place an order; returns the receipt."""
        await self.reserve(item, count)
        customer = await wait_for_signal(self.confirmed)
        await self.charge(customer, 10 * count)
        return Receipt(item, count, customer)

    @flow(version=1, of=place_order)
    async def place_order_v1(self, item: str) -> str:
        """Place an order; returns what the customer is told."""
        customer = await wait_for_signal(self.confirmed)
        await self.charge(customer, 10)
        return f"{item} is paid"

    @step
    async def reserve(self, item: str, count: int) -> None:
        print(f"  reserve {count} x {item}")

    @signal
    async def confirmed(self, customer: str) -> str:
        return customer

    @step
    async def charge(self, customer: str, cents: int) -> None:
        print(f"  charge {customer} {cents}")
