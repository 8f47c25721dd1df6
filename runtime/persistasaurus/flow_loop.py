"""The event loop a flow body runs on: its only source of progress is what its owner hands over (G4).

It has no selector, no clock and no threads. A timer is a call of the flow like any other; time stands still between
deliveries; tasks and futures hash the same in every run, because asyncio iterates sets of them.
"""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
import zlib
from asyncio.events import _get_running_loop, _set_running_loop
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any, NoReturn, Protocol, TypeVar, TypeVarTuple, Unpack, cast

from persistasaurus.clock import LONGEST_WAIT
from persistasaurus.errors import Evicted, NotOnFlowLoop
from persistasaurus.flow_futures import FlowFuture, FlowTask, Ready, Timer
from persistasaurus.refused_on_flow_loops import RefusesTheOutside, refuse_unordered

logger = logging.getLogger("persistasaurus.flow")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_MAX_REFUSALS = 1000
"""How often code of a dead loop may swallow `Evicted` before it is left where it stands."""

_unending: list[object] = []
"""What did not end when its flow was evicted; kept, so that garbage collection never runs it (G9)."""


class LoopOwner(Protocol):
    """What a flow loop asks of the execution it belongs to."""

    def timer_set(self, timer: Timer, when: float) -> None:
        """A timer was set: draw its step number and record it."""

    def timer_cancelled(self, timer: Timer) -> None:
        """A timer that has not fired is not wanted any more."""

    def due_reached(self, timer: Timer) -> None:
        """A timer's time has come."""

    def leave_behind(self) -> NoReturn:
        """Flow code of a dead loop swallows `Evicted` without end and without waiting."""

    def run_in_thread(self, function: Callable[..., Any], args: tuple[Any, ...]) -> asyncio.Future[Any]:
        """`asyncio.to_thread` or `run_in_executor` was called."""


