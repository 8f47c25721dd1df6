"""Bills at the end of a month: prices from a table, taxes by country, documents packed on a thread."""

from __future__ import annotations

import asyncio
import copy
import logging
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from persistasaurus import flow, step

from .billing_rates import DEFAULT, RateTable, rounded, tax_of

if TYPE_CHECKING:
    import socket

log = logging.getLogger(__name__)


@dataclass
class Line:
    item: str
    amount: Decimal
    notes: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=lambda: ["new"])


@dataclass
class Bill:
    country: str
    lines: list[Line] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lines = copy.copy(self.lines)

    def add(self, item: str, amount: Decimal) -> None:
        self.lines.append(Line(item, amount))

    def total(self) -> Decimal:
        return sum((line.amount for line in self.lines), Decimal(0))


class Described:
    def describe(self, bill: Bill) -> str:
        return f"{len(bill.lines)} lines, {rounded(bill.total())}"


class BillingFlow(Described):
    def __init__(self, rates: RateTable | None = None, options: Mapping[str, Any] | None = None) -> None:
        self.rates = rates or DEFAULT
        self.options = dict(options or {})
        self.rounding = self.options.get("rounding", ROUND_HALF_UP)
        self.log = log.getChild(type(self).__name__)

    @flow
    async def bill(self, customer: str, used: dict[str, int], country: str) -> str:
        if TYPE_CHECKING:
            socket.gethostname()
        bill = Bill(country)
        by_kind: defaultdict[str, list[str]] = defaultdict(list)
        for item, count in sorted(used.items()):
            bill.add(item, self.rates.of(item) * count)
            by_kind[item[:1].upper()].append(item)
        bill.add("tax", tax_of(bill.total(), country))
        self.log.info("%s: %s", customer, self.describe(bill))
        text = await asyncio.to_thread(self.pack, {kind: len(items) for kind, items in by_kind.items()})
        match self.options.get("send"):
            case "mail" | None:
                await self.send(customer, text)
            case other:
                self.log.debug("kept: %s", str(other).lower())
        return self.describe(bill)

    def describe(self, bill: Bill) -> str:
        first = asdict(bill.lines[0])["item"] if bill.lines else "nothing"
        return f"{super().describe(bill)}, {first.casefold()} first"

    @step
    def pack(self, counts: dict[str, int]) -> str:
        return repr(counts)

    @step
    async def send(self, customer: str, text: str) -> None:
        print(customer, text)
