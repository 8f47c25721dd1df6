"""Plain `def` flows, and an async one that calls plain steps."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from persistasaurus import flow, parallel, signal, sleep, step, wait_for_signal

from .machine import Outside


class Refused(Exception):
    """What a plain step refuses with."""


class PlainFlow:
    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @flow
    def one_after_the_other(self, names: list[str]) -> str:
        return self.finish(str([self.fetch(name) for name in names]))

    @flow
    def side_by_side(self, names: list[str]) -> str:
        with parallel() as branches:
            started = [branches.start(self.fetch, name) for name in names]
        return self.finish(str([branch.result() for branch in started]))

    @flow
    def pairs_side_by_side(self, names: list[str]) -> str:
        with parallel() as branches:
            started = [branches.start(self.pair, name) for name in names]
        return self.finish(str([branch.result() for branch in started]))

    def pair(self, name: str) -> str:
        return self.fetch(f"{name}1") + self.fetch(f"{name}2")

    @flow
    def uses_a_result_before_the_others_are_there(self) -> str:
        seen: list[str] = []
        with parallel() as branches:
            slow = branches.start(self.fetch, "slow")
            quick = branches.start(self.fetch, "quick")
            seen.append(quick.result())
            seen.append(f"slow done: {slow.done()}")
            seen.append(self.fetch("third"))
        return self.finish(", ".join([*seen, slow.result()]))

    @flow
    def starts_a_branch_too_late(self) -> str:
        with parallel() as branches:
            first = branches.start(self.fetch, "first")
        try:
            branches.start(self.fetch, "second")
        except RuntimeError as error:
            return f"{first.result()}, then: {error}"
        return "nothing said"

    @flow
    def branches_inside_branches(self) -> str:
        def inner(name: str) -> str:
            with parallel() as branches:
                both = [branches.start(self.fetch, f"{name}{number}") for number in (1, 2)]
            return "".join(branch.result() for branch in both)

        with parallel() as branches:
            outer = [branches.start(inner, name) for name in ("a", "b")]
        return self.finish(" ".join(branch.result() for branch in outer))

    @flow
    def fails_in_a_branch(self) -> str:
        seen: list[str] = []

        def careful() -> None:
            try:
                self.fetch("slow")
            except asyncio.CancelledError:
                seen.append("slow cancelled")
                raise

        try:
            with parallel() as branches:
                branches.start(careful)
                branches.start(self.refuse, "b")
        except* Refused as errors:
            seen.append(repr(errors.exceptions))
        return self.finish(", ".join(seen))

    @flow
    def waits(self) -> str:
        sleep(timedelta(days=3))
        first = wait_for_signal(self.approved)
        try:
            second = wait_for_signal(self.approved, timeout=timedelta(days=1))
        except TimeoutError:
            second = "nobody else"
        return self.finish(f"{first}, {second}")

    @flow
    async def calls_a_plain_step(self) -> str:
        other = asyncio.create_task(self.fetch_async("a"))
        await asyncio.sleep(0)
        plain = self.fetch("plain")  # the flow waits, with all its branches
        return await asyncio.to_thread(self.finish, f"{plain}, other done: {other.done()}, {await other}")

    @flow
    async def makes_branches_of_plain_steps(self, names: list[str]) -> str:
        seen = await asyncio.gather(*(asyncio.to_thread(self.fetch, name) for name in names), self.fetch_async("z"))
        return self.finish(str(seen))

    @flow
    async def leaves_a_plain_step_over(self) -> str:
        # persistc: allow[PST212] the test proves that the flow ends without it
        left = asyncio.create_task(asyncio.to_thread(self.fetch, "slow"))
        await self.fetch_async("body")
        return f"ended, the other one done: {left.done()}"

    @step
    def fetch(self, name: str) -> str:
        self.outside.visit_plain(name)
        return name.upper()

    @step
    async def fetch_async(self, name: str) -> str:
        await self.outside.visit(name)
        return name.upper()

    @step(raises=(Refused,))
    def refuse(self, name: str) -> str:
        self.outside.visit_plain(name)
        raise Refused(name)

    @signal
    def approved(self, by: str) -> str:
        return f"approved by {by}"

    @step
    def finish(self, seen: str) -> str:
        self.outside.visit_plain("finish")
        return seen
