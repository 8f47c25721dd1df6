"""The outline above each flow: what a reviewer sees of a process."""

from __future__ import annotations

import re
import textwrap

import pytest

from tests.compiler.projects import Project

FRAME = """\
import asyncio
from datetime import timedelta

from persistasaurus import Retry, flow, parallel, signal, sleep, step, wait_for_signal

LONG = timedelta(days=30)


class Failure(Exception):
    pass


class OutlinedFlow:
    @{mark}
    {keyword} run(self, n: int, names: list[str]) -> None:
{body}

    async def _help(self, n: int) -> None:
        if await self.b(n):
            return
        await self.c(n)

    async def _rest(self) -> None:
        await self._rest()

    @step
    async def a(self) -> int: return 1

    @step(delay=timedelta(days=1), retry=Retry(max_attempts=5))
    async def b(self, n: int) -> int: return 1

    @step(retry=Retry(initial=timedelta(seconds=9)))
    async def c(self, n: int) -> int: return 1

    @step(at_most_once=True, delay=LONG)
    async def d(self) -> None: ...

    @step
    def p(self, n: int) -> int: return 1

    @signal
    async def s(self, n: int) -> int: return n

    @signal
    def ps(self) -> int: return 1
"""

ASYNC = {
    "steps in order, with what their decorators say": (
        """
        await self.a()
        await self.b(1)
        await self.c(2)
        await self.d()
        """,
        """
        a
        b    delay 1 day, 5 attempts
        c    retried
        d    delay LONG, at most once
        """,
    ),
    "arguments run before the step they are given to": (
        """
        await self.b(await self.a())
        """,
        """
        a
        b    delay 1 day, 5 attempts
        """,
    ),
    "branches, with the early end of a flow": (
        """
        if n > 3:
            await self.a()
        elif n == 2:
            return
        else:
            await self.d()
        if n:
            print(n)
        if not names:
            raise Failure
        await self.a()
        """,
        """
        if n > 3
          a
        elif n == 2
          return
        else
          d    delay LONG, at most once
        if not names
          raise Failure
        a
        """,
    ),
    "loops, a step in the condition too": (
        """
        for number, name in enumerate(names):
            await self.a()
            if number:
                break
        while await self.a() < n:
            await asyncio.sleep(60)
        """,
        """
        for number, name in enumerate(names)
          a
          if number
            break
        while self.a() < n
          a
          sleep 60 seconds
        """,
    ),
    "failures that are handled": (
        """
        try:
            await self.a()
        except (Failure, ValueError):
            await self.d()
        except TimeoutError:
            pass
        else:
            n = 1
        finally:
            await self.a()
        """,
        """
        try
          a
        except Failure, ValueError
          d    delay LONG, at most once
        except TimeoutError
        finally
          a
        """,
    ),
    "what runs in parallel": (
        """
        await asyncio.gather(self.a(), self.d())
        await asyncio.gather(*(self.a() for name in names))
        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(self.a())
        task = asyncio.create_task(self.a())
        await asyncio.wait([task])
        await asyncio.gather(asyncio.to_thread(self.p, 1), asyncio.to_thread(self.p, 2))
        """,
        """
        in parallel
          a
          d    delay LONG, at most once
        in parallel
          for name in names
            a
        in parallel
          for name in names
            a
        a      as a task
        in parallel
          p
          p
        """,
    ),
    "waits and time limits": (
        """
        await wait_for_signal(self.s)
        await wait_for_signal(self.s, timeout=timedelta(hours=1), key=names[0])
        await wait_for_signal(self.s, timeout=LONG)
        await wait_for_signal(self.s, timeout=None)
        await asyncio.wait_for(self.a(), 30)
        async with asyncio.timeout(n * 2):
            await self.a()
        await asyncio.sleep(1)
        """,
        """
        s    signal
        s    signal, by names[0], at most 1 hour
        s    signal, at most LONG
        s    signal
        within 30 seconds
          a
        within n * 2
          a
        sleep 1 second
        """,
    ),
    "methods of the class and local functions, told where they are called": (
        """
        await self._help(1)
        await self._rest()

        async def branch(name: str) -> None:
            await self.a()

        await asyncio.gather(*(branch(name) for name in names))
        """,
        """
        in _help
          b           delay 1 day, 5 attempts
          if self.b(n)
            return
          c           retried
        in _rest
          in _rest    again
        in parallel
          for name in names
            in branch
              a
        """,
    ),
    "match statements and conditional expressions": (
        """
        match n:
            case 1 | 2 if names:
                await self.a()
            case _:
                pass
        _ = await self.a() if n else await self.d()
        """,
        """
        match n
          case 1 | 2 if names
            a
          case _
        if n
          a
        if not n
          d    delay LONG, at most once
        """,
    ),
}
PLAIN = {
    "branches of a plain flow": (
        """
        with parallel() as branches:
            labels = [branches.start(self.p, number) for number in range(n)]
        sleep(timedelta(minutes=2, seconds=30))
        wait_for_signal(self.ps)
        self.p(sum(label.result() for label in labels))
        """,
        """
        in parallel
          for number in range(n)
            p
        sleep 2 minutes 30 seconds
        ps    signal
        p
        """,
    ),
}


def outlined(project: Project, body: str, keyword: str) -> str:
    """The outline of a flow with this body."""
    text = textwrap.indent(textwrap.dedent(body).strip("\n"), " " * 8)
    project.write("flows.py", FRAME.format(body=text, keyword=keyword, mark="flow"))
    ended = project.persistc("generate")
    assert ended.exit_code == 0, ended.stdout
    found = re.search(r"    # flow run\n((?:    #.*\n)*)", project.read("flows_durable.py"))
    assert found is not None
    return re.sub(r"^    #   ", "", found[1], flags=re.MULTILINE)


@pytest.mark.parametrize(("body", "expected"), ASYNC.values(), ids=ASYNC.keys())
def test_the_outline_of_an_async_flow_shows(project: Project, body: str, expected: str) -> None:
    assert outlined(project, body, "async def") == textwrap.dedent(expected).lstrip("\n")


@pytest.mark.parametrize(("body", "expected"), PLAIN.values(), ids=PLAIN.keys())
def test_the_outline_of_a_plain_flow_shows(project: Project, body: str, expected: str) -> None:
    assert outlined(project, body, "def") == textwrap.dedent(expected).lstrip("\n")


def test_a_long_condition_is_cut(project: Project) -> None:
    body = f"if {' and '.join(f'n > {number}' for number in range(40))}:\n    await self.a()"
    first, *_ = outlined(project, body, "async def").splitlines()
    assert len(first) < 80
    assert first.endswith("...")
