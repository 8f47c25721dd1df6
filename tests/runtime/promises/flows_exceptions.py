"""A flow that collects the exceptions its steps raise."""

from __future__ import annotations

import asyncio
from typing import Any

from persistasaurus import Retry, flow, step

from .machine import Outside


class PaymentError(Exception):
    """Has arguments that are only to be given by name, and an attribute."""

    made = 0

    def __init__(self, *, code: int, reason: str) -> None:
        PaymentError.made += 1
        super().__init__(f"code {code}")
        self.code = code
        self.reason = reason


class CardExpired(PaymentError):
    """Not listed, but its base is."""


class OddLookup(LookupError):
    """Not listed, but its base is builtin."""


class Strange(Exception):
    """Not listed."""


class CollectingFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside
        self.saw: list[BaseException] = []
        self.tasks: list[asyncio.Task[Any] | None] = []
        self.ends_the_program: type[BaseException] | None = None

    @flow
    async def collect(self, names: list[str]) -> str:
        for name in names:
            try:
                await self.fail(name)
            except Exception as error:
                # persistc: allow[PST205] the test compares what the flow sees, live and replayed
                self.saw.append(error)
        await self.pause()
        return f"{len(self.saw)} collected"

    @flow
    def collect_plainly(self, names: list[str]) -> str:
        for name in names:
            try:
                self.fail_plainly(name)
            except Exception as error:
                # persistc: allow[PST205] the test compares what the flow sees, live and replayed
                self.saw.append(error)
        return f"{len(self.saw)} collected"

    @flow
    async def end_the_program(self) -> str:
        done = await self.fail("work")
        if self.ends_the_program is not None:
            raise self.ends_the_program
        return done

    @flow
    def end_the_program_plainly(self) -> str:
        done = self.fail_plainly("work")
        if self.ends_the_program is not None:
            raise self.ends_the_program
        return done

    @flow
    async def match(self, name: str) -> str:
        try:
            await self.fail(name)
        except PaymentError as error:
            return f"payment {error.code} {error.reason}"
        except LookupError as error:
            return f"lookup {error}"
        except ArithmeticError:
            return "other"
        return "nothing"

    @flow
    async def patient(self, name: str) -> str:
        return await self.retried(name)

    @step(raises=(PaymentError,))
    async def fail(self, name: str) -> str:
        self.tasks.append(asyncio.current_task())
        await self.outside.visit(name)
        return name

    @step(raises=(PaymentError,))
    def fail_plainly(self, name: str) -> str:
        self.outside.visit_plain(name)
        return name

    @step(retry=Retry(max_attempts=3))
    async def retried(self, name: str) -> str:
        await self.outside.visit(name)
        return name

    @step
    async def pause(self) -> None:
        await self.outside.visit("pause")
