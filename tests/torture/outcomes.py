"""What the generated flows share: the exceptions they meet, a branch condition, and how they note what they see."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

Trace = list[str]


class Declined(Exception):
    """What steps fail with."""


class Broken(Exception):
    """What flow code fails with."""


def odd(value: object) -> bool:
    """What generated flows branch on: steps return numbers."""
    return isinstance(value, int) and value % 2 == 1


def shown(values: Iterable[object]) -> list[object]:
    """Values as a result of a flow may hold them: exceptions by the names of their classes."""
    return [type(each).__name__ if isinstance(each, BaseException) else each for each in values]


def settled(values: Iterable[object]) -> list[object]:
    """The same for calm programs: that a branch failed is sure, but not which of its failures came first."""
    return ["failed" if isinstance(each, BaseException) else each for each in values]


def note(seen: Trace, text: str) -> None:
    """Note what the flow sees, and when by its own clock."""
    seen.append(f"{asyncio.get_running_loop().time():.6f} {text}")
