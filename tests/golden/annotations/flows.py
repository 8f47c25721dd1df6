# fmt: off
# ruff: noqa
# What is tested here is code as people write it.
"""Every way to name a type and to import our decorators."""

from __future__ import annotations

import collections.abc as abc
import datetime as dt
import uuid
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Literal, Optional, Union

import persistasaurus
import persistasaurus as ps
from persistasaurus import Json, stored_as
from persistasaurus import step as durable_step

from . import shapes as forms

if TYPE_CHECKING:
    from decimal import Decimal

    from .shapes import Address, StoredPoint, UserId
    from .shapes import Point as Spot


@dataclass
class Order:
    number: uuid.UUID


class AnnotationsFlow:
    class Status(Enum):
        OPEN = "open"
        CLOSED = "closed"

    Reference = tuple[str, int]

    @persistasaurus.flow
    async def orders(self, user: UserId, address: Address | None, status: Status) -> list[Order]:
        await self.quoted({}, None, None)
        await self.qualified(dt.date(2025, 3, 1), [forms.Address("a", "b")], {"status": status.value})
        return []

    @durable_step
    async def quoted(
        self, orders: "dict[str, 'Order']", again: "Optional[Order]", other: Union["Order", "None"]
    ) -> "Status":
        return self.Status.OPEN

    @ps.step()
    async def qualified(
        self, day: dt.date, homes: abc.Sequence[forms.Address], payload: Json, mode: Literal["fast", "slow"] = "fast"
    ) -> Reference:
        return mode, day.year

    @durable_step(delay=dt.timedelta(hours=1))
    async def special(
        self,
        spot: Annotated[Spot, stored_as(forms.encode, forms.decode)],
        point: StoredPoint,
        amount: Decimal,
        status: Status = Status.OPEN,
    ) -> Annotated[int, "cents"]:
        return spot.x + point.x

    @ps.signal
    async def closed(self, status: AnnotationsFlow.Status, at: dt.datetime | None = None) -> AnnotationsFlow.Status:
        return status
