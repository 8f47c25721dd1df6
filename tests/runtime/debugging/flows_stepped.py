"""An async and a plain flow of the same shape, for debuggers to stop in: a comment names each line that matters."""

from persistasaurus import flow, step


class SteppedFlow:
    @flow
    async def share(self, price: int) -> int:
        """Halve a price and share it."""
        half = await self.halve(price)  # async flow calls
        return 100 // half  # async flow divides

    @step
    async def halve(self, price: int) -> int:
        if price < 0:
            raise ValueError("a negative price")  # async step raises
        return price // 2  # async step


class SteppedPlainFlow:
    @flow
    def share_plain(self, price: int) -> int:
        """Halve a price and share it."""
        half = self.halve_plain(price)  # plain flow calls
        return 100 // half  # plain flow divides

    @step
    def halve_plain(self, price: int) -> int:
        if price < 0:
            raise ValueError("a negative price")  # plain step raises
        return price // 2  # plain step
