"""Rates and taxes, which only compute."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial, reduce
from types import MappingProxyType
from typing import Self

CENT = Decimal("0.01")
_TAXES: dict[str, Callable[[Decimal], Decimal]] = {
    "DE": lambda amount: amount * Decimal("0.19"),
    "CH": partial(Decimal.__mul__, Decimal("0.081")),
}


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)


def untaxed(amount: Decimal) -> Decimal:
    return amount * 0


def tax_of(amount: Decimal, country: str) -> Decimal:
    return rounded(_TAXES.get(country, untaxed)(amount))


class RateTable:
    def __init__(self, rates: dict[str, Decimal]) -> None:
        self._rates = MappingProxyType(rates)

    def __getitem__(self, item: str) -> Decimal:
        return self._rates[item]

    def of(self, item: str) -> Decimal:
        parts = item.split("/")
        return reduce(max, (self._rates.get(part, CENT) for part in parts), self._default())

    def _default(self) -> Decimal:
        return CENT

    @classmethod
    def flat(cls, *items: str) -> Self:
        return cls(dict.fromkeys(items, CENT))


DEFAULT = RateTable.flat("calls", "messages")
