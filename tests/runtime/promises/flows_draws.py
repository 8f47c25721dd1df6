"""Flows that ask for the time and for random values, themselves and through what they call."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import flow, now, parallel, random, signal, sleep, step, uuid4, wait_for_signal

from .machine import Outside


class Declined(Exception):
    """What a step ends with."""


def drawn() -> str:
    """What flows and other code draw alike."""
    return f"{uuid4()} {random().random()} {random().sample(range(10), 3)} at {now().isoformat()}"


class DrawingFlow:
    def __init__(self, outside: Outside, *, draws_more: bool = False) -> None:
        self.outside = outside
        self.draws_more = draws_more
        self.met: list[str] = []

    @flow
    async def side_by_side(self) -> str:
        seen = [drawn(), drawn()]

        async def branch(name: str) -> None:
            seen.append(f"{name} {drawn()}")
            await self.fetch(name, drawn())
            seen.append(f"{name} {drawn()}")
            await asyncio.sleep(len(name))
            seen.append(f"{name} {drawn()}")

        await asyncio.gather(branch("north"), branch("southern"))
        seen.append(self.fetch_plainly("plain", drawn()))
        return await self.finish("\n".join([*seen, drawn()]))

    @flow
    def plainly(self) -> str:
        seen = [drawn()]

        def branch(name: str) -> str:
            value = f"{name} {drawn()} {self.fetch_plainly(name, drawn())} {drawn()}"
            sleep(timedelta(seconds=len(name)))
            return f"{value} {drawn()}"

        with parallel() as branches:
            started = [branches.start(branch, name) for name in ("north", "southern")]
            seen.append(drawn())
        seen += [each.result() for each in started]
        return self.finish_plainly("\n".join([*seen, drawn()]))

    @flow
    async def one_after_the_other(self) -> list[str]:
        seen = [str(uuid4())]
        if self.draws_more:
            uuid4()
        await self.fetch("north", "nothing that was drawn")
        seen.append(str(uuid4()))
        seen.append(await wait_for_signal(self.told))
        seen.append(str(uuid4()))
        return seen

    @flow
    async def fails_once(self) -> str:
        await self.note(f"before {uuid4()}")
        try:
            await self.charge()
        except Declined:
            await self.note(f"failed {uuid4()}")
            raise
        await self.note(f"charged {uuid4()}")
        return str(uuid4())

    @flow
    async def leaves_memory(self) -> str:
        try:
            return await wait_for_signal(self.told)
        finally:
            for ask in (now, uuid4, random):
                try:
                    ask()
                except BaseException as error:  # persistc: allow[PST209] it is what the test asks for
                    self.met.append(f"{ask.__name__}: {type(error).__name__}")  # persistc: allow[PST210] for the test

    @flow
    async def tells_the_time(self) -> list[str]:
        times = [now().isoformat()]
        times.append(await self.time_in_a_step())
        times.append(now().isoformat())
        await asyncio.sleep(60)
        return [*times, now().isoformat()]

    @step
    async def time_in_a_step(self) -> str:
        await self.outside.visit("clock")
        return now().isoformat()

    @step
    async def fetch(self, name: str, given: str) -> str:
        await self.outside.visit(name)
        return f"{name} with {given}"

    @step
    def fetch_plainly(self, name: str, given: str) -> str:
        self.outside.visit_plain(name)
        return f"{name} with {given}"

    @step(raises=(Declined,))
    async def charge(self) -> None:
        await self.outside.visit("charge")

    @step
    async def note(self, text: str) -> None:
        await self.outside.visit(text)

    @signal
    async def told(self, what: str) -> str:
        return what

    @step
    async def finish(self, seen: str) -> str:
        await self.outside.visit("finish")
        return seen

    @step
    def finish_plainly(self, seen: str) -> str:
        self.outside.visit_plain("finish")
        return seen
