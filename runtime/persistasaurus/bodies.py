"""Runs step bodies: async ones on the program's event loop, plain ones on worker threads.

A task for each body would be half of what a small step costs. So async bodies share a task, one after another, as long
as they do not wait. One that waits keeps the task to itself and ends it, so that no other body feels anything of it;
another task takes over the rest. Each body has a context of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections import deque
from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Final

from persistasaurus.open_call import OpenCall
from persistasaurus.step_info import current_call
from persistasaurus.workers import Workers

if TYPE_CHECKING:
    from persistasaurus.execution import Execution

_BODIES_A_TURN: Final = 50
"""How many bodies run before the rest of the program gets its turn."""


class Bodies:
    """The step bodies of one engine.

    Args:
        loop: The program's event loop.
        threads: The largest number of threads for plain bodies.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        self._loop = loop
        self._workers = Workers(loop, threads, self._run_plain)
        self._context = contextvars.copy_context()
        self._running: dict[int, OpenCall] = {}
        self._all_ended: asyncio.Event | None = None
        self._queue: deque[OpenCall] = deque()
        self._idle: list[asyncio.Future[None]] = []
        self._tasks: set[BodyTask] = set()
        self._taking_over = False

    def start(self, call: OpenCall) -> None:
        """Run the body of a call."""
        call.stop_asked = False
        self._running[id(call)] = call
        if call.method.is_async:
            self._queue.append(call)
            if not self._taking_over:
                self._take_over()
        else:
            self._workers.submit(call)

    @property
    def count(self) -> int:
        """How many have not ended."""
        return len(self._running)

    def stop(self, call: OpenCall) -> None:
        """Ask an async body to stop; it answers by ending."""
        call.stop_asked = True
        if call.body is not None:
            call.body.stop()

    def stop_all_of(self, execution: Execution) -> None:
        """Ask the async bodies of one run to stop: nobody wants their outcomes any more."""
        for call in list(self._running.values()):
            if call.execution is execution:
                self.stop(call)

    def withdraw(self) -> list[OpenCall]:
        """Take back the calls whose bodies have not begun."""
        withdrawn = [*self._queue, *self._workers.withdraw()]
        self._queue.clear()
        for call in withdrawn:
            del self._running[id(call)]
        return withdrawn

    async def close(self, grace: float) -> int:
        """Let running bodies end for `grace` seconds, then cancel the async ones.

        Returns:
            How many had not ended by then; their steps stay PENDING.
        """
        try:
            if self._running:
                self._all_ended = asyncio.Event()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._all_ended.wait(), grace)
        finally:  # also for an impatient caller, who cancels this
            left = len(self._running)
            tasks = list(self._tasks)
            for task in tasks:
                task.end()
            if tasks:
                await asyncio.wait(tasks, timeout=1.0)
            self._workers.stop()
        return left

    # -- async bodies --------------------------------------------------------------------------------------------------

    def _take_over(self) -> None:
        """Have a task run what is in the queue."""
        self._taking_over = True
        while self._idle:
            idle = self._idle.pop()
            if not idle.done():
                idle.set_result(None)
                return
        task = BodyTask(self._work(), loop=self._loop, context=self._context.copy())
        self._tasks.add(task)
        task.add_done_callback(self._task_ended)

    def _task_ended(self, task: BodyTask) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            # No body did that, they are caught. Whatever it was, the other bodies go on.
            self._loop.call_exception_handler({"message": "ending a step failed", "exception": error, "task": task})
            self._taking_over = False
            self.waits()

    def waits(self) -> None:
        """The body that is running waits: another task takes over the rest."""
        if self._queue and not self._taking_over:
            self._take_over()

    async def _work(self) -> None:
        task = asyncio.current_task()
        assert isinstance(task, BodyTask)
        queue = self._queue
        while True:
            self._taking_over = False
            for _ in range(_BODIES_A_TURN):
                if not queue:
                    break
                await self._run(queue.popleft(), task)
                if task.is_spent:
                    self.waits()
                    return
            if not queue:
                idle = self._loop.create_future()
                self._idle.append(idle)
                await idle
            elif self._taking_over:
                continue
            else:
                self._taking_over = True
                await asyncio.sleep(0)

    async def _run(self, call: OpenCall, task: BodyTask) -> None:
        if call.stop_asked:
            self._ended(call)
            call.execution.attempts.raised(call, asyncio.CancelledError())
            return
        call.body = task
        try:
            args, kwargs = _take_arguments(call)
            value = await _InContext(self, call, task, call.method.body(call.proxy)(*args, **kwargs))
        except (KeyboardInterrupt, SystemExit):
            self._ended(call)  # no outcome: the step stays PENDING (G3)
            raise
        except BaseException as error:
            self._ended(call)
            if isinstance(error, asyncio.CancelledError) and task.is_ended_from_outside and not call.stop_asked:
                raise  # neither the flow nor a body cancelled it, the program is ending: no outcome
            call.execution.attempts.raised(call, error)
        else:
            self._ended(call)
            call.execution.attempts.returned(call, value)

    def _ended(self, call: OpenCall) -> None:
        call.body = None
        del self._running[id(call)]
        if not self._running and self._all_ended is not None:
            self._all_ended.set()

    # -- plain bodies --------------------------------------------------------------------------------------------------

    def _run_plain(self, call: OpenCall) -> Callable[[], None]:
        context = self._context.copy()
        context.run(current_call.set, call)
        try:
            args, kwargs = _take_arguments(call)
            value = context.run(call.method.body(call.proxy), *args, **kwargs)
        except BaseException as error:
            outcome = error
            return lambda: self._plain_raised(call, outcome)
        return lambda: self._plain_returned(call, value)

    def _plain_returned(self, call: OpenCall, value: object) -> None:
        self._ended(call)
        call.execution.attempts.returned(call, value)

    def _plain_raised(self, call: OpenCall, error: BaseException) -> None:
        self._ended(call)
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error
        call.execution.attempts.raised(call, error)

    def in_context(self, call: OpenCall) -> contextvars.Context:
        """A context of its own for the body of a call."""
        context = self._context.copy()
        context.run(current_call.set, call)
        return context


