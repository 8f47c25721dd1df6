"""Flows that go by the order of a set, which another process does not share."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator
from typing import AbstractSet

from persistasaurus import flow, signal, step, wait_for_signal

REGIONS = frozenset({"eu", "us"})


class CampaignFlow:
    def __init__(self, channels: set[str]) -> None:
        self.channels = channels
        self.languages = frozenset({"de", "en"})

    @flow
    async def send(self, recipients: set[str], blocked: frozenset[str], extra: AbstractSet[str] | None) -> list[str]:
        for recipient in recipients:  # error: PST206
            await self.mail(recipient)
        for recipient in recipients - blocked:  # error: PST206
            await self.mail(recipient)
        await asyncio.gather(*(self.mail(each) for each in recipients))  # error: PST206
        await asyncio.gather(*map(self.mail, blocked))  # error: PST206
        first = next(iter(recipients))  # error: PST206
        another = recipients.pop()  # error: PST206
        listed = list(recipients)  # error: PST206
        shown = ", ".join(extra or ())  # error: PST206
        numbered = {each: number for number, each in enumerate(recipients)}  # error: PST206
        defaults = dict.fromkeys(blocked, 0)  # error: PST206
        answers = {await self.mail(each) for each in recipients}  # error: PST206
        flags = [await self.mail(each) for each in REGIONS]  # error: PST206
        spread = [*recipients, *blocked]  # error: PST206
        one, two = {first, another}  # error: PST206
        pairs = tuple(itertools.product(self.channels, "ab"))  # error: PST206
        languages = [language.upper() for language in self.languages]  # error: PST206
        return [
            shown,
            one,
            two,
            *listed,
            *numbered,
            *defaults,
            *sorted(answers),
            *flags,
            *spread,
            *languages,
            *pairs[0],
        ]

    @flow
    async def tagged(self, number: int, names: dict[str, int], others: dict[str, int]) -> str:
        tags = await self.tags_of(number)
        seen = set()
        for tag in tags:
            seen.add(tag)
        unseen = tags.difference(seen) if number else {"none"}
        result = []
        result.extend(unseen)  # error: PST206
        result += names.keys() & others.keys()  # error: PST206
        same = seen
        while same:
            await self.mail(same.pop())  # error: PST206
        await self.mail(*(self._normalised(result)))  # error: PST206
        return str([name for name in self._normalised(result) if name])  # error: PST206

    @flow
    def one_by_one(self, recipients: set[str]) -> int:
        if any(self.check(each) for each in recipients):  # error: PST206
            return 0
        return len([each for each in self._each(recipients)])

    @flow
    async def described(self, recipients: set[str]) -> str:
        described = f"to {recipients}"  # error: PST206
        await self.mail(str(recipients))  # error: PST206
        await self.mail("to %s" % recipients)  # error: PST206
        print(f"to {recipients}", repr(recipients))
        return described

    @flow
    async def added_up(self, recipients: set[str]) -> dict[str, int]:
        sizes: dict[str, int] = {}
        initials = ""
        for recipient in recipients:  # error: PST206
            sizes[recipient] = len(recipient)
        for recipient in recipients:  # error: PST206
            initials += recipient[0]
        names = list(recipients)  # error: PST206
        await self.mail(names[0] + initials)
        names.sort()
        return sizes

    @flow
    async def waiting(self) -> list[str]:
        names = await wait_for_signal(self.named)
        return [await self.mail(name) for name in names]  # error: PST206

    @signal
    async def named(self, names: list[str]) -> frozenset[str]:
        return frozenset(names)

    def _each(self, names: set[str]) -> Iterator[str]:
        yield from names  # error: PST206

    def _normalised(self, names: list[str]) -> set[str]:
        return {name.casefold() for name in names}

    @step
    async def mail(self, recipient: str) -> str:
        return recipient

    @step
    async def tags_of(self, number: int) -> set[str]:
        return {str(number)}

    @step
    def check(self, recipient: str) -> bool:
        return recipient in self.channels
