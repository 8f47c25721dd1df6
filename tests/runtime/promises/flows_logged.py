"""A flow that logs, and does all that the runtime has a line for."""

from __future__ import annotations

import logging
from datetime import timedelta

from persistasaurus import Retry, flow, get_logger, signal, step, wait_for_signal

from .machine import Outside

logger = get_logger(__name__)
careless_logger = logging.getLogger(__name__ + ".careless")


class LoggedFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def logs(self, name: str) -> str:
        logger.info("begin %s", name)
        careless_logger.info("begin %s", name)
        await self.work(name)
        logger.info("worked")
        await wait_for_signal(self.told)
        logger.info("told")
        return name

    @flow
    async def does_everything(self) -> str:
        await self.work("a")
        await self.insist("b")
        try:
            await self.break_down()
        except RuntimeError:
            await wait_for_signal(self.told, timeout=timedelta(days=1))
        return "done"

    @flow(name="plain-flow")
    def logs_in_plain_code(self) -> None:
        logger.info("plain begin")
        self.work_plainly()
        wait_for_signal(self.told_plainly)
        logger.info("plain end")

    @step
    async def work(self, name: str) -> None:
        logger.info("in the step")
        await self.outside.visit(name)

    @step(retry=Retry(max_attempts=2, initial=timedelta(seconds=10), jitter=0))
    async def insist(self, name: str) -> None:
        await self.outside.visit(name)

    @step
    async def break_down(self) -> None:
        raise RuntimeError("broken")

    @step
    def work_plainly(self) -> None:
        logger.info("in the plain step")

    @signal
    async def told(self) -> None:
        pass

    @signal
    def told_plainly(self) -> None:
        pass
