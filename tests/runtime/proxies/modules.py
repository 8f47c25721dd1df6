"""A flow class and the module generated from it, as texts that a test edits and imports."""

import itertools
import sys
from types import ModuleType

_numbers = itertools.count(1)

SOURCE = '''
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import TYPE_CHECKING

from persistasaurus import Retry, flow, signal, step

if TYPE_CHECKING:
    from decimal import Decimal


class Declined(Exception):
    pass


class Expired(Exception):
    pass


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


@dataclass(frozen=True)
class Line:
    sku: str
    count: int = 1


class Base:
    @step
    async def audit(self, text: str) -> None: ...


class OrderFlow(Base):
    """Orders."""

    LIMIT = 3

    def __init__(self, shop: str = "shop") -> None:
        self.shop = shop

    @flow
    async def place(self, lines: list[Line], note: str | None = None) -> "Decimal":
        """Place an order."""
        total = await self.price(lines)
        return total

    @flow(name="quick-order")
    def place_quickly(self, sku: str, /, *more: str, speed: Speed = Speed.FAST, **options: int) -> int:
        return self.pack(3)

    @step(delay=timedelta(days=1), retry=Retry(max_attempts=2), raises=(Declined,))
    async def charge(self, amount: "Decimal", *, times: int = 3) -> None: ...

    @step
    async def price(self, lines: list[Line]) -> "Decimal":
        return sum(line.count for line in lines)

    @step(at_most_once=True)
    def pack(self, number: int, boxes: list[int] = [1, 2]) -> int:
        return self.helper(number)

    @signal
    async def approve(self, by: str, at: datetime) -> str:
        return f"{self.shop}: {by}"

    def helper(self, number: int) -> int:
        return number + 1


def total(lines: list[Line]) -> int:
    return sum(line.count for line in lines)
'''

GENERATED = """
from datetime import datetime
from decimal import Decimal

import persistasaurus.generated as _p
from SOURCE import Declined, Line, OrderFlow, Speed


@_p.proxy(raises=(Declined,))
class DurableOrderFlow(OrderFlow, _p.Durable["OrderFlowInstance[_p.Async]", "OrderFlowInstance[_p.Blocking]"]):
    @_p.override
    async def place(self, lines: list[Line], note: str | None = None) -> Decimal:
        return await _p.flow(super().place, lines, note)

    @_p.override
    def place_quickly(self, sku: str, /, *more: str, speed: Speed = Speed.FAST, **options: int) -> int:
        return _p.plain_flow(super().place_quickly, sku, *more, speed=speed, **options)

    @_p.override
    async def charge(self, amount: Decimal, *, times: int = 3) -> None:
        return await _p.step(super().charge, amount, times=times)

    @_p.override
    async def price(self, lines: list[Line]) -> Decimal:
        return await _p.step(super().price, lines)

    @_p.override
    def pack(self, number: int, boxes: list[int] = [1, 2]) -> int:
        return _p.plain_step(super().pack, number, boxes)

    @_p.override
    async def approve(self, by: str, at: datetime) -> str:
        return await _p.signal(super().approve, by, at)

    @_p.override
    async def audit(self, text: str) -> None:
        return await _p.step(super().audit, text)


class OrderFlowInstance(_p.FlowInstance[_p.FaceT]):
    place = _p.flow_method(DurableOrderFlow.place)
    place_quickly = _p.flow_method(DurableOrderFlow.place_quickly)
    approve = _p.signal_method(DurableOrderFlow.approve)
"""


def imported(name: str, text: str, file: str = "app/flows.py") -> ModuleType:
    """A module of this text, imported under a name of its own."""
    module = ModuleType(name)
    sys.modules[name] = module
    exec(compile(text, file, "exec"), vars(module))
    return module


def generated(source: str = SOURCE, proxy: str = GENERATED) -> ModuleType:
    """The generated module, imported beside a source module of this text."""
    number = next(_numbers)
    imported(f"flows_{number}", source)
    return imported(f"flows_{number}_durable", proxy.replace("SOURCE", f"flows_{number}"), "app/flows_durable.py")


def edited(text: str, *edits: tuple[str, str]) -> str:
    """A text with each edit made; every edit must find its place."""
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text
