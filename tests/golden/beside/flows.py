# fmt: off
# ruff: noqa
# What is tested here is code as people write it.
"""What may stand beside flows and steps in a class, and several flow classes in one module."""

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ClassVar, ParamSpec, TypeVar

from persistasaurus import flow, step

P = ParamSpec("P")
R = TypeVar("R")


def counted(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """A decorator of the user's own."""

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return await function(*args, **kwargs)

    return wrapper


class BesideFlow:
    runs: ClassVar[int] = 0

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    @property
    def prefix(self) -> str:
        return self._prefix

    @prefix.setter
    def prefix(self, value: str) -> None:
        self._prefix = value

    @staticmethod
    def joined(first: str, second: str) -> str:
        return f"{first} {second}"

    @classmethod
    def named(cls, prefix: str) -> "BesideFlow":
        return cls(prefix)

    def _private(self) -> str:
        return self.joined(self.prefix, "!")

    @flow
    async def greet(self, names: list[str]) -> list[str]:
        await self._greet_all(names)
        return [await self.say(name) for name in names]

    async def _greet_all(self, names: list[str]) -> None:
        for name in names:
            await self.say(name)

    @step
    @counted
    async def say(self, name: str) -> str:
        return self._private() + name


class GrüßeFlow:
    @flow
    def grüßen(self, größe: int) -> str:
        r"""Sagt "Grüß Gott", mit \n und 日本語."""
        return self.名前("x") * größe

    @step
    def 名前(self, текст: str) -> str:
        return текст


class StepsOnly:
    @step
    async def reserve(self, item: str) -> int:
        return len(item)
