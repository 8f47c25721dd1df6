"""Flows that note what they and their bodies are given."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict
from uuid import UUID

from persistasaurus import Json, OutcomeNotStorable, Retry, flow, step

from .machine import Outside


class Size(enum.StrEnum):
    SMALL = "small"
    LARGE = "large"


class Rank(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Point(NamedTuple):
    x: int
    y: float


class Label(TypedDict):
    text: str
    colour: Size


@dataclass(frozen=True)
class Money:
    amount: Decimal
    currency: Literal["EUR", "USD"]


@dataclass
class Line:
    name: str
    price: Money
    tags: set[str] = field(default_factory=set)


@dataclass
class Everything:
    line: Line
    lines: list[Line]
    size: Size
    rank: Rank
    amount: Decimal
    naive: datetime
    aware: datetime
    day: date
    clock: time
    span: timedelta
    number: UUID
    raw: bytes
    pair: tuple[int, str]
    many: tuple[float, ...]
    names: frozenset[str]
    point: Point
    label: Label
    maybe: int | None
    other: int | str
    nothing: None
    empty_list: list[int]
    empty_dict: dict[str, int]
    by_number: dict[int, str]
    large: int
    folder: Path
    any_json: Json


class ValuesFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.flow_saw: list[object] = []
        self.bodies_saw: list[object] = []
        self.kept: list[int] = []

    @flow
    async def pass_on(self, everything: Everything) -> Everything:
        # persistc: allow[PST205] the test compares what the flow sees, live and replayed
        self.flow_saw.append(everything)
        back = await self.echo(everything)
        self.flow_saw.append(back)  # persistc: allow[PST205] the test compares what the flow sees, live and replayed
        await self.pause()
        return back

    @flow
    async def lend_a_list(self) -> list[int]:
        numbers = [1]
        # persistc: allow[PST205] the test compares what the flow sees, live and replayed
        self.flow_saw.append(await self.change(numbers))
        # persistc: allow[PST205] the test compares what the flow sees, live and replayed
        self.flow_saw.append(list(numbers))
        await self.pause()
        return numbers

    @flow
    async def get_what_the_body_keeps(self) -> list[int]:
        numbers = await self.keep()
        await self.change_kept()
        # persistc: allow[PST205] the test compares what the flow sees, live and replayed
        self.flow_saw.append(list(numbers))
        await self.pause()
        return numbers

    @flow
    async def read_declared_types(self) -> None:
        # persistc: allow[PST205] the test compares what the flow sees, live and replayed
        self.flow_saw.append(await self.floats())
        await self.pause()

    @flow
    async def leave_out(self, when: datetime, price: Decimal = Decimal("1.50"), note: str | None = None) -> None:
        # persistc: allow[PST205] the test compares what the flow sees, live and replayed
        self.flow_saw.append((when, price, note))
        await self.book(when)
        await self.book(when, rate=Decimal("0.10"))
        await self.book(when, note="n", rate=Decimal("0.10"))
        await self.pause()

    @flow
    async def survive_nan(self) -> str:
        try:
            await self.measure()
        except OutcomeNotStorable as error:
            # persistc: allow[PST205] the test compares what the flow sees, live and replayed
            self.flow_saw.append(str(error))
        await self.pause()
        return "survived"

    @flow
    async def return_nan(self) -> float:
        await self.pause()
        return float("nan")

    @step
    async def echo(self, everything: Everything) -> Everything:
        self.bodies_saw.append(everything)
        return everything

    @step(retry=Retry(max_attempts=3, initial=timedelta()))
    async def change(self, numbers: list[int]) -> list[int]:
        self.bodies_saw.append(list(numbers))
        numbers.append(2)
        await self.outside.visit("change")
        return numbers

    @step
    async def keep(self) -> list[int]:
        self.kept = [1]
        return self.kept

    @step
    async def change_kept(self) -> None:
        self.kept.append(2)

    @step
    async def floats(self) -> Sequence[float]:
        return [1, 2.5]

    @step
    async def book(
        self, when: datetime, price: Decimal = Decimal("1.50"), note: str | None = None, *, rate: Decimal | None = None
    ) -> None:
        self.bodies_saw.append((when, price, note, rate))

    @step(retry=Retry(max_attempts=5, initial=timedelta()))
    async def measure(self) -> float:
        await self.outside.visit("measure")
        return float("nan")

    @step
    async def pause(self) -> None:
        await self.outside.visit("pause")
