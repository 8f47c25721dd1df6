"""Plain `def` flow bodies: each runs on a greenlet that a task of the flow loop drives, so plain code can wait (G4)."""

from __future__ import annotations

import asyncio
import contextvars
from asyncio.events import _get_running_loop
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Final, Generic, ParamSpec, TypeVar, cast

from greenlet import getcurrent, greenlet

from persistasaurus.errors import NotInFlow
from persistasaurus.flow_loop import FlowLoop

P = ParamSpec("P")
R = TypeVar("R")


class BranchGreenlet(greenlet):
    """The greenlet of a plain flow body or of one of its branches."""


async def drive(function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
    """Run a plain function on a greenlet; what it waits for is awaited here, by an ordinary task of the flow loop."""
    branch = BranchGreenlet(function)
    branch.gr_context = contextvars.copy_context()
    branch.parent = getcurrent()
    awaited = branch.switch(*args, **kwargs)
    while not branch.dead:
        try:
            value = await awaited
        except BaseException as error:
            branch.parent = getcurrent()
            awaited = branch.throw(error)
        else:
            branch.parent = getcurrent()
            awaited = branch.switch(value)
    return cast(R, awaited)


def in_branch() -> bool:
    """Whether the caller runs in a plain flow body."""
    return type(getcurrent()) is BranchGreenlet


def wait_for(awaitable: Awaitable[R]) -> R:
    """Wait in a plain flow body for what its driver can await."""
    parent = getcurrent().parent
    assert parent is not None
    return cast(R, parent.switch(awaitable))


class Branch(Generic[R]):
    """A branch of a plain flow, started with `branches.start`."""

    def __init__(self, task: asyncio.Task[R]) -> None:
        self._task = task

    def result(self) -> R:
        """Wait for the branch and return its result, or raise what it raised."""
        if not self._task.done():
            wait_for(asyncio.wait([self._task]))
        return self._task.result()

    def done(self) -> bool:
        """Whether the branch has ended."""
        return self._task.done()


class Branches:
    """The branches of one `with parallel()` block."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group

    def start(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Branch[R]:
        """Start a branch: a plain step, or any plain function of the flow.

        Args:
            function: What the branch runs, followed by its arguments.

        Returns:
            The branch; `result()` waits for it.

        Raises:
            RuntimeError: The block has ended, or ends because a branch has failed.
        """
        branch = drive(function, args, kwargs)
        try:
            return Branch(self._group.create_task(branch))
        except RuntimeError as error:
            branch.close()
            name = getattr(function, "__name__", repr(function))
            raise RuntimeError(
                f"`branches.start` of {name} comes too late: its `with parallel()` block has ended, "
                "or ends because a branch has failed. Start branches inside of the block"
            ) from error


@contextmanager
def parallel() -> Generator[Branches, None, None]:
    """Run branches of a plain flow side by side, and wait for all of them at the end of the block.

    It is an `asyncio.TaskGroup`: the first branch that fails cancels the others, and the block raises an
    `ExceptionGroup` of what failed.

    Yields:
        The branches; `branches.start(self.print_label, order.id)` starts one.

    Raises:
        NotInFlow: Not called in a plain flow body.
    """
    if not in_branch():
        raise NotInFlow(
            "`parallel()` belongs into a plain flow body that an engine runs; an async flow has gather and TaskGroup"
        )
    group = asyncio.TaskGroup()
    wait_for(group.__aenter__())
    try:
        yield Branches(group)
    except BaseException as error:
        if not wait_for(group.__aexit__(type(error), error, error.__traceback__)):
            raise
    else:
        wait_for(group.__aexit__(None, None, None))


_NO_TIME: Final = timedelta()


def sleep(duration: timedelta) -> None:
    """Wait durably in a plain flow body; async flows write `await asyncio.sleep(seconds)`.

    Args:
        duration: How long; wall clock, never shorter, also across restarts (G9).

    Raises:
        NotInFlow: Not called in a plain flow body.
        ValueError: A negative duration.
    """
    if not in_branch() or not isinstance(_get_running_loop(), FlowLoop):
        raise NotInFlow(
            "`persistasaurus.sleep` belongs into a plain flow body that an engine runs; an async flow has asyncio.sleep"
        )
    if duration < _NO_TIME:
        raise ValueError(f"a flow cannot sleep for {duration}: give a duration of zero or more")
    wait_for(asyncio.sleep(duration.total_seconds()))
