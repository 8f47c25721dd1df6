"""Flows that change what all runs share by way of functions, under another name, or by handing it on."""

from __future__ import annotations

from persistasaurus import flow, step

from . import settings

COUNT = 0
CACHE: dict[str, str] = {}
PRICES: dict[str, int] = {"book": 3}


class Ledger:
    made: list[str] = []

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.total = 0

    def add(self, line: str) -> None:
        self.lines.append(line)
        self.total += 1

    def register(self) -> None:
        Ledger.made.append("ledger")

    def of(self, number: int) -> str:
        return self.lines[number]


LEDGER = Ledger()


def bump() -> None:
    global COUNT
    COUNT += 1


def read() -> int:
    return COUNT


def lookup(name: str) -> str:
    if name not in CACHE:
        CACHE[name] = name.upper()
    return CACHE[name]


def reprice() -> None:
    PRICES["book"] = 4


def price(name: str) -> int:
    return PRICES.get(name, 0)


def put(target: dict[str, str], name: str) -> None:
    target[name] = name


def put_by_way(target: dict[str, str]) -> None:
    put(name="a", target=target)


def note(ledger: Ledger) -> None:
    ledger.add("noted")


def record(lines: list[str]) -> list[str]:
    lines = list(lines)
    lines.append("mine")
    return lines


class ChainFlow:
    def __init__(self, ledger: Ledger) -> None:
        self.shared: list[str] = []
        self.found: dict[str, list[str]] = {}
        self.ledger = ledger

    @flow
    async def go(self, name: str) -> int:
        bump()  # error: PST205
        if read() > 3:  # error: PST205
            return 1
        lookup(name)  # error: PST205
        price(name)  # error: PST205
        settings.refresh()  # error: PST205
        put(CACHE, name)  # error: PST205
        put_by_way(CACHE)  # error: PST205
        note(LEDGER)  # error: PST205
        self.ledger.add(name)  # error: PST205
        LEDGER.add(name)  # error: PST205
        cache = CACHE
        cache["y"] = name  # error: PST205
        shared = self.shared
        shared.append(name)  # error: PST205
        del cache["y"]  # error: PST205
        found = self.found
        found.setdefault(name, []).append(name)  # error: PST205
        self._note(self.shared)  # error: PST205
        # What belongs to the run alone.
        mine = Ledger()
        mine.add(name)
        mine.register()  # error: PST205
        note(mine)
        own: dict[str, str] = {}
        put(own, name)
        copied = list(self.shared)
        copied.append(name)
        record(self.shared)
        rows = await self.load()
        rows.append(name)
        self.ledger.of(0)
        await self._keep(name)
        return 0

    async def _keep(self, name: str) -> None:
        kept = self.shared
        kept.append(name)  # error: PST205

    def _note(self, lines: list[str]) -> None:
        lines.append("noted")

    @step
    async def load(self) -> list[str]:
        return []
