"""One flow class in programs whose values have changed, each compiled as it would be."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "evolving_program"

SOURCE: Final = """
import asyncio
from dataclasses import dataclass

from persistasaurus import flow, signal, step, wait_for_signal
from tests.runtime.promises.machine import Outside


class Declined(Exception):
    def __init__(self, amount: int) -> None:
        super().__init__(amount)
        self.amount = amount


@dataclass(frozen=True)
class Line:
    name: str
    price: int


@dataclass(frozen=True)
class Order:
    customer: str
    lines: list[Line]


class EvolvingFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def keeps_a_result(self) -> Order:
        order = await self.fetch()
        said = await wait_for_signal(self.told)
        await self.note(order, said)
        return order

    @flow
    async def keeps_an_argument(self, order: Order) -> str:
        await self.note(order, "first")
        said = await wait_for_signal(self.told)
        await self.note(order, said)
        return said

    @flow
    async def reads_a_signal(self) -> Order:
        await asyncio.sleep(60)
        return await wait_for_signal(self.confirmed)

    @flow
    async def catches(self) -> str:
        try:
            await self.charge()
        except Declined as error:
            return f"{error!r} {error.amount} {await wait_for_signal(self.told)}"
        return "charged"

    @step
    async def fetch(self) -> Order:
        return Order("ann", [Line("book", 10), Line("pen", 2)])

    @step
    async def note(self, order: Order, said: str) -> None:
        await self.outside.visit(f"{said} {order}")

    @step(raises=(Declined,))
    async def charge(self) -> None:
        raise Declined(3)

    @signal
    async def told(self, what: str) -> str:
        return what

    @signal
    async def confirmed(self, order: Order) -> Order:
        await self.outside.visit("confirmed")
        return order
"""

WIDER: Final = (
    ("    price: int\n", "    price: float\n    note: str = 'none'\n    discount: int | None = None\n"),
    ("    customer: str\n", "    customer: str | int\n"),
    ("class Declined(Exception):\n", "class Declined(Exception):\n    currency = 'EUR'\n\n"),
    ("{error.amount} {await", "{error.amount} {error.currency} {await"),
)
"""A float for an int, fields with a default, a union with more members, an exception with another attribute."""

OTHER: Final = (("    price: int\n", "    price: list[int]\n"), ("10), ", "[10]), "), ("2)])", "[2])])"))
"""A list for an int."""


def compiled(folder: Path, *edits: tuple[str, str]) -> Any:
    """The generated module of the source with these edits; like a program, it has the same name in every version."""
    text = SOURCE
    for before, after in edits:
        assert before in text, before
        text = text.replace(before, after)
    place = folder / PACKAGE
    place.mkdir(parents=True)
    (place / "__init__.py").touch()
    (place / "flows.py").write_text(text)
    subprocess.run([sys.executable, "-m", "persistc", "generate", PACKAGE], cwd=folder, check=True, capture_output=True)
    sys.path.insert(0, str(folder))
    try:
        module: Any = importlib.import_module(f"{PACKAGE}.flows_durable")
        assert module.DurableEvolvingFlow.__persistasaurus__.digest  # of this program, while it is the one imported
    finally:
        sys.path.remove(str(folder))
        for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
            del sys.modules[name]
    return module
