"""Flows that wait for signals."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import SignalTimeout, flow, signal, step, wait_for_signal

from .machine import Outside


class ApprovalFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    async def ask(self) -> str:
        return await wait_for_signal(self.approve)

    @flow
    async def prepare_and_ask(self) -> str:
        await self.prepare()
        return await wait_for_signal(self.approve)

    @flow
    async def ask_twice(self) -> str:
        first = await wait_for_signal(self.approve)
        second = await wait_for_signal(self.approve)
        return f"{first}, then {second}"

    @flow
    async def ask_two_at_once(self) -> tuple[str, str]:
        first, second = await asyncio.gather(wait_for_signal(self.approve), wait_for_signal(self.approve))
        return first, second

    @flow
    async def ask_each(self, names: list[str]) -> list[str]:
        return await asyncio.gather(*(wait_for_signal(self.approve, key=name) for name in names))

    @flow
    async def ask_for_a_day(self) -> str:
        try:
            return await wait_for_signal(self.approve, timeout=timedelta(days=1))
        except SignalTimeout:
            return await self.decide()

    @flow
    async def ask_for_a_day_and_then_for_ever(self) -> str:
        try:
            return await wait_for_signal(self.approve, timeout=timedelta(days=1))
        except TimeoutError:
            reminded = await self.remind()
            return f"{reminded}, {await wait_for_signal(self.approve)}"

    @flow
    async def prepare_alone(self) -> None:
        await self.prepare()

    @signal
    async def approve(self, by: str) -> str:
        await self.outside.visit(f"approve {by}")
        return f"approved by {by}"

    @step
    async def prepare(self) -> None:
        await self.outside.visit("prepare")

    @step
    async def decide(self) -> str:
        await self.outside.visit("decide")
        return "decided alone"

    @step
    async def remind(self) -> str:
        await self.outside.visit("remind")
        return "reminded"


class PlainApprovalFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    def ask_twice(self) -> str:
        first = wait_for_signal(self.approve)
        second = wait_for_signal(self.approve)
        return f"{first}, then {second}"

    @flow
    def ask_for_a_day(self) -> str:
        try:
            return wait_for_signal(self.approve, timeout=timedelta(days=1))
        except SignalTimeout:
            return "nobody answered"

    @signal
    def approve(self, by: str) -> str:
        self.outside.visit_plain(f"approve {by}")
        return f"approved by {by}"