class BodyTask(asyncio.Task[None]):
    """A task that runs bodies. It knows who cancels it: what is left of an earlier body must not reach the next one."""

    is_spent = False
    """Whether a body waited on it or was cancelled: it runs no other."""
    _from_outside = False

    @property
    def is_ended_from_outside(self) -> bool:
        """Whether it was cancelled, and not by a body: the program is ending."""
        return self._from_outside and self.cancelling() > 0

    def end(self) -> None:
        """Cancel it because the program is ending."""
        self._from_outside = True
        self.stop()

    def cancel(self, msg: Any | None = None) -> bool:
        by = current_call.get()
        if by is None:
            self._from_outside = True
        elif by.body is None:
            return False  # a timer or a task left over by a body that is over
        return self.stop(msg)

    def stop(self, msg: Any | None = None) -> bool:
        """Cancel it, whoever asks."""
        self.is_spent = True
        return super().cancel(msg)


class _InContext:
    """Awaits a body in a context of its own, and says so when it waits for the first time."""

    __slots__ = ("_bodies", "_call", "_coroutine", "_task")

    def __init__(self, bodies: Bodies, call: OpenCall, task: BodyTask, coroutine: Coroutine[Any, Any, Any]) -> None:
        self._bodies = bodies
        self._call = call
        self._task = task
        self._coroutine = coroutine

    def __await__(self) -> Generator[Any, Any, Any]:
        coroutine = self._coroutine
        context = self._bodies.in_context(self._call)
        try:
            waits_for = context.run(coroutine.send, None)
            self._task.is_spent = True
            self._bodies.waits()
            while True:
                try:
                    sent = yield waits_for
                except BaseException as error:
                    waits_for = context.run(coroutine.throw, error)
                else:
                    waits_for = context.run(coroutine.send, sent)
        except StopIteration as end:
            return end.value


def _take_arguments(call: OpenCall) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments for an attempt; a further one gets values of its own, whatever this body does to them (G3)."""
    arguments, call.arguments = call.arguments, None
    return arguments if arguments is not None else call.method.parameters.decode(call.parameters)
