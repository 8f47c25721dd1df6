"""An agent that talks to a language model and uses tools until it has an answer."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from persistasaurus import Json, Retry, flow, get_logger, signal, step, wait_for_signal

from .agent_prompts import Prompt, shortened

logger = get_logger(__name__)
audit = logging.getLogger("agents.audit")
MOST_ROUNDS = 12


class Model(Protocol):
    async def complete(self, messages: list[Message]) -> Message: ...


@dataclass
class Message:
    role: str
    text: str = ""
    calls: list[ToolCall] = field(default_factory=list)

    @property
    def is_final(self) -> bool:
        return not self.calls


@dataclass
class ToolCall:
    name: str
    arguments: str

    def parsed(self) -> dict[str, Json]:
        found = json.loads(self.arguments or "{}")
        return dict(found)


@dataclass
class Budget:
    tokens: int
    spent: int = 0

    def take(self, text: str) -> bool:
        self.spent += len(text) // 4
        return self.spent <= self.tokens


class AgentFlow:
    def __init__(self, model: Model, prompt: Prompt, tokens: int = 10_000) -> None:
        self.model = model
        self.prompt = prompt
        self.tokens = tokens

    @flow
    async def answer(self, question: str) -> str:
        messages = [Message("system", self.prompt.system()), Message("user", question)]
        budget = Budget(self.tokens)
        for round_number in range(MOST_ROUNDS):
            reply = await self.ask(messages)
            messages.append(reply)
            if reply.is_final or not budget.take(reply.text):
                audit.info("answered in round %d", round_number)
                return reply.text
            results = await asyncio.gather(*(self.use(call) for call in reply.calls))
            messages.extend(Message("tool", result) for result in results)
        logger.warning("gave up on %s", shortened(question, 40))
        return "no answer"

    async def use(self, call: ToolCall) -> str:
        tools = {"search": self.search, "calculate": self.calculate}
        tool = tools.get(call.name)
        if tool is None:
            return f"there is no tool {call.name!r}"
        if call.name == "search" and not await self.is_allowed(call):
            return "refused"
        try:
            return shortened(await tool(json.dumps(call.parsed(), sort_keys=True)), 2_000)
        except Exception as error:
            logger.exception("tool failed")
            return f"error: {error}"

    async def is_allowed(self, call: ToolCall) -> bool:
        if len(call.arguments) < 500:
            return True
        await self.ask_person(call.name)
        return await wait_for_signal(self.allowed, timeout=timedelta(hours=8))

    @step(retry=Retry(max_attempts=4))
    async def ask(self, messages: list[Message]) -> Message:
        return await self.model.complete(messages)

    @step
    async def search(self, arguments: str) -> str:
        return arguments

    @step
    async def calculate(self, arguments: str) -> str:
        return arguments

    @step
    async def ask_person(self, tool: str) -> None:
        logger.info("asked for %s", tool)

    @signal
    async def allowed(self, yes: bool) -> bool:
        return yes
