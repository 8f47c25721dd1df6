# fmt: off
# ruff: noqa
# What is tested here is code as people write it.
"""An order from payment to delivery: branches, loops, parallel steps, compensation, people in the loop."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from persistasaurus import Retry, flow, parallel, signal, sleep, step, wait_for_signal

PATIENCE = timedelta(days=14)
OFTEN = Retry(max_attempts=10, initial=timedelta(seconds=2))


class PaymentDeclined(Exception):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class OutOfStock(Exception):
    """A line cannot be delivered."""


class CourierUnavailable(Exception):
    """No courier comes today."""


DELIVERY_PROBLEMS = (OutOfStock, CourierUnavailable)


@dataclass
class Line:
    article: str
    quantity: int
    price: Decimal


@dataclass
class Order:
    number: int
    customer: str
    lines: list[Line] = field(default_factory=list[Line])

    @property
    def total(self) -> Decimal:
        return sum((line.price * line.quantity for line in self.lines), Decimal(0))


@dataclass
class Parcel:
    order: int
    weight: float


@dataclass
class Approval:
    by: str
    granted: bool


class OrderFlow:
    """Orders of the shop."""

    def __init__(self, limit: Decimal = Decimal(1000)) -> None:
        self.limit = limit

    @flow
    async def fulfil(self, order: Order, express: bool = False) -> str:
        """Take the money, pack and deliver.

        Returns the tracking code; an order that cannot be delivered is refunded, and then it is an empty text.
        """
        if order.total > self.limit:
            await self.ask_for_approval(order)
            approval = await wait_for_signal(self.approve, timeout=PATIENCE)
            if not approval.granted:
                return ""
        payment = await self.take_payment(order)
        try:
            await asyncio.gather(*(self.reserve(order.number, line) for line in order.lines))
            async with asyncio.timeout(3600):
                parcel = await self.pack(order)
            tracking = await self._deliver(parcel, express)
        except PaymentDeclined:
            raise
        except DELIVERY_PROBLEMS:
            await self.refund(payment)
            return ""
        finally:
            await self.write_journal(order.number)
        while not await self.is_delivered(tracking):
            await asyncio.sleep(86400)
        async with asyncio.TaskGroup() as group:
            group.create_task(self.thank(order.customer))
            group.create_task(self.ask_for_review(order.customer, order.number))
        return tracking

    async def _deliver(self, parcel: Parcel, express: bool) -> str:
        match express:
            case True:
                return await self.call_courier(parcel)
            case _:
                return await self.hand_to_post(parcel)

    @flow
    def print_labels(self, orders: list[Order]) -> int:
        """Print the labels of a day, all at once."""
        with parallel() as branches:
            labels = [branches.start(self.print_label, order.number) for order in orders]
        sleep(timedelta(minutes=1))
        if self.count_labels() < len(labels):
            raise OutOfStock("labels")
        return sum(label.result() for label in labels)

    @step
    async def ask_for_approval(self, order: Order) -> None: ...

    @signal
    async def approve(self, approval: Approval) -> Approval:
        """Somebody has decided about an order above the limit."""
        return approval

    @step(raises=(PaymentDeclined,), at_most_once=True)
    async def take_payment(self, order: Order) -> str:
        return f"payment of {order.number}"

    @step(raises=(OutOfStock,), retry=OFTEN)
    async def reserve(self, order: int, line: Line) -> None: ...

    @step
    async def pack(self, order: Order) -> Parcel:
        return Parcel(order.number, 1.0)

    @step(raises=(CourierUnavailable,), retry=Retry(max_attempts=3))
    async def call_courier(self, parcel: Parcel) -> str:
        return "courier"

    @step
    async def hand_to_post(self, parcel: Parcel) -> str:
        return "post"

    @step
    async def refund(self, payment: str) -> None: ...

    @step
    async def write_journal(self, order: int, at: datetime | None = None) -> None: ...

    @step
    async def is_delivered(self, tracking: str) -> bool:
        return True

    @step(delay=timedelta(days=1))
    async def thank(self, customer: str) -> None: ...

    @step(delay=timedelta(days=10, hours=12))
    async def ask_for_review(self, customer: str, order: int) -> None: ...

    @step
    def print_label(self, order: int) -> int:
        return 1

    @step
    def count_labels(self) -> int:
        return 0
