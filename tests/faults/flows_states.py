"""Flows for every state a log can hold one in. In their first life some bodies refuse, and some never end."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from uuid import UUID

from persistasaurus import Retry, flow, parallel, signal, sleep, step, step_info, wait_for_signal
from tests.crash.flows_trips import Ledger

SOON = 30
"""Seconds that are over in the first life already."""
LATER = 3600
"""Seconds that are over between the first life and the next."""
MUCH_LATER = 30 * 24 * 3600
"""Seconds that are not over in any life."""


class Colour(Enum):
    RED = "red"


@dataclass(frozen=True)
class Parcel:
    """A value of many types."""

    number: int
    price: Decimal
    packed_at: datetime
    within: timedelta
    colour: Colour
    marks: frozenset[str]
    key: UUID
    place: Path
    notes: dict[str, list[float]]


PARCEL = Parcel(
    number=7,
    price=Decimal("12.50"),
    packed_at=datetime(2025, 1, 1, 12, 30, 0, 5, tzinfo=UTC),
    within=timedelta(days=2, microseconds=3),
    colour=Colour.RED,
    marks=frozenset({"fragile"}),
    key=UUID(int=5),
    place=Path("shelf") / "ü",
    notes={"weights": [0.1, 2.0]},
)


class Declined(Exception):
    """A step says no."""

    def __init__(self, what: str, code: int) -> None:
        super().__init__(what, code)
        self.code = code


class LineBroken(ConnectionError):
    """What no flow class lists."""


class Outside:
    """The world outside of flows.

    Args:
        ledger: Where bodies leave their traces.
        first: Whether this is the life in which bodies refuse, or never end.
    """

    def __init__(self, ledger: Ledger, *, first: bool) -> None:
        self._ledger = ledger
        self._first = first

    def enter(self, name: str) -> bool:
        """Note that a body begins; returns whether it is one that never ends."""
        self._ledger.note(f"{step_info().flow_id} {step_info().step} {name}")
        return self._first and name.startswith("held")

    def refuses(self) -> bool:
        """Whether bodies that refuse do so now."""
        return self._first


class StatesFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    # -- over in their first life ----------------------------------------

    @flow
    async def completes(self, parcel: Parcel) -> Parcel:
        return await self.carry(parcel)

    @flow
    async def fails(self) -> str:
        first = await self.work("first")
        return f"{first}, {await self.refuse('paper')}"

    @flow
    async def fails_unlisted(self) -> str:
        return await self.call()

    @flow
    async def fails_in_a_group(self) -> str:
        async with asyncio.TaskGroup() as group:
            one = group.create_task(self.work("one"))
            other = group.create_task(self.refuse("paper"))
        return f"{one.result()}, {other.result()}"

    # -- waiting ----------------------------------------

    @flow
    async def asks(self) -> str:
        first = await self.work("first")
        answer = await wait_for_signal(self.answered)
        return f"{first}, {answer}, {await self.work('last')}"

    @flow
    async def asks_in_vain(self) -> str:
        try:
            answer = await wait_for_signal(self.answered, timeout=timedelta(seconds=LATER))
        except TimeoutError:
            answer = "no answer"
        return f"{answer}, {await self.work('last')}"

    @flow
    async def sleeps(self) -> str:
        first = await self.work("first")
        await asyncio.sleep(LATER)
        return f"{first}, {await self.work('last')}"

    @flow
    async def puts_off(self) -> str:
        return await self.work_later("last")

    @flow
    async def tries_again(self) -> str:
        return await self.connect()

    # -- in the middle of a step ----------------------------------------

    @flow
    async def is_cut_off(self, parcel: Parcel) -> str:
        same = await self.carry(parcel) == parcel
        try:
            await self.refuse("paper")
        except Declined as error:
            caught = f"{error.args}, {error.code}"
        return f"{same}, {caught}, {await self.work('held')}, {await self.work('last')}"

    @flow
    async def is_cut_off_behind_a_caught_group(self) -> str:
        caught: list[str] = []
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.work("one"))
                group.create_task(self.refuse("paper"))
        except* Declined as group_of_errors:
            caught += map(repr, group_of_errors.exceptions)
        return f"{caught}, {await self.work('held')}"

    @flow
    async def gathers(self) -> str:
        results = await asyncio.gather(
            self.work("quick"), self.work("held one"), self.refuse("paper"), self.work("held two"),
            return_exceptions=True,
        )  # fmt: skip
        return f"{results}, {await self.work('last')}"

    @flow
    async def groups(self) -> str:
        async def branch(name: str) -> str:
            return f"{await self.work(f'quick {name}')} and {await self.work(f'held {name}')}"

        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(branch(name)) for name in ("one", "two")]
        return f"{[task.result() for task in tasks]}, {await self.work('last')}"

    @flow
    async def takes_the_first(self) -> str:
        tasks = [asyncio.create_task(self.work(name), name=name) for name in ("held one", "quick", "held two")]
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        names = sorted(task.get_name() for task in done)
        for task in pending:
            await task
        return f"{names} first"

    @flow
    async def hands_on(self) -> str:
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        lock = asyncio.Lock()

        async def give() -> None:
            for name in ("quick", "held"):
                async with lock:
                    await queue.put(await self.work(name))

        async def take() -> list[str]:
            return [await self.work(f"{await queue.get()} again") for _ in range(2)]

        async with asyncio.TaskGroup() as group:
            group.create_task(give())
            taken = group.create_task(take())
        return str(taken.result())

    # -- with a limit of time ----------------------------------------

    @flow
    async def has_time(self) -> str:
        async with asyncio.timeout(MUCH_LATER):
            return f"{await self.work('quick')}, {await self.work('held')}"

    @flow
    async def runs_out_of_time(self) -> str:
        try:
            async with asyncio.timeout(LATER):
                return f"{await self.work('quick')}, {await self.work('held')}"
        except TimeoutError:
            return f"too late, {await self.work('last')}"

    @flow
    async def ran_out_of_time(self) -> str:
        try:
            async with asyncio.timeout(SOON):
                return await self.work("held for too long")
        except TimeoutError:
            return f"too late, {await self.work('held')}"

    @flow
    async def waits_for_one(self) -> str:
        return await asyncio.wait_for(self.work("held"), MUCH_LATER)

    @flow
    async def waited_for_one(self) -> str:
        first = await asyncio.wait_for(self.work("quick"), MUCH_LATER)
        return f"{first}, {await self.work('held')}"

    @flow
    async def waited_for_one_in_vain(self) -> str:
        try:
            return await asyncio.wait_for(self.work("held for too long"), SOON)
        except TimeoutError:
            return f"too late, {await self.work('held')}"

    @flow
    async def waits_for_one_in_vain(self) -> str:
        try:
            return await asyncio.wait_for(self.work("held"), LATER)
        except TimeoutError:
            return f"too late, {await self.work('last')}"

    @flow
    async def waits_for_two(self) -> str:
        results = await asyncio.gather(
            asyncio.wait_for(self.work("held one"), MUCH_LATER), asyncio.wait_for(self.work("held two"), MUCH_LATER)
        )
        return str(results)

    @flow
    async def waits_for_two_in_no_time(self) -> str:
        async def look(name: str) -> str:
            try:
                return await asyncio.wait_for(self.work(name), 0)
            except TimeoutError:
                return f"{name} is not there"

        return f"{await look('quick')}, {await look('quick')}, {await self.work('held')}"

    # -- calls ----------------------------------------

    @step
    async def work(self, name: str) -> str:
        if self.outside.enter(name):
            await asyncio.Event().wait()
        return f"{name} done"

    @step(delay=timedelta(seconds=LATER))
    async def work_later(self, name: str) -> str:
        self.outside.enter(name)
        return f"{name} done"

    @step
    async def carry(self, parcel: Parcel) -> Parcel:
        self.outside.enter("carry")
        return parcel

    @step(raises=(Declined,))
    async def refuse(self, what: str) -> str:
        self.outside.enter(f"refuse {what}")
        if self.outside.refuses():
            raise Declined(what, 3)
        return f"no objection to {what}"

    @step
    async def call(self) -> str:
        self.outside.enter("call")
        if self.outside.refuses():
            raise LineBroken("no line")
        return "called"

    @step(retry=Retry(max_attempts=2, initial=timedelta(seconds=LATER), maximum=timedelta(seconds=LATER)))
    async def connect(self) -> str:
        self.outside.enter("connect")
        if self.outside.refuses():
            raise LineBroken("no line")
        return f"connected at attempt {step_info().attempt}"

    @signal
    async def answered(self, text: str) -> str:
        self.outside.enter("answered")
        return f"answered {text}"


class PlainStatesFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    def completes_plainly(self) -> str:
        return self.work("only")

    @flow
    def asks_plainly(self) -> str:
        first = self.work("first")
        answer = wait_for_signal(self.answered)
        return f"{first}, {answer}, {self.work('last')}"

    @flow
    def sleeps_plainly(self) -> str:
        first = self.work("first")
        sleep(timedelta(seconds=LATER))
        return f"{first}, {self.work('last')}"

    @flow
    def is_cut_off_plainly(self) -> str:
        try:
            self.refuse("paper")
        except Declined as error:
            caught = f"{error.args}, {error.code}"
        return f"{caught}, {self.work('held')}"

    @flow
    def branches(self) -> str:
        with parallel() as branches:
            one = branches.start(self.works_twice, "one")
            two = branches.start(self.works_twice, "two")
        return f"{one.result()}, {two.result()}, {self.work('last')}"

    def works_twice(self, name: str) -> str:
        return f"{self.work(f'quick {name}')} and {self.work(f'held {name}')}"

    @step
    def work(self, name: str) -> str:
        if self.outside.enter(name):
            threading.Event().wait()
        return f"{name} done"

    @step(raises=(Declined,))
    def refuse(self, what: str) -> str:
        self.outside.enter(f"refuse {what}")
        if self.outside.refuses():
            raise Declined(what, 3)
        return f"no objection to {what}"

    @signal
    def answered(self, text: str) -> str:
        self.outside.enter("answered")
        return f"answered {text}"
