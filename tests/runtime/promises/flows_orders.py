"""Orders: steps one after the other, in an async and in a plain flow."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import StepInterrupted, flow, parallel, step, step_info

from .machine import Outside


class OrderFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def place(self, order: str, express: bool = False) -> str:
        reserved = await self.reserve(order)
        charged = await self.charge(order)
        shipped = await self.ship(order)
        return f"{reserved}, {charged}, {shipped}"

    @flow
    async def remind(self, order: str) -> None:
        await self.note(order)

    @step
    async def reserve(self, order: str) -> str:
        await self.outside.visit("reserve")
        return f"{order} reserved"

    @step
    async def charge(self, order: str) -> str:
        await self.outside.visit("charge")
        return f"{order} charged"

    @step
    async def ship(self, order: str) -> str:
        await self.outside.visit("ship")
        return f"{order} shipped"

    @step
    async def note(self, order: str) -> None:
        await self.outside.visit(f"note {order}")


class PlainOrderFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    def place(self, order: str) -> str:
        reserved = self.reserve(order)
        charged = self.charge(order)
        shipped = self.ship(order)
        return f"{reserved}, {charged}, {shipped}"

    @step
    def reserve(self, order: str) -> str:
        self.outside.visit_plain("reserve")
        return f"{order} reserved"

    @step
    def charge(self, order: str) -> str:
        self.outside.visit_plain("charge")
        return f"{order} charged"

    @step
    def ship(self, order: str) -> str:
        self.outside.visit_plain("ship")
        return f"{order} shipped"


class KeyFlow:
    """Its bodies note what they are told about themselves."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.keys: list[tuple[str, int, int, str]] = []

    @flow
    async def act_twice(self) -> None:
        await self.first()
        await self.second()

    @step
    async def first(self) -> None:
        self._note("first")
        await self.outside.visit("first")

    @step
    async def second(self) -> None:
        self._note("second")
        await self.outside.visit("second")

    def _note(self, name: str) -> None:
        info = step_info()
        self.keys.append((name, info.step, info.attempt, info.idempotency_key))


class RocketFlow:
    """What it launches cannot be launched twice."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def launch_and_look(self) -> str:
        try:
            return await self.launch()
        except StepInterrupted:
            return await self.look()

    @flow
    async def just_launch(self) -> str:
        return await self.launch()

    @flow
    async def launch_tomorrow(self) -> str:
        return await self.delayed_launch()

    @step(at_most_once=True)
    async def launch(self) -> str:
        await self.outside.visit("launch")
        return "launched"

    @step(at_most_once=True, delay=timedelta(days=1))
    async def delayed_launch(self) -> str:
        await self.outside.visit("launch")
        return "launched"

    @step
    async def look(self) -> str:
        await self.outside.visit("look")
        return "nobody knows"


class RaceFlow:
    """Does not wait for everything it began."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def race(self, loser: str = "slow") -> str:
        slow = asyncio.ensure_future(self.run(loser))
        fast = await self.run("fast")
        slow.cancel()
        last = await self.run("last")
        await asyncio.wait([slow])
        return f"{fast}, {last}, {'slow given up' if slow.cancelled() else slow.result()}"

    @flow
    async def run_in_turns(self, names: list[str]) -> list[list[str]]:
        """Which branches had ended, each time any had."""
        running = {asyncio.ensure_future(self.run(name)) for name in names}
        ended = []
        while running:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            ended.append([task.result() for task in done])
        return ended

    @step
    async def run(self, name: str) -> str:
        try:
            await self.outside.visit(name)
        except asyncio.CancelledError:
            self.outside.seen.append(f"{name} asked to stop")
            if name == "stubborn":
                return "stubborn to the end"
            raise
        return name


class MaybeFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def look_twice(self) -> str:
        first = await self.look("first")
        second = await self.look("second")
        return f"{first} {second}"

    @step
    async def look(self, name: str) -> str | None:
        await self.outside.visit(name)
        return None


class ShipmentFlow:
    """Branches of several steps, side by side."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def ship_all(self, names: list[str]) -> list[str]:
        return await asyncio.gather(*(self.ship_one(name) for name in names))

    async def ship_one(self, name: str) -> str:
        label = await self.print_label(name)
        return await self.hand_over(name, label)

    @step
    async def print_label(self, name: str) -> str:
        await self.outside.visit(f"print {name}")
        return f"label of {name}"

    @step
    async def hand_over(self, name: str, label: str) -> str:
        await self.outside.visit(f"hand over {name}")
        return f"{name} with the {label}"


class PlainShipmentFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    def ship_all(self, names: list[str]) -> list[str]:
        with parallel() as branches:
            shipped = [branches.start(self.ship_one, name) for name in names]
        return [branch.result() for branch in shipped]

    def ship_one(self, name: str) -> str:
        label = self.print_label(name)
        return self.hand_over(name, label)

    @step
    def print_label(self, name: str) -> str:
        self.outside.visit_plain(f"print {name}")
        return f"label of {name}"

    @step
    def hand_over(self, name: str, label: str) -> str:
        self.outside.visit_plain(f"hand over {name}")
        return f"{name} with the {label}"