class FlowLoop(RefusesTheOutside):
    """An event loop that moves only when `run_until_idle` is called.

    Args:
        flow_id: The flow it runs; hashes of its tasks and futures are made of it.
        owner: Records timers and runs plain steps.
    """

    def __init__(self, flow_id: str, owner: LoopOwner) -> None:
        self.owner = owner
        self.now = 0.0
        self.dead = False
        self._ready: deque[Ready] = deque()
        self.last_hash = zlib.crc32(flow_id.encode("utf-8", "surrogatepass")) << 32
        """Made of the flow id and a counter, so that sets of tasks and futures iterate the same in every run."""
        self._members: list[FlowTask[Any] | AsyncGenerator[Any, Any]] = []
        self._tidy_at = 64
        self._refusals = 0
        self._hooks = _hooks_of(self)
        self._outer: list[tuple[asyncio.AbstractEventLoop | None, Any]] = []

    # -- what the owner does with it ----------------------------------------------------------------------------------

    def run_until_idle(self) -> None:
        """Run what is ready, and what becomes ready by that, until nothing is; between `enter` and `leave`."""
        ready = self._ready
        while ready:
            handle = ready.popleft()
            if handle._cancelled:
                continue
            try:
                handle._context.run(handle._callback, *handle._args)
            except Exception as error:
                # A future's own callback failed; asyncio reports such an error and goes on.
                self.call_exception_handler({"message": "a callback in a flow failed", "exception": error})

    def enter(self) -> None:
        """Become the running loop of this thread, until `leave`."""
        self._outer.append((_get_running_loop(), sys.get_asyncgen_hooks()))
        _set_running_loop(self)
        sys.set_asyncgen_hooks(*self._hooks)

    def leave(self) -> None:
        """Make the loop that ran before the running one again."""
        loop, hooks = self._outer.pop()
        _set_running_loop(loop)
        sys.set_asyncgen_hooks(*hooks)

    def current_task(self) -> FlowTask[Any] | None:
        """The task whose code is running."""
        return cast("FlowTask[Any] | None", asyncio.current_task(self))

    @property
    def idle(self) -> bool:
        """Whether nothing is ready to run."""
        return not self._ready

    def unfinished_tasks(self) -> list[FlowTask[Any]]:
        """Tasks that are not done, oldest first."""
        return [member for member in self._members if isinstance(member, FlowTask) and not member.done()]

    def unfinished_generators(self) -> list[AsyncGenerator[Any, Any]]:
        """Async generators that were begun and have not ended, oldest first."""
        return [
            member for member in self._members if not isinstance(member, FlowTask) and _frame_of(member) is not None
        ]

    def kill(self) -> None:
        """End every task, async generator and greenlet of this loop, newest first, without a trace in the log (G9).

        Flow code sees `Evicted` where it waits, and again for whatever it tries to do then.
        """
        self.freeze()
        self.enter()
        try:
            while self._members:
                member = self._members.pop()
                if isinstance(member, FlowTask):
                    if not member.done():
                        member._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own way to say so
                        _end(member.get_coro())
                elif _frame_of(member) is not None:
                    _end(member.aclose())
        finally:
            self.leave()
            self._ready.clear()

    @property
    def is_empty(self) -> bool:
        """Whether everything has ended, or was left behind."""
        return not self._members

    def freeze(self) -> None:
        """Let nothing run any more; `kill` clears up once the running turn is over."""
        self.dead = True
        self._ready.clear()

    def refuse(self) -> NoReturn:
        """Raise `Evicted`; called for whatever flow code tries on a dead loop."""
        self._refusals += 1
        if self.swallows_evicted:
            self._refusals = 0
            self.owner.leave_behind()
        raise Evicted

    @property
    def swallows_evicted(self) -> bool:
        """Whether flow code has met `Evicted` so often that it will never end by it."""
        return self._refusals > _MAX_REFUSALS

    async def refuse_in_task(self) -> NoReturn:
        """Raise `Evicted`, or leave the task for good when it has swallowed that too often."""
        while self.swallows_evicted:
            await Nothing()
        self.refuse()

    # -- what asyncio does with it ------------------------------------------------------------------------------------

    def time(self) -> float:
        return self.now

    def get_debug(self) -> bool:
        return False

    def set_debug(self, enabled: bool) -> None:
        pass

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return self.dead

    def call_soon(
        self, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        handle = Ready.__new__(Ready)
        handle._callback = callback
        handle._args = args
        handle._context = contextvars.copy_context() if context is None else context
        handle._cancelled = False
        if not self.dead:
            self._ready.append(handle)
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        return self.call_at(self.now + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[Unpack[Ts]], object],
        *args: *Ts,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        if self.dead:
            self.refuse()
        when = min(when, self.now + LONGEST_WAIT.total_seconds())
        timer = Timer(when, callback, args, self, context)
        self.owner.timer_set(timer, when)
        return timer

    def create_future(self) -> asyncio.Future[Any]:
        if self.dead:
            self.refuse()
        return FlowFuture(self)

    def create_task(
        self,
        coro: Generator[Any, None, T] | Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: contextvars.Context | None = None,
        **options: Any,
    ) -> FlowTask[T]:
        if self.dead:
            # Who awaits the task is refused. Refusing it now would leave the other coroutines of a gather to complain
            # that nobody awaited them.
            coro.close()
            stillborn = FlowTask(coro, loop=self, name=name, context=context)
            stillborn._log_destroy_pending = False  # type: ignore[attr-defined]  # asyncio's own way to say so
            return stillborn
        if options.get("eager_start"):
            coro.close()
            raise NotOnFlowLoop("a flow body cannot start tasks eagerly: leave `eager_start` out")
        refuse_unordered(coro)
        task = FlowTask(coro, loop=self, name=name, context=context)
        self.adopt(task)
        return task

    def adopt(self, member: FlowTask[Any] | AsyncGenerator[Any, Any]) -> None:
        """Hold a task or an async generator until it has ended."""
        members = self._members
        members.append(member)
        if len(members) > self._tidy_at:
            self._members = [
                each
                for each in members
                if (not each.done() if isinstance(each, FlowTask) else _frame_of(each) is not None)
            ]
            self._tidy_at = max(64, 2 * len(self._members))

    def run_in_executor(self, executor: Any, func: Callable[[Unpack[Ts]], T], *args: *Ts) -> asyncio.Future[T]:
        if self.dead:
            self.refuse()
        return self.owner.run_in_thread(func, args)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.dead:
            error = context.get("exception")
            logger.error(
                "in a flow body: %s",
                context.get("message"),
                exc_info=error if isinstance(error, BaseException) else None,
            )

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def get_exception_handler(self) -> None:
        return None

    def get_task_factory(self) -> None:
        return None

    async def shutdown_asyncgens(self) -> None:
        pass


def _hooks_of(loop: FlowLoop) -> tuple[Callable[[AsyncGenerator[Any, Any]], None], Callable[[Any], None]]:
    # Held strongly from its first step, a generator is never finalized at the whim of garbage collection.
    return loop.adopt, lambda _generator: None


def _frame_of(generator: AsyncGenerator[Any, Any]) -> object:
    return generator.ag_frame  # type: ignore[attr-defined]  # every native async generator has it


class Nothing:
    """Awaited, it suspends once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


def _end(awaitable: Any) -> None:
    """Throw `Evicted` into a coroutine until it has ended."""
    for _ in range(_MAX_REFUSALS):
        try:
            awaitable.throw(Evicted())
        except StopIteration:
            return
        except BaseException:
            # Whatever a dying flow body raises goes nowhere: its outcome will be made by the replay.
            return
    keep_for_good(awaitable)


def keep_for_good(unending: object) -> None:
    """What swallows `Evicted` for ever is left where it stands; garbage collection must not run it either (G9)."""
    _unending.append(unending)
    logger.error("a flow body swallows Evicted for ever and was left behind: %r", unending)
