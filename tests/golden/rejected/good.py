"""A flow class with nothing wrong; nothing is generated for it while its neighbour is wrong."""

from persistasaurus import flow, step


class GoodFlow:
    @flow
    async def run(self) -> int:
        return await self.count()

    @step
    async def count(self) -> int:
        return 1
