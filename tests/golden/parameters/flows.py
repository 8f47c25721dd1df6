# fmt: off
# ruff: noqa
# What is tested here is code as people write it.
"""Every kind of parameter and of default, in async and plain methods."""

import enum
from datetime import timedelta
from decimal import Decimal

from persistasaurus import flow, signal, step, wait_for_signal


class Speed(enum.Enum):
    SLOW = "slow"
    FAST = "fast"


LIMIT = 10
_SECRET_LIMIT = 11


class ParametersFlow:
    @flow
    async def everything(
        self,
        only: int,
        /,
        both: str,
        speed: Speed = Speed.SLOW,
        *rest: bytes,
        named: bool,
        pause: timedelta = timedelta(minutes=5, seconds=-3),
        **options: Decimal | None,
    ) -> dict[str, list[int]]:
        await self.positional(only, 2)
        await self.keywords(named=named)
        await self.variadic(*rest, **options)
        self.plain(pause)
        await wait_for_signal(self.nudge)
        return {both: [self.defaults(speed=speed)]}

    @step
    async def positional(self, only: int, also: int = -1, /) -> tuple[int, int]:
        return only, also

    @step
    async def keywords(self, *, named: bool = True, limit: int = LIMIT, secret: int = _SECRET_LIMIT) -> None: ...

    @step
    async def variadic(self, *rest: bytes, **options: Decimal | None) -> None: ...

    @step()
    def plain(this, pause: timedelta) -> None: ...

    @step
    def defaults(
        self,
        text: str = 'a "quoted" one',
        single: str = 'plain',
        number: float = 1e-3,
        maximum: int = 2 * (LIMIT + 1),
        nothing: str | None = None,
        several: tuple[int, ...] = (1, 2),
        empty: tuple[()] = (),
        shape: tuple[str, str] = ("x", "y"),
        speed: Speed = Speed["SLOW"],
    ) -> int:
        return maximum

    @signal()
    def nudge_plainly(self, *, reason: str = "") -> str:
        return reason

    @signal
    async def nudge(self) -> None: ...

    @flow(name="parameters.plainly")
    def plainly(self, text: str) -> str:
        self.plain(timedelta(seconds=1))
        return wait_for_signal(self.nudge_plainly) + text
