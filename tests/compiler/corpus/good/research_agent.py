"""An agent: asks a model, runs the tools it names, until it answers or has used up its turns."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import ClassVar, Literal, Protocol, TypedDict

from persistasaurus import Retry, flow, get_logger, signal, step, wait_for_signal

log = get_logger(__name__)

TOOLS: frozenset[str] = frozenset({"search", "read", "calculate"})
NEEDS_APPROVAL = frozenset({"read"})
SYSTEM_PROMPT = "Answer the question. Use the tools you are given."


class ModelOverloaded(Exception):
    pass


class Effort(StrEnum):
    QUICK = "quick"
    THOROUGH = "thorough"


class Message(TypedDict):
    role: Literal["system", "user", "assistant", "tool"]
    content: str


@dataclass(frozen=True)
class ToolCall:
    name: str
    arguments: dict[str, str]


@dataclass
class Turn:
    text: str
    calls: list[ToolCall] = field(default_factory=list)
    tokens: int = 0


@dataclass
class Budget:
    tokens: int
    turns: int

    def spend(self, tokens: int) -> bool:
        self.tokens -= tokens
        self.turns -= 1
        return self.tokens > 0 and self.turns > 0


class Model(Protocol):
    async def complete(self, messages: list[Message], tools: list[str]) -> Turn: ...


class ResearchAgent:
    max_turns: ClassVar = {Effort.QUICK: 3, Effort.THOROUGH: 20}

    def __init__(self, model: Model, tools: dict[str, str]) -> None:
        self._model = model
        self._endpoints = dict(tools)
        self._names = sorted(TOOLS & set(tools))

    @flow
    async def research(self, question: str, effort: Effort = Effort.QUICK) -> str:
        messages: list[Message] = [
            {"role": "system", "content": SYSTEM_PROMPT},
            {"role": "user", "content": question},
        ]
        budget = Budget(tokens=50_000, turns=self.max_turns[effort])
        used: set[str] = set()
        refused = {"calculate"} if effort is Effort.QUICK else set()
        while True:
            try:
                turn = await self.ask(messages, [name for name in self._names if name not in refused])
            except ModelOverloaded:
                await asyncio.sleep(60)
                continue
            messages.append({"role": "assistant", "content": turn.text})
            used |= {call.name for call in turn.calls}
            if not turn.calls or not budget.spend(turn.tokens):
                break
            results = await asyncio.gather(*(self._run(call, refused) for call in turn.calls), return_exceptions=True)
            for call, result in zip(turn.calls, results, strict=True):
                shown = f"failed: {result}" if isinstance(result, BaseException) else result
                messages.append({"role": "tool", "content": json.dumps({call.name: shown}, sort_keys=True)})
        log.info("used %d tools in %d messages", len(used), len(messages))
        await self.remember(question, sorted(used))
        return messages[-1]["content"]

    async def _run(self, call: ToolCall, refused: set[str]) -> str:
        if call.name not in TOOLS or call.name in refused:
            return f"there is no tool {call.name}"
        if call.name in NEEDS_APPROVAL:
            approved = await wait_for_signal(self.approved, timeout=timedelta(hours=1), key=call.name)
            if not approved:
                refused.add(call.name)
                return "refused"
        return await self.use_tool(call)

    @step(retry=Retry(max_attempts=4), raises=(ModelOverloaded,))
    async def ask(self, messages: list[Message], tools: list[str]) -> Turn:
        return await self._model.complete(messages, tools)

    @step(retry=Retry(max_attempts=2))
    async def use_tool(self, call: ToolCall) -> str:
        return self._endpoints[call.name]

    @step
    async def remember(self, question: str, tools: list[str]) -> None:
        self._last_question = question
        self._last_tools = tools

    @signal
    async def approved(self, yes: bool) -> bool:
        return yes
