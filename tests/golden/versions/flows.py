"""Orders in three versions: flows that started on an older one end on it."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from persistasaurus import flow, parallel, signal, step, wait_for_signal


class OutOfStock(Exception):
    pass


@dataclass(frozen=True)
class Line:
    sku: str
    count: int = 1


class OrderFlow:
    @flow(name="place-order", version=3)
    async def place_order(self, lines: list[Line], *, gift: bool = False) -> str:
        """Place an order; returns its number."""
        await asyncio.gather(*(self.reserve(line.sku) for line in lines))
        if gift:
            await wait_for_signal(self.wrapped, timeout=timedelta(days=1))
        return await self.ship()

    @flow(version=2, of=place_order)
    async def place_order_v2(self, sku: str) -> str:
        """Of one thing."""
        try:
            await self.reserve(sku)
        except OutOfStock:
            return ""
        return await self._ship_v2()

    @flow(version=1, of=place_order)
    def place_order_v1(self, skus: tuple[str, ...], count: int = 1) -> None:
        with parallel() as branches:
            for sku in skus:
                branches.start(self.pack, sku, count)

    @flow(version=1)
    async def cancel_order(self, number: int) -> None:
        await self.reserve(str(number))

    @flow(version=2)
    async def audit(self) -> int:
        return 0

    @flow(version=1, of=audit)
    async def audit_v1(self) -> str:
        return ""

    @step
    async def reserve(self, sku: str) -> None: ...

    @step
    async def ship(self) -> str:
        return "1"

    @step
    def pack(self, sku: str, count: int) -> None: ...

    @signal
    async def wrapped(self) -> None: ...

    async def _ship_v2(self) -> str:
        return await self.ship()


class PhoneOrderFlow(OrderFlow):
    """Another body for new orders; before version 3 it had none of its own."""

    @flow(name="place-phone-order", version=3)
    async def place_order(self, lines: list[Line], *, gift: bool = False) -> str:
        """Place an order that was made by phone."""
        return await self.ship()

    @flow(version=2, of=place_order)
    async def place_order_v2(self, sku: str) -> str:
        return await super().place_order_v2(sku)

    @flow(version=1, of=place_order)
    def place_order_v1(self, skus: tuple[str, ...], count: int = 1) -> None:
        super().place_order_v1(skus, count)
