from collections.abc import Awaitable, Callable

from persistasaurus import flow, step


class AgentFlow:
    def __init__(self, given: Callable[[str], Awaitable[str]]) -> None:
        self._tools: dict[str, Callable[[str], Awaitable[str]]] = {"search": self.search, "given": given}

    @flow
    async def ask(self, question: str) -> str:
        return await self._tools["given"](question)  # error: PST204

    @step
    async def search(self, text: str) -> str:
        return text
