"""What a flow loop makes: handles, timers, futures and tasks, which hash the same in every run of their flow (G4)."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from persistasaurus.clock import Alarm
from persistasaurus.records import InvocationRow

if TYPE_CHECKING:
    from persistasaurus.flow_loop import FlowLoop

T = TypeVar("T")


class Ready(asyncio.Handle):
    """A callback that is ready to run; `call_soon` fills it in, its base would ask the loop for its debug mode."""

    __slots__ = ()

    _callback: Callable[..., object]
    _args: Sequence[Any]
    _context: contextvars.Context

    def cancel(self) -> None:
        self._cancelled = True

    def __repr__(self) -> str:
        return f"<Ready {self._callback!r}>"


class Timer(asyncio.TimerHandle):
    """A timer of a flow: `step` is the number its call drew, `due` the wall-clock time at which it fires."""

    __slots__ = ("alarm", "due", "round", "row", "step")

    def __init__(
        self,
        when: float,
        callback: Callable[..., object],
        args: tuple[Any, ...],
        loop: FlowLoop,
        context: contextvars.Context | None,
    ) -> None:
        self._when = when
        self._callback = callback
        self._args = args
        self._context = contextvars.copy_context() if context is None else context
        self._cancelled = False
        self._scheduled = True
        self._loop: FlowLoop = loop
        self.step = 0
        self.due = 0
        self.round = 0
        self.row: InvocationRow | None = None
        self.alarm: Alarm | None = None

    def cancel(self) -> None:
        if not self._cancelled:
            self._cancelled = True
            if self._scheduled and not self._loop.dead:
                self._loop.owner.timer_cancelled(self)

    def disarm(self) -> None:
        """Drop the alarm."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None

    def ring(self) -> None:
        """The alarm went off."""
        self.alarm = None
        self._loop.owner.due_reached(self)

    def fire(self) -> None:
        """Make the callback ready; the timer's delivery has arrived."""
        self._scheduled = False
        self._loop.call_soon(self._callback, *self._args, context=self._context)

    def __repr__(self) -> str:
        return f"<Timer {self.step} at {self._when}>"

    __hash__ = object.__hash__


class FlowFuture(asyncio.Future[T]):
    """A future whose hash is the same in every run of its flow."""

    __slots__ = ("_number",)

    def __init__(self, loop: FlowLoop) -> None:
        number = self._number = loop.last_hash + 1
        loop.last_hash = number
        super().__init__(loop=loop)

    def __hash__(self) -> int:
        return self._number


class FlowTask(asyncio.Task[T]):
    """A task whose hash and default name are the same in every run of its flow."""

    __slots__ = ("_number",)

    def __init__(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        loop: FlowLoop,
        name: str | None,
        context: contextvars.Context | None,
    ) -> None:
        number = self._number = loop.last_hash + 1
        loop.last_hash = number
        super().__init__(coro, loop=loop, name=name or f"flow-task-{number & 0xFFFFFFFF}", context=context)

    def __hash__(self) -> int:
        return self._number
