"""Flows that fail, and are run again."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

from persistasaurus import Retry, SignalTimeout, flow, parallel, signal, step, wait_for_signal

from .flows_failing import Declined, Flaky
from .machine import Outside


class OrderFailed(Exception):
    """The flow's own error."""


class FragileFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.has_bug = False

    @flow
    async def one_by_one(self) -> str:
        return ", ".join([await self.do("first"), await self.do("second"), await self.do("third")])

    @flow
    async def once_caught(self) -> str:
        try:
            await self.do("first")
        except Declined:
            await self.do("instead")
        return await self.do("second")

    @flow
    async def cleaning_up(self) -> str:
        try:
            done = await self.do("first")
        except Declined:
            await self.do("refund")
            raise
        finally:
            await self.do("sweep")
        return f"{done}, {await self.do('second')}"

    @flow
    async def side_by_side(self) -> str:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(self.do("first")), group.create_task(self.do("second"))
        return f"{first.result()}, {second.result()}"

    @flow
    async def patiently_side_by_side(self) -> str:
        outcomes = await asyncio.gather(self.do("first"), self.do("second"), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        return f"{outcomes}"

    @flow
    async def with_a_cause(self) -> str:
        try:
            return await self.do("first")
        except Declined as refusal:
            raise OrderFailed("not placed") from refusal

    @flow
    async def with_an_error_of_its_own(self) -> str:
        with contextlib.suppress(Declined):
            await self.do("first")
        if self.has_bug:
            raise ZeroDivisionError("a bug")
        return await self.do("second")

    @flow
    async def with_a_nap(self) -> str:
        nap = asyncio.ensure_future(asyncio.sleep(3600))
        first = await self.do("first")
        await nap
        return first

    @flow
    async def with_an_impatient_wait(self) -> str:
        told = asyncio.ensure_future(self.be_told_within_an_hour())
        first = await self.do("first")
        return f"{first}, {await told}"

    @flow
    async def with_a_delayed_step(self) -> str:
        async with asyncio.TaskGroup() as group:
            first, later = group.create_task(self.do("first")), group.create_task(self.do_later("later"))
        return f"{first.result()}, {later.result()}"

    @flow
    async def explained(self) -> str:
        try:
            await self.do("first")
        except Declined:
            await self.do(f"note {await wait_for_signal(self.tell)}")
            raise
        return await wait_for_signal(self.tell)

    @flow
    async def told_in_time(self) -> str:
        return await wait_for_signal(self.tell, timeout=timedelta(hours=1))

    @flow
    async def only_once(self) -> str:
        return await self.launch()

    @flow
    async def stubbornly(self) -> str:
        return await self.insist()

    async def be_told_within_an_hour(self) -> str:
        try:
            return await wait_for_signal(self.tell, timeout=timedelta(hours=1))
        except SignalTimeout:
            return "nobody told"

    @step(raises=(Declined,))
    async def do(self, name: str) -> str:
        await self.outside.visit(name)
        return f"{name} done"

    @step(delay=timedelta(hours=1))
    async def do_later(self, name: str) -> str:
        await self.outside.visit(name)
        return f"{name} done"

    @step(at_most_once=True, raises=(Declined,))
    async def launch(self) -> str:
        await self.outside.visit("launch")
        return "launched"

    @step(raises=(Flaky,), retry=Retry(max_attempts=2, initial=timedelta()))
    async def insist(self) -> str:
        await self.outside.visit("insist")
        return "granted"

    @signal
    async def tell(self, what: str) -> str:
        return f"told {what}"


class PlainFragileFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    def side_by_side(self) -> str:
        with parallel() as branches:
            first, second = branches.start(self.do, "first"), branches.start(self.do, "second")
        return f"{first.result()}, {second.result()}"

    @flow
    def cleaning_up(self) -> str:
        try:
            done = self.do("first")
        except Declined:
            self.do("refund")
            raise
        return f"{done}, {self.do('second')}"

    @step(raises=(Declined,))
    def do(self, name: str) -> str:
        self.outside.visit_plain(name)
        return f"{name} done"
