"""Flows that run random programs: a program is a tree of lists, and what the flow sees on the way is its trace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from datetime import timedelta
from typing import Any

from persistasaurus import Json, Retry, flow, now, parallel, random, signal, sleep, step, uuid4, wait_for_signal


class Declined(Exception):
    """What steps of programs fail with."""


class Broken(Exception):
    """What the flow code of programs fails with."""


Trace = list[str]


def drawn() -> str:
    """What flows see of time and chance."""
    return f"{uuid4()}, {random().random()} at {now().isoformat()}"


class ProgramFlow:
    """Interprets programs with asyncio's own building blocks."""

    def __init__(self, new_trace: Callable[[], Trace]) -> None:
        self.new_trace = new_trace

    @flow
    async def run(self, program: Json) -> str:
        trace = self.new_trace()  # persistc: allow[PST204] a list to which the run alone writes
        value = await self.node(program, trace)
        trace.append(f"end {value}")
        return f"{value} after {len(trace)} lines"

    async def node(self, node: Any, trace: Trace) -> Any:
        kind, *rest = node
        try:
            # persistc: allow[PST220] every method it may find is below, and is flow code like any other
            value = await getattr(self, f"do_{kind}")(trace, *rest)
        except BaseException as error:
            trace.append(f"{kind} raised {type(error).__name__}")
            raise
        trace.append(f"{kind} gave {value!r}")
        return value

    async def do_step(self, trace: Trace, name: str, fails: int, behaviour: str) -> Any:
        return await self.work(name, fails, behaviour)

    async def do_retried(self, trace: Trace, name: str, fails: int, behaviour: str) -> Any:
        return await self.retried(name, fails, behaviour)

    async def do_delayed(self, trace: Trace, name: str) -> Any:
        return await self.delayed(name, 0, "obeys")

    async def do_once(self, trace: Trace, name: str, behaviour: str) -> Any:
        return await self.once(name, 0, behaviour)

    async def do_plain(self, trace: Trace, name: str, fails: int) -> Any:
        return self.plain(name, fails, "obeys")

    async def do_thread(self, trace: Trace, name: str, fails: int) -> Any:
        return await asyncio.to_thread(self.plain, name, fails, "obeys")

    async def do_draw(self, trace: Trace) -> str:
        return drawn()

    async def do_sleep(self, trace: Trace, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def do_signal(self, trace: Trace, key: str, seconds: float | None) -> Any:
        timeout = None if seconds is None else timedelta(seconds=seconds)
        return await wait_for_signal(self.told, timeout=timeout, key=key)

    async def do_seq(self, trace: Trace, *nodes: Any) -> Any:
        value = None
        for node in nodes:
            value = await self.node(node, trace)
        return value

    async def do_raise(self, trace: Trace) -> None:
        raise Broken("the program says so")

    async def do_gather(self, trace: Trace, return_exceptions: bool, *nodes: Any) -> Any:
        values = await asyncio.gather(*(self.node(each, trace) for each in nodes), return_exceptions=return_exceptions)
        return [type(each).__name__ if isinstance(each, BaseException) else each for each in values]

    async def do_group(self, trace: Trace, *nodes: Any) -> Any:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self.node(each, trace)) for each in nodes]
        return [task.result() for task in tasks]

    async def do_wait(self, trace: Trace, until: str, seconds: float | None, keep: bool, *nodes: Any) -> Any:
        tasks = [asyncio.create_task(self.node(each, trace)) for each in nodes]
        done, pending = await asyncio.wait(tasks, timeout=seconds, return_when=until)
        trace.append(f"done {[tasks.index(task) for task in done]} pending {[tasks.index(task) for task in pending]}")
        if not keep:
            for task in pending:
                task.cancel()
        results = await asyncio.gather(*done, *pending, return_exceptions=True)
        return [type(each).__name__ if isinstance(each, BaseException) else each for each in results]

    async def do_timeout(self, trace: Trace, seconds: float, inner: Any) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await self.node(inner, trace)
        except TimeoutError:
            return "too late"

    async def do_timeout_at(self, trace: Trace, seconds: float, before: Any, inner: Any) -> Any:
        await self.node(before, trace)
        try:
            async with asyncio.timeout_at(asyncio.get_running_loop().time() + seconds):
                return await self.node(inner, trace)
        except TimeoutError:
            return "too late"

    async def do_wait_for(self, trace: Trace, seconds: float, inner: Any) -> Any:
        try:
            return await asyncio.wait_for(self.node(inner, trace), seconds)
        except TimeoutError:
            return "too late"

    async def do_shield(self, trace: Trace, seconds: float, inner: Any) -> Any:
        task = asyncio.create_task(self.node(inner, trace))
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.shield(task)
        except TimeoutError:
            return await task

    async def do_try(self, trace: Trace, inner: Any, handler: Any, final: Any) -> Any:
        try:
            return await self.node(inner, trace)
        except Exception as error:
            trace.append(f"caught {type(error).__name__}")
            return await self.node(handler, trace)
        finally:
            await self.node(final, trace)

    async def do_cancel(self, trace: Trace, first: Any, second: Any) -> Any:
        task = asyncio.create_task(self.node(first, trace))
        value = await self.node(second, trace)
        task.cancel()
        try:
            return [value, await task]
        except asyncio.CancelledError:
            return [value, "cancelled"]

    async def do_background(self, trace: Trace, first: Any, second: Any) -> Any:
        self.task_made(asyncio.create_task(self.node(first, trace)))
        return await self.node(second, trace)

    @staticmethod
    def task_made(task: asyncio.Task[Any]) -> None:
        task.add_done_callback(lambda each: each.cancelled() or each.exception())

    async def do_queue(self, trace: Trace, consumers: int, *nodes: Any) -> Any:
        queue: asyncio.Queue[Any] = asyncio.Queue(maxsize=2)
        seen: list[Any] = []

        async def consume(number: int) -> None:
            while (item := await queue.get()) is not None:
                seen.append([number, await self.node(item, trace)])

        async with asyncio.TaskGroup() as group:
            for number in range(consumers):
                group.create_task(consume(number))
            for each in nodes:
                await queue.put(each)
            for _ in range(consumers):
                await queue.put(None)
        return seen

    async def do_lock(self, trace: Trace, *nodes: Any) -> Any:
        lock = asyncio.Lock()
        order: list[int] = []

        async def one(number: int, node: Any) -> None:
            async with lock:
                await self.node(node, trace)
                order.append(number)

        await asyncio.gather(*(one(number, each) for number, each in enumerate(nodes)))
        return order

    async def do_semaphore(self, trace: Trace, width: int, *nodes: Any) -> Any:
        semaphore = asyncio.Semaphore(width)
        order: list[int] = []

        async def one(number: int, node: Any) -> None:
            async with semaphore:
                await self.node(node, trace)
                order.append(number)

        await asyncio.gather(*(one(number, each) for number, each in enumerate(nodes)))
        return order

    async def do_event(self, trace: Trace, first: Any, *nodes: Any) -> Any:
        event = asyncio.Event()

        async def one(node: Any) -> Any:
            await event.wait()
            return await self.node(node, trace)

        tasks = [asyncio.create_task(one(each)) for each in nodes]
        try:
            await self.node(first, trace)
        finally:
            event.set()
        return await asyncio.gather(*tasks)

    async def do_generator(self, trace: Trace, stop_after: int, *nodes: Any) -> Any:
        async def generate() -> AsyncGenerator[Any, None]:
            try:
                for each in nodes:
                    yield await self.node(each, trace)
            finally:
                trace.append("generator closed")
                await self.work("closing", 0, "obeys")

        seen: list[Any] = []
        async for value in generate():
            seen.append(value)
            if len(seen) > stop_after:
                break
        return seen

    async def do_completed(self, trace: Trace, *nodes: Any) -> Any:
        tasks = [asyncio.create_task(self.node(each, trace)) for each in nodes]
        return [await each for each in asyncio.as_completed(tasks)]

    @step(raises=(Declined,))
    async def work(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @step(retry=Retry(max_attempts=3, initial=timedelta(seconds=2)), raises=(Declined,))
    async def retried(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @step(delay=timedelta(seconds=5))
    async def delayed(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @step(at_most_once=True)
    async def once(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @step
    def plain(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @signal
    async def told(self, what: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")


class PlainProgramFlow:
    """Interprets programs in plain code, with branches."""

    def __init__(self, new_trace: Callable[[], Trace]) -> None:
        self.new_trace = new_trace

    @flow
    def run(self, program: Json) -> str:
        trace = self.new_trace()  # persistc: allow[PST204] a list to which the run alone writes
        value = self.node(program, trace)
        trace.append(f"end {value}")
        return f"{value} after {len(trace)} lines"

    def node(self, node: Any, trace: Trace) -> Any:
        kind, *rest = node
        try:
            # persistc: allow[PST220] every method it may find is below, and is flow code like any other
            value = getattr(self, f"do_{kind}")(trace, *rest)
        except BaseException as error:
            trace.append(f"{kind} raised {type(error).__name__}")
            raise
        trace.append(f"{kind} gave {value!r}")
        return value

    def do_step(self, trace: Trace, name: str, fails: int, behaviour: str) -> Any:
        return self.work(name, fails, behaviour)

    def do_retried(self, trace: Trace, name: str, fails: int, behaviour: str) -> Any:
        return self.retried(name, fails, behaviour)

    def do_delayed(self, trace: Trace, name: str) -> Any:
        return self.delayed(name, 0, "obeys")

    def do_once(self, trace: Trace, name: str, behaviour: str) -> Any:
        return self.once(name, 0, behaviour)

    def do_draw(self, trace: Trace) -> str:
        return drawn()

    def do_sleep(self, trace: Trace, seconds: float) -> None:
        sleep(timedelta(seconds=seconds))

    def do_signal(self, trace: Trace, key: str, seconds: float | None) -> Any:
        timeout = None if seconds is None else timedelta(seconds=seconds)
        return wait_for_signal(self.told, timeout=timeout, key=key)

    def do_seq(self, trace: Trace, *nodes: Any) -> Any:
        value = None
        for node in nodes:
            value = self.node(node, trace)
        return value

    def do_raise(self, trace: Trace) -> None:
        raise Broken("the program says so")

    def do_try(self, trace: Trace, inner: Any, handler: Any, final: Any) -> Any:
        try:
            return self.node(inner, trace)
        except Exception as error:
            trace.append(f"caught {type(error).__name__}")
            return self.node(handler, trace)
        finally:
            self.node(final, trace)

    def do_parallel(self, trace: Trace, early: bool, *nodes: Any) -> Any:
        with parallel() as branches:
            started = [branches.start(self.node, each, trace) for each in nodes]
            if early:
                trace.append(f"first branch gave {started[0].result()!r}")
        return [branch.result() for branch in started]

    @step(raises=(Declined,))
    def work(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @step(retry=Retry(max_attempts=3, initial=timedelta(seconds=2)), raises=(Declined,))
    def retried(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @step(delay=timedelta(seconds=5))
    def delayed(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @step(at_most_once=True)
    def once(self, name: str, fails: int, behaviour: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")

    @signal
    def told(self, what: str) -> str:
        raise NotImplementedError("the simulated world says what bodies do")
