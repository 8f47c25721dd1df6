"""Flows that do all they can while they are thrown out of memory."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

from persistasaurus import flow, parallel, signal, step, wait_for_signal

from .machine import Outside


class StubbornFlow:
    """Every flow waits to be told, and must end with what it was told and what it cleaned up, each once."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def cleans_up_in_finally(self) -> str:
        try:
            told = await wait_for_signal(self.told)
        finally:
            cleaned = await self.clean("finally")
        return f"{told}, {cleaned}"

    @flow
    async def catches_everything(self) -> str:
        told = "nothing"
        try:
            told = await wait_for_signal(self.told)
        except BaseException as error:
            await self.clean(f"after {type(error).__name__}")
            raise
        return f"{told}, {await self.clean('at the end')}"

    @flow
    async def swallows_everything(self) -> str:
        while True:
            try:
                return f"{await wait_for_signal(self.told)}, {await self.clean('at the end')}"
            except BaseException:  # persistc: allow[PST209] the test proves that the flow is evicted all the same
                await asyncio.sleep(0)

    @flow
    async def swallows_everything_and_never_waits(self) -> str:
        while True:
            try:
                return f"{await wait_for_signal(self.told)}, {await self.clean('at the end')}"
            except BaseException:  # persistc: allow[PST209] the test proves that the flow is evicted all the same
                continue

    @flow
    async def swallows_everything_and_sleeps(self) -> str:
        while True:
            try:
                await asyncio.sleep(3600)
                return f"{await wait_for_signal(self.told)}, {await self.clean('at the end')}"
            except BaseException:  # persistc: allow[PST209] the test proves that the flow is evicted all the same
                continue

    @flow
    async def swallows_everything_round_a_plain_step(self) -> str:
        while True:
            try:
                cleaned = self.clean_later("later")
                return f"{await wait_for_signal(self.told)}, {cleaned}"
            except BaseException:  # persistc: allow[PST209] the test proves that the flow is evicted all the same
                continue

    @flow
    async def waits_in_finally(self) -> str:
        try:
            told = await wait_for_signal(self.told)
        finally:
            await asyncio.sleep(1)
            cleaned = await self.clean("after a sleep")
        return f"{told}, {cleaned}"

    @flow
    async def groups(self) -> str:
        async def guard(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await self.clean(name)

        told = ""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(guard("a"))
                group.create_task(guard("b"))
                told = await wait_for_signal(self.told)
                raise LookupError("enough")
        except* LookupError:
            pass
        return f"{told}, {await self.clean('at the end')}"

    @flow
    async def gathers_more_in_finally(self) -> str:
        try:
            told = await wait_for_signal(self.told)
        finally:
            both = await asyncio.gather(self.clean("a"), self.clean("b"))
        return f"{told}, {' '.join(both)}"

    @flow
    async def limits_its_time(self) -> str:
        try:
            async with asyncio.timeout(3600):
                told = await wait_for_signal(self.told)
        finally:
            async with asyncio.timeout(60):
                cleaned = await self.clean("within a minute")
        return f"{told}, {cleaned}"

    @flow
    async def generates(self) -> str:
        async def told() -> AsyncGenerator[str, None]:
            try:
                yield "begun"
                yield await wait_for_signal(self.told)
            finally:
                await self.clean("generator")

        seen = [each async for each in told()]
        return f"{', '.join(seen)}, {await self.clean('at the end')}"

    @flow
    async def keeps_a_generator_open(self) -> str:
        async def numbers() -> AsyncGenerator[int, None]:
            try:
                for number in range(10):
                    yield number
            finally:
                await self.clean("generator")

        generator = numbers()
        first = await anext(generator)
        told = await wait_for_signal(self.told)
        second = await anext(generator)
        await generator.aclose()
        return f"{told}, {first}, {second}"

    @flow
    async def enters_a_context(self) -> str:
        @asynccontextmanager
        async def reserved() -> AsyncGenerator[str, None]:
            room = await self.clean("before")
            try:
                yield room
            finally:
                await self.clean("after")

        async with reserved() as room:
            told = await wait_for_signal(self.told)
        return f"{told}, {room}"

    @flow
    async def is_part_of_a_cycle(self) -> str:
        me: list[object] = []
        me.append(me)  # only garbage collection gets at it

        async def guard() -> None:
            me.append(asyncio.current_task())
            try:
                await asyncio.Event().wait()
            finally:
                await self.clean("cycle")

        task = asyncio.create_task(guard())
        told = await wait_for_signal(self.told)
        task.cancel()
        await asyncio.wait([task])
        return f"{told}, {await self.clean('at the end')}"

    @flow
    async def delays_a_plain_step(self) -> str:
        try:
            cleaned = self.clean_later("later")  # the flow waits for it with all its branches
        finally:
            await self.clean("finally")
        return f"{await wait_for_signal(self.told)}, {cleaned}"

    @flow
    def cleans_up_in_plain_code(self) -> str:
        try:
            told = wait_for_signal(self.told_plainly)
        finally:
            cleaned = self.clean_plainly("finally")
        return f"{told}, {cleaned}"

    @flow
    def swallows_everything_in_plain_code(self) -> str:
        while True:
            try:
                return f"{wait_for_signal(self.told_plainly)}, {self.clean_plainly('at the end')}"
            except BaseException:  # persistc: allow[PST209] the test proves that the flow is evicted all the same
                continue

    @flow
    def branches_in_plain_code(self) -> str:
        def guard() -> str:
            try:
                return wait_for_signal(self.told_plainly)
            finally:
                self.clean_plainly("branch")

        with parallel() as branches:
            branch = branches.start(guard)
        return f"{branch.result()}, {self.clean_plainly('at the end')}"

    @step
    async def clean(self, what: str) -> str:
        await self.outside.visit(f"clean {what}")
        return f"cleaned {what}"

    @step
    def clean_plainly(self, what: str) -> str:
        self.outside.visit_plain(f"clean {what}")
        return f"cleaned {what}"

    @step(delay=timedelta(hours=1))
    def clean_later(self, what: str) -> str:
        self.outside.visit_plain(f"clean {what}")
        return f"cleaned {what}"

    @signal
    async def told(self, what: str) -> str:
        return what

    @signal
    def told_plainly(self, what: str) -> str:
        return what


class Bystander:
    """A flow that runs while others are thrown out; it collects garbage wherever it can."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def walks_by(self, steps: int) -> int:
        total = 0
        for number in range(steps):
            gc.collect()
            total += await self.count(number)
            gc.collect()
        return total

    @step
    async def count(self, number: int) -> int:
        gc.collect()
        return number
