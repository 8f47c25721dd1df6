"""Flows whose bodies reach for what a flow loop does not have."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable

from persistasaurus import NotOnFlowLoop, flow, step


def take_a_nap() -> None:
    """Not a step."""


async def as_completed_over_coroutines(self: RefusedFlow) -> None:
    for each in asyncio.as_completed([self.fetch("a")]):
        await each


async def to_thread(self: RefusedFlow) -> None:
    await asyncio.to_thread(take_a_nap)


async def run_in_executor(self: RefusedFlow) -> None:
    await asyncio.get_running_loop().run_in_executor(None, take_a_nap)


async def call_soon_threadsafe(self: RefusedFlow) -> None:
    asyncio.get_running_loop().call_soon_threadsafe(take_a_nap)


async def run_coroutine_threadsafe(self: RefusedFlow) -> None:
    loop = asyncio.get_running_loop()
    refused: list[BaseException] = []

    def elsewhere() -> None:
        coroutine = self.fetch("a")
        try:
            asyncio.run_coroutine_threadsafe(coroutine, loop)
        except NotOnFlowLoop as error:
            coroutine.close()
            refused.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    raise refused[0]


async def open_connection(self: RefusedFlow) -> None:
    await asyncio.open_connection("localhost", 9)


async def start_server(self: RefusedFlow) -> None:
    await asyncio.start_server(lambda reader, writer: None, "localhost", 0)


async def resolve_a_name(self: RefusedFlow) -> None:
    await asyncio.get_running_loop().getaddrinfo("localhost", 9)


async def start_a_program(self: RefusedFlow) -> None:
    await asyncio.create_subprocess_exec("true")


async def run_a_shell(self: RefusedFlow) -> None:
    await asyncio.create_subprocess_shell("true")


async def watch_a_file(self: RefusedFlow) -> None:
    asyncio.get_running_loop().add_reader(0, take_a_nap)


async def handle_a_signal(self: RefusedFlow) -> None:
    asyncio.get_running_loop().add_signal_handler(15, take_a_nap)


async def start_a_task_eagerly(self: RefusedFlow) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_task(self.fetch("a"), eager_start=True)  # type: ignore[call-arg]  # there from 3.12 on


async def stop_the_loop(self: RefusedFlow) -> None:
    asyncio.get_running_loop().stop()


async def run_until_complete(self: RefusedFlow) -> None:
    asyncio.get_running_loop().run_until_complete(asyncio.get_running_loop().create_future())


ATTEMPTS: dict[str, Callable[[RefusedFlow], Awaitable[None]]] = {
    each.__name__: each
    for each in (
        as_completed_over_coroutines,
        to_thread,
        run_in_executor,
        call_soon_threadsafe,
        run_coroutine_threadsafe,
        open_connection,
        start_server,
        resolve_a_name,
        start_a_program,
        run_a_shell,
        watch_a_file,
        handle_a_signal,
        start_a_task_eagerly,
        stop_the_loop,
        run_until_complete,
    )
}


class RefusedFlow:
    @flow
    async def attempt(self, what: str) -> str:
        try:
            await ATTEMPTS[what](self)  # persistc: allow[PST204, PST208] the refusals are the test
        except NotOnFlowLoop as error:
            return f"refused: {error}; then {await self.fetch('b')}"
        return "was let through"

    @flow
    async def leaves_it_uncaught(self) -> str:
        await asyncio.to_thread(take_a_nap)  # persistc: allow[PST208] the refusal is the test
        return "was let through"

    @step
    async def fetch(self, name: str) -> str:
        return name.upper()
