"""Flows and steps that call steps where one might, and, given as a function, where the compiler would not let them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from persistasaurus import StepOutsideFlow, flow, signal, step

from .flows_parts_durable import DurablePartsFlow
from .machine import Outside

Body = Callable[["ElsewhereFlow"], Coroutine[Any, Any, str]]


class ElsewhereFlow:
    def __init__(self, outside: Outside, parts: DurablePartsFlow, body: Body | None = None) -> None:
        self.outside = outside
        self.parts = parts
        self.body = body

    @flow
    async def calls_steps_of_another_proxy(self) -> str:
        return f"{await self.fetch('own')}, {await self.parts.fetch_part('foreign')}"

    @flow
    async def calls_a_step_that_calls_steps(self) -> str:
        return await self.outer("x")

    @flow
    async def calls_a_step_in_a_thread_of_its_own(self) -> str:
        caught: list[str] = []

        def elsewhere() -> None:
            try:
                self.plain("thread")
            except StepOutsideFlow as error:
                caught.append(str(error))

        thread = threading.Thread(target=elsewhere)  # persistc: allow[PST208] what this thread is refused is the test
        thread.start()
        thread.join()
        return await self.note(caught[0])

    @flow
    async def does_as_told(self) -> str:
        assert self.body is not None
        return await self.body(self)  # persistc: allow[PST204] each test brings a body of its own

    @flow
    async def has_a_step_do_as_told(self) -> str:
        return await self.act()

    @step
    async def act(self) -> str:
        assert self.body is not None
        return await self.body(self)

    @step
    async def fetch(self, name: str) -> str:
        await self.outside.visit(name)
        return name.upper()

    @step
    async def note(self, text: str) -> str:
        return text

    @step
    def plain(self, name: str) -> str:
        self.outside.visit_plain(name)
        return name.upper()

    @step
    async def outer(self, name: str) -> str:
        """Calls other steps: they are part of this one."""
        both = await asyncio.gather(self.fetch(f"{name}1"), asyncio.to_thread(self.plain, f"{name}2"))
        return f"outer {' '.join(both)}, {await self.parts.fetch_part(name)}"

    @signal
    async def told(self, what: str) -> str:
        return what
