"""The flow class of the typing tests: async and plain flows, every kind of parameter, a keyed signal."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from persistasaurus import flow, signal, step, wait_for_signal


@dataclass(frozen=True)
class Line:
    sku: str
    count: int = 1


class OrderFlow:
    def __init__(self, shop: str) -> None:
        self.shop = shop

    @flow
    async def place(self, lines: list[Line], /, *notes: str, rush: bool = False, **options: int) -> Decimal:
        total = await self.price(lines)
        approved_by = await wait_for_signal(self.approve, key="manager")
        await self.ship(lines, approved_by, rush=rush)
        return total

    @flow(name="recount")
    def recount(self, sku: str, expected: int | None = None) -> int:
        return self.count(sku)

    @step
    async def price(self, lines: list[Line]) -> Decimal:
        return Decimal(len(lines))

    @step(at_most_once=True)
    async def ship(self, lines: list[Line], approved_by: str, *, rush: bool) -> None: ...

    @step()
    def count(self, sku: str) -> int:
        return len(sku)

    @signal
    async def approve(self, by: str, at: datetime) -> str:
        return by
