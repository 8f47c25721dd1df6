"""Flows with a defect each, which a crash brings to light, and some without."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from persistasaurus import Retry, SignalTimeout, flow, signal, step, wait_for_signal


class Refused(Exception): ...


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
