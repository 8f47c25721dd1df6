"""Flows whose effects are called by operators, loops and definitions, or asked for by name."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime

from persistasaurus import flow, step

HITS: list[str] = []


@dataclass(eq=False)
class Money:
    amount: int

    def __add__(self, other: int) -> int:
        return self.amount + other + int(time.time())

    def __radd__(self, other: int) -> int:
        return int(time.time())

    def __eq__(self, other: object) -> bool:
        return random.random() > 1

    def __contains__(self, item: int) -> bool:
        return item > time.time()

    def __iter__(self) -> Iterator[float]:
        yield time.time()

    def __bool__(self) -> bool:
        return time.time() > 3

    def __str__(self) -> str:
        return str(time.time())

    def __getitem__(self, key: str) -> float:
        return time.time()

    def __setitem__(self, key: str, value: int) -> None:
        HITS.append(key)

    def __getattr__(self, name: str) -> float:
        return time.time()

    def __len__(self) -> int:
        return 3


@dataclass
class Plain:
    """What has operators that only compute is no finding."""

    amount: int

    def __add__(self, other: int) -> Plain:
        return Plain(self.amount + other)

    def __iter__(self) -> Iterator[int]:
        yield self.amount

    def __str__(self) -> str:
        return f"{self.amount}"


class SyntaxFlow:
    def __init__(self) -> None:
        self.out: list[int] = []

    @flow
    async def operate(self, money: Money, plain: Plain) -> int:
        total = money + 1  # error: PST201
        total = 1 + money  # error: PST201
        if money == 3:  # error: PST202
            total = 2
        if 3 in money:  # error: PST201
            total = 3
        if money:  # error: PST201
            total = 4
        while not money:  # error: PST201
            total = 5
        for _ in money:  # error: PST201
            total = 6
        kept = [each for each in money]  # error: PST201
        first, *rest = money  # error: PST201
        shown = f"{money}"  # error: PST201
        shown = str(money)  # error: PST201
        listed = list(money)  # error: PST201
        item = money["x"]  # error: PST201
        money["x"] = 3  # error: PST205
        made_up = money.rate  # error: PST201
        assert money  # error: PST201
        len(money)
        plain += 1
        total += sum(plain) + plain.amount
        return total + len(kept) + len(rest) + len(shown) + len(listed) + int(item + made_up + first)

    @flow
    async def define(self, when: datetime, names: list[str]) -> str:
        now = getattr(time, "time")()  # error: PST201
        clock = getattr(time, "monotonic")
        now += clock()  # error: PST201

        def local(at: float = time.time()) -> float:  # error: PST201
            return at

        class Settings:
            begun = time.time()  # error: PST201

            def later(self, at: float = time.monotonic()) -> float:  # error: PST201
                return at

        chosen = lambda at=time.time(): at  # error: PST201
        async with AsyncExitStack() as stack:
            stack.callback(self.out.append, 1)  # error: PST210
            await self.load(names)
        local_time = when.astimezone()  # error: PST203
        f = time.time
        doubled = [f.upper() for f in names]
        called = [f() for f in (local, chosen)]
        sorted(names, key=lambda f: f())
        return f"{now}{local_time}{doubled}{called}{f()}{Settings}"  # error: PST201

    @step
    async def load(self, names: list[str]) -> None: ...
