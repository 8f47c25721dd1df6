"""An agent whose tools stand in a table of its own methods, with the types written out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from persistasaurus import flow, step

Tool = Callable[[str], Awaitable[str]]


class TableAgent:
    def __init__(self) -> None:
        self._tools: dict[str, Tool] = {"search": self.search, "price": self.price}
        self._first: list[Callable[[str], Awaitable[str]]] = [self.search]

    @flow
    async def ask(self, question: str) -> str:
        answer = await self._tools["search"](question)
        tool = self._tools.get(answer)
        if tool is not None:
            answer = await tool(question)
        for each in self._first:
            answer = await each(answer)
        return answer

    @step
    async def search(self, text: str) -> str:
        return text

    @step
    async def price(self, text: str) -> str:
        return text
