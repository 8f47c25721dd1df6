"""Flows with a defect each, which a crash brings to light, and some without."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

from persistasaurus import (
    Retry,
    SignalTimeout,
    flow,
    now,
    random,
    signal,
    step,
    stored_as,
    uuid4,
    wait_for_signal,
)


class Refused(Exception): ...


class Coins:
    """Equal to others of the same count; it shows itself by its address."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Coins) and other.count == self.count

    def __hash__(self) -> int:
        return hash(self.count)


def slowly(name: str) -> str:
    """What a thread takes longer for than an event loop needs to run out of things to do."""
    time.sleep(0.005)
    return name


Money = Annotated[Coins, stored_as(lambda coins: coins.count, Coins)]


class PlantedFlow:
    """Its doubles tell what they did, and make up numbers."""

    def __init__(self, effects: list[str], number: Callable[[], int]) -> None:
        self.effects = effects
        self.number = number

    @flow
    async def sound(self, names: list[str]) -> list[int]:
        """Greet everybody, though greeting gives another number each time."""
        return [await self.greet(name) for name in names]

    @flow
    async def asks_for_something_else(self, name: str) -> int:
        """Greet with a number that is another one each time."""
        number = self.number()  # persistc: allow[PST204] the defect that is planted
        return await self.greet(f"{name} {number}")

    @flow
    async def comes_to_something_else(self, name: str) -> int:
        """Greet, and return a number that is another one each time."""
        await self.greet(name)
        return self.number()  # persistc: allow[PST204] the defect that is planted

    @flow
    async def does_it_outside_of_steps(self, name: str) -> int:
        """Do something without a record."""
        self.effects.append(f"note {name}")  # persistc: allow[PST205] planted: a test has to find it
        return await self.greet(name)

    @flow
    async def looks_at_time_and_chance(self, name: str) -> tuple[datetime, UUID, float]:
        """Ask twice, and return what the clock and chance gave."""
        await self.ask(name, 0)
        await self.ask(name, 0)
        return now(), uuid4(), random().random()

    @flow
    async def steered_by_time(self, name: str) -> int:
        """Ask until a second is over."""
        start, count = now(), 0
        while now() - start < timedelta(seconds=1):
            await self.ask(name, 0.3)
            count += 1
        return count

    @flow
    async def prices(self, names: list[str]) -> Money:
        """What has an equal, but shows itself by its address."""
        return Coins(sum([await self.greet(name) for name in names]))

    @flow
    async def asks_for_five_seconds(self, seconds: float | None) -> str:
        """Ask somebody who takes some time to answer, or never does."""
        try:
            async with asyncio.timeout(5):
                return await self.ask("Ada", seconds)
        except TimeoutError:
            return await self.ask("Bob", 0)

    @flow
    async def asks_on_a_thread(self, name: str) -> str:
        """Ask somebody on a thread who answers at once, within an hour."""
        async with asyncio.timeout(3600):
            return await self.ask_on_a_thread(name)

    @flow
    async def asks_a_plain_step(self, name: str) -> str:
        """Ask somebody, in a plain step, within an hour."""
        async with asyncio.timeout(3600):
            return await asyncio.to_thread(self.ask_plainly, name)

    @flow
    async def asks_for_ever(self, name: str) -> str:
        """Ask somebody who never answers, without a limit."""
        return await self.ask(name, None)

    @flow
    async def fails(self, name: str) -> int:
        """Greet, and refuse."""
        await self.greet(name)
        raise Refused(name)

    @flow
    async def waits(self, name: str) -> str:
        """Greet late, after failures, and wait for two answers and one that never comes."""
        await self.greet_late(name)
        answers = [await wait_for_signal(self.answer), await wait_for_signal(self.answer)]
        try:
            await wait_for_signal(self.answer, timeout=timedelta(days=30))
        except SignalTimeout:
            answers.append("silence")
        return ", ".join(answers)

    @step
    async def greet(self, name: str) -> int:
        self.effects.append(f"greet {name}")
        return self.number()

    @step
    async def ask(self, name: str, seconds: float | None) -> str:
        if seconds is None:
            await asyncio.Event().wait()
        else:
            await asyncio.sleep(seconds)
        return f"{name} after {seconds} s"

    @step
    async def ask_on_a_thread(self, name: str) -> str:
        answered: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def answer() -> None:
            answered.get_loop().call_soon_threadsafe(answered.set_result, slowly(name))

        threading.Thread(target=answer).start()
        return await asyncio.to_thread(slowly, await answered)

    @step
    def ask_plainly(self, name: str) -> str:
        return slowly(name)

    @step(delay=timedelta(days=1), retry=Retry(max_attempts=3, initial=timedelta(minutes=1)))
    async def greet_late(self, name: str) -> None:
        self.effects.append(f"greet {name}")
        if self.number() < 3:
            raise Refused(name)

    @signal
    async def answer(self, text: str) -> str:
        return text


class PlantedPlainFlow:
    def __init__(self, effects: list[str]) -> None:
        self.effects = effects

    @flow
    def sound(self, names: list[str]) -> int:
        """Greet everybody on threads."""
        return sum(self.greet(name) for name in names)

    @flow
    def does_it_outside_of_steps(self, name: str) -> int:
        """Do something without a record."""
        self.effects.append(f"note {name}")  # persistc: allow[PST205] planted: a test has to find it
        return self.greet(name)

    @step
    def greet(self, name: str) -> int:
        self.effects.append(f"greet {name}")
        return len(name)
