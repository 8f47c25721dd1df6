"""Flows that use asyncio as any program does; each ends with a step whose argument says what the flow has seen."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncGenerator

from persistasaurus import flow, signal, step, wait_for_signal

from .machine import Outside

current_customer: contextvars.ContextVar[str] = contextvars.ContextVar("current_customer", default="nobody")


class Declined(Exception):
    """What a step refuses with."""


class AsyncioFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    # -- many at a time ----------------------------------------

    @flow
    async def gathers(self, names: list[str]) -> str:
        return await self.finish(str(await asyncio.gather(*(self.fetch(name) for name in names))))

    @flow
    async def gathers_pairs(self, names: list[str]) -> str:
        async def pair(name: str) -> str:
            return await self.fetch(f"{name}1") + await self.fetch(f"{name}2")

        return await self.finish(str(await asyncio.gather(*(pair(name) for name in names))))

    @flow
    async def gathers_failures(self) -> str:
        results = await asyncio.gather(self.fetch("a"), self.refuse("b"), self.fetch("c"), return_exceptions=True)
        return await self.finish(str(results))

    @flow
    async def goes_on_after_a_gather_failed(self) -> str:
        other = asyncio.create_task(self.fetch("a"))
        try:
            await asyncio.gather(other, self.refuse("b"))
        except Declined as error:
            seen = f"{error}, other done: {other.done()}"
        return await self.finish(f"{seen}, then {await other}")

    @flow
    async def groups(self) -> str:
        seen: list[str] = []

        async def branch(name: str) -> None:
            try:
                await self.fetch(name)
                seen.append(f"{name} ended")
            except asyncio.CancelledError:
                seen.append(f"{name} cancelled")
                raise

        async def inner() -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(branch("c"))
                group.create_task(branch("d"))

        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(branch("a"))
                group.create_task(inner())
                group.create_task(self.refuse("b"))
        except* Declined as errors:
            seen.append(repr(errors.exceptions))
        return await self.finish(", ".join(seen))

    @flow
    async def takes_the_first(self, names: list[str]) -> str:
        tasks = {asyncio.create_task(self.fetch(name), name=name) for name in names}
        done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        await asyncio.wait(pending)
        cancelled = [task.get_name() for task in pending if task.cancelled()]
        return await self.finish(f"{[task.get_name() for task in done]} won, {cancelled} cancelled")

    @flow
    async def takes_as_completed(self, names: list[str]) -> str:
        tasks = [asyncio.create_task(self.fetch(name)) for name in names]
        return await self.finish(str([await each for each in asyncio.as_completed(tasks)]))

    @flow
    async def goes_on_while_a_branch_waits_for_a_signal(self) -> str:
        approval = asyncio.create_task(wait_for_signal(self.approved))
        seen = [await self.fetch("a"), await self.fetch("b"), f"waiting: {not approval.done()}"]
        return await self.finish(", ".join([*seen, await approval]))

    # -- limits of time ----------------------------------------

    @flow
    async def waits_for_at_most_a_minute(self) -> str:
        try:
            seen = await asyncio.wait_for(self.fetch("slow"), 60)
        except TimeoutError:
            seen = "too late"
        return await self.finish(seen)

    @flow
    async def has_a_minute_for_two(self) -> str:
        seen = ["nothing"]
        try:
            async with asyncio.timeout(60):
                seen = [await self.fetch("quick")]
                seen.append(await self.fetch("slow"))
        except TimeoutError:
            seen.append("too late")
        return await self.finish(", ".join(seen))

    @flow
    async def has_a_minute_from_the_first_step_on(self) -> str:
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self.fetch("quick")
        took = loop.time() - began
        until = loop.time() + 60
        try:
            async with asyncio.timeout_at(until):
                await self.fetch("slow")
        except TimeoutError:
            return await self.finish(f"after {took:.0f} s, then {loop.time() + 60 - until:.0f} s")
        return await self.finish("in time")

    @flow
    async def shields(self) -> str:
        seen = []
        task = asyncio.create_task(self.fetch("slow"))
        try:
            async with asyncio.timeout(60):
                await asyncio.shield(task)
        except TimeoutError:
            seen.append("too late")
        return await self.finish(", ".join([*seen, await task]))

    @flow
    async def naps(self, seconds: list[float]) -> str:
        loop = asyncio.get_running_loop()
        began = loop.time()

        async def nap(length: float) -> str:
            await asyncio.sleep(length)
            return f"{length:g} s after {loop.time() - began:g}"

        naps = [asyncio.create_task(nap(length)) for length in seconds]
        return await self.finish(", ".join([await each for each in asyncio.as_completed(naps)]))

    # -- asyncio's own tools ----------------------------------------

    @flow
    async def feeds_workers(self, names: list[str]) -> str:
        queue: asyncio.Queue[str] = asyncio.Queue(maxsize=1)
        seen: list[str] = []

        async def work(worker: int) -> None:
            while True:
                seen.append(f"{worker} {await self.fetch(await queue.get())}")
                queue.task_done()

        workers = [asyncio.create_task(work(number)) for number in (1, 2)]
        for name in names:
            await queue.put(name)
        await queue.join()
        for worker in workers:
            worker.cancel()
        return await self.finish(", ".join(seen))

    @flow
    async def waits_for_an_event(self) -> str:
        ready = asyncio.Event()

        async def follow(name: str) -> str:
            await ready.wait()
            return await self.fetch(name)

        followers = asyncio.gather(follow("a"), follow("b"))
        before = await self.fetch("first")
        ready.set()
        return await self.finish(str([before, *await followers]))

    @flow
    async def takes_turns(self, names: list[str], at_a_time: int) -> str:
        turns = asyncio.Lock() if at_a_time == 1 else asyncio.Semaphore(at_a_time)
        seen: list[str] = []

        async def take(name: str) -> None:
            async with turns:
                seen.append(f"+{name}")
                await self.fetch(name)
                seen.append(f"-{name}")

        await asyncio.gather(*(take(name) for name in names))
        return await self.finish(" ".join(seen))

    @flow
    async def generates(self) -> str:
        seen: list[str] = []

        async def fetched() -> AsyncGenerator[str, None]:
            try:
                for name in ("a", "b", "c"):
                    yield await self.fetch(name)
            finally:
                seen.append(await self.fetch("closing"))

        async for value in fetched():
            seen.append(value)
            if value == "B":
                break
        return await self.finish(" ".join(seen))

    @flow
    async def keeps_context(self) -> str:
        seen: list[str] = []

        async def serve(customer: str) -> None:
            current_customer.set(customer)
            await self.fetch(customer)
            seen.append(current_customer.get())

        await asyncio.gather(serve("a"), serve("b"))
        return await self.finish(" ".join([*seen, current_customer.get()]))

    # -- the end ----------------------------------------

    @flow
    async def leaves_tasks_over(self, names: list[str]) -> str:
        async def stay(name: str) -> None:
            try:
                await asyncio.Event().wait()
            finally:
                await self.fetch(f"clean {name}")

        kept = [asyncio.create_task(stay(name)) for name in names]
        await self.fetch("body")
        return f"ended with {len(kept)} left"

    @flow
    async def leaves_a_failing_task_over(self) -> str:
        kept = [asyncio.create_task(self.fetch("slow"))]
        await self.fetch("body")
        raise Declined(f"the body with {len(kept)} left")

    @flow
    async def waits_for_nothing(self) -> str:
        await self.fetch("a")
        await asyncio.get_running_loop().create_future()
        return "never"

    @flow
    async def catches_its_own_failure(self) -> str:
        try:
            await self.refuse("b")
        except Declined as error:
            return await self.finish(f"caught {error}")
        return "was not refused"

    @flow
    async def polls_meanwhile(self) -> str:
        async def poll() -> None:
            while True:
                await self.fetch("poll")
                await asyncio.sleep(1)

        polling = asyncio.create_task(poll())
        work = await self.fetch("work")
        polling.cancel()
        return work

    # -- steps ----------------------------------------

    @step
    async def fetch(self, name: str) -> str:
        await self.outside.visit(name)
        return name.upper()

    @step(raises=(Declined,))
    async def refuse(self, name: str) -> str:
        await self.outside.visit(name)
        raise Declined(name)

    @signal
    async def approved(self, by: str) -> str:
        return f"approved by {by}"

    @step
    async def finish(self, seen: str) -> str:
        await self.outside.visit("finish")
        return seen
