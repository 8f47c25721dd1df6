"""A flow class with two mistakes that no type checker sees."""

from persistasaurus import Retry, flow, step


class WrongFlow:
    @flow
    async def outer(self) -> int:
        return await self.inner()

    @flow
    async def inner(self) -> int:
        return await self.pay()

    @step(retry=Retry(max_attempts=3), at_most_once=True)
    async def pay(self) -> int:
        return 1
