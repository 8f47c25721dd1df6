"""Flows that call what cannot be seen before it runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Protocol

from persistasaurus import flow, step


class Tool(Protocol):
    def use(self, text: str) -> str: ...


def used(tool: Tool) -> str:
    return tool.use("text")


def twice(action: Callable[[], str]) -> str:
    return action() + action()


class AgentFlow:
    @flow
    async def act(self, tool: str, order: dict[str, str]) -> None:
        await getattr(self, f"use_{tool}")()  # warning: PST220
        method = getattr(self, tool)
        await method()  # warning: PST220
        importlib.import_module(tool)  # warning: PST220
        eval(tool)  # warning: PST220
        self.note(twice(lambda: tool))
        anything: Any = order
        self.note(anything.total(), anything["lines"].total(), order.get("x", "").strip())
        fixed = getattr(self, "use_search")  # noqa: B009
        await fixed()
        for use in (self.use_search, self.use_mail):
            await use()
        tools = {"search": self.use_search, "mail": self.use_mail}
        await tools[tool]()

    @flow
    async def hand_on(self, tool: str) -> None:
        found: Any = tool
        self.note(used(found))  # warning: PST220
        __import__(tool)  # warning: PST220

    def note(self, *texts: str) -> None:
        print(texts)

    @step
    async def use_search(self) -> None:
        print(self)

    @step
    async def use_mail(self) -> None:
        print(self)
