"""An order: reserved, charged, shipped; what was done is undone when a later step fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from typing import Protocol

from persistasaurus import Retry, flow, signal, step, wait_for_signal

log = logging.getLogger(__name__)

CARRIERS = {"DE": "DHL", "FR": "Colissimo"}
FREE_COUNTRIES = frozenset({"DE", "AT"})
LIMITS: dict[str, Decimal] = {}
PRICERS: dict[str, Callable[[Decimal], Decimal]] = {}

LIMITS["EUR"] = Decimal(1000)


def pricer(name: str) -> Callable[[Callable[[Decimal], Decimal]], Callable[[Decimal], Decimal]]:
    """Registers, while the module is imported."""

    def register(function: Callable[[Decimal], Decimal]) -> Callable[[Decimal], Decimal]:
        PRICERS[name] = function
        return function

    return register


@pricer("full")
def full_price(price: Decimal) -> Decimal:
    return price


class PaymentDeclined(Exception):
    pass


class State(Enum):
    OPEN = "open"
    SHIPPED = "shipped"


@dataclass
class Line:
    sku: str
    quantity: int
    price: Decimal


@dataclass
class Order:
    number: int
    country: str
    lines: list[Line]
    state: State = State.OPEN
    total: Decimal = Decimal(0)


class Warehouse(Protocol):
    async def reserve(self, sku: str, quantity: int) -> str: ...
    async def release(self, reservation: str) -> None: ...


class OrderFlow:
    """One object of it serves all orders; what belongs to one order is in local variables."""

    patience = timedelta(days=2)

    def __init__(self, warehouse: Warehouse, currencies: list[str]) -> None:
        self._warehouse = warehouse
        self.currencies = tuple(sorted(currencies))
        self._prepare()

    def _prepare(self) -> None:
        self.limit = max((LIMITS.get(each, Decimal(0)) for each in self.currencies), default=Decimal(0))

    @flow
    async def place_order(self, order: Order) -> Order:
        reservations: list[str] = []
        seen: set[str] = set()
        order.total = self._total(order)
        if order.total > self.limit and "full" not in PRICERS:
            order.total = self.limit
        try:
            for line in order.lines:
                if line.sku in seen:
                    continue
                seen.add(line.sku)
                reservations.append(await self.reserve(line.sku, line.quantity))
            await self.charge(order.number, order.total)
        except PaymentDeclined:
            await asyncio.gather(*(self.release(each) for each in reservations))
            raise
        except BaseException as error:
            log.warning("order %s is left: %r", order.number, error)
            raise
        if order.country not in FREE_COUNTRIES:
            await wait_for_signal(self.customs_cleared, timeout=self.patience)
        await self.ship(order.number, CARRIERS.get(order.country, "UPS"), sorted(seen))
        order.state = State.SHIPPED
        order.lines.sort(key=lambda line: line.sku)
        return order

    def _total(self, order: Order) -> Decimal:
        total = Decimal(0)
        for line in order.lines:
            total += line.price * line.quantity
        return total

    @step(retry=Retry(max_attempts=3))
    async def reserve(self, sku: str, quantity: int) -> str:
        return await self._warehouse.reserve(sku, quantity)

    @step
    async def release(self, reservation: str) -> None:
        await self._warehouse.release(reservation)

    @step(raises=(PaymentDeclined,))
    async def charge(self, order: int, amount: Decimal) -> None:
        if amount > self.limit:
            raise PaymentDeclined(order)

    @signal
    async def customs_cleared(self, document: str) -> str:
        return document

    @step
    async def ship(self, order: int, carrier: str, skus: list[str]) -> None:
        log.info("%s: %s by %s", order, skus, carrier)
