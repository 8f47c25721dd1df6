"""A flow of many small bodies, and what each of them feels of the others."""

from __future__ import annotations

import asyncio
from contextvars import ContextVar

from persistasaurus import StepFailed, flow, step

from .machine import Outside

customer: ContextVar[str] = ContextVar("customer", default="nobody")


class BodiesFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def read_and_write(self) -> list[str]:
        first = await asyncio.gather(self.greet("alice"), self.greet("bob"))
        return [*first, await self.read()]

    @flow
    async def after_a_stop(self) -> list[str]:
        stopped = asyncio.ensure_future(self.wait_for_ever())
        await self.outside_is_reached()
        stopped.cancel()
        await asyncio.wait([stopped])
        felt = [await self.run_out_of_time() for _ in range(3)]
        for _ in range(3):
            try:
                await self.cancel_unasked()
            except StepFailed as failure:
                felt.append(failure.type_name)
        return felt

    @flow
    async def after_a_body_that_cancels_its_task(self, how: str) -> list[str]:
        felt = [await self.cancel_task(how)]
        return [*felt, *await asyncio.gather(self.wait_a_little(), self.wait_a_little())]

    @flow
    async def cancelled_by_itself(self) -> str:
        try:
            return await self.cancel_task("and wait")
        except StepFailed as failure:
            return failure.type_name

    @step
    async def greet(self, name: str) -> str:
        before = customer.get()
        customer.set(name)
        await self.outside.visit("greet")
        return f"{before}, then {customer.get()}"

    @step
    async def read(self) -> str:
        return customer.get()

    @step
    async def wait_for_ever(self) -> None:
        await self.outside.visit("wait for ever")

    @step
    async def outside_is_reached(self) -> None:
        await self.outside.arrived("wait for ever")

    @step
    async def run_out_of_time(self) -> str:
        try:
            async with asyncio.timeout(0):
                await asyncio.get_running_loop().create_future()
        except TimeoutError:
            return "out of time"
        return "never"

    @step
    async def cancel_unasked(self) -> None:
        raise asyncio.CancelledError

    @step
    async def cancel_task(self, how: str) -> str:
        task = asyncio.current_task()
        assert task is not None
        if how == "later":
            asyncio.get_running_loop().call_soon(task.cancel)
        else:
            task.cancel()
        if how == "and wait":
            await asyncio.sleep(0)
        return "ended"

    @step
    async def wait_a_little(self) -> str:
        for _ in range(5):
            await asyncio.sleep(0)
        return "untroubled"
