"""Async tests: each runs on an event loop of its own, and in time."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec

from persistasaurus import FlowStatus
from persistasaurus.testing import InMemoryLog

from .machine import play

P = ParamSpec("P")

_TURNS = 200
"""More turns of the event loop than anything takes here that waits for nothing from outside of it."""


def scenario(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Make a test of a coroutine function."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        play(test(*args, **kwargs))

    return run


async def all_is_still() -> None:
    """Let the event loop run until nothing on it is ready; what waits for other threads is not waited for."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


async def waits(log: InMemoryLog, flow_id: str) -> None:
    """Let the event loop run until a flow is said to wait; for logs that commit at once, without a thread."""
    while (row := log.flow(flow_id)) is None or row.status is not FlowStatus.WAITING:  # noqa: ASYNC110
        await asyncio.sleep(0)
