"""Runs step bodies: async ones as tasks of the program's event loop, plain ones on worker threads."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import sys
from collections.abc import Callable
from typing import Any

from persistasaurus.open_call import OpenCall
from persistasaurus.step_info import current_call
from persistasaurus.workers import Workers

# A body that never waits needs no turn of the event loop, where Python has eager tasks.
_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class Bodies:
    """The running step bodies of one engine.

    Args:
        loop: The program's event loop.
        threads: The largest number of threads for plain bodies.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, threads: int) -> None:
        self._loop = loop
        self._workers = Workers(loop, threads)
        self._context = contextvars.copy_context()
        self._running: dict[int, OpenCall] = {}
        self._all_ended: asyncio.Event | None = None

    def start(self, call: OpenCall) -> None:
        """Run the body of a call."""
        arguments = call.arguments
        if arguments is None:
            arguments = call.method.parameters.decode(call.parameters)
        call.arguments = None  # a further attempt gets values of its own, whatever this body does to them (G3)
        self._running[id(call)] = call
        body = call.method.body(call.proxy)
        call.stop_asked = call.body_started = False
        if call.method.is_async:
            call.body = asyncio.Task(
                self._run(call, body, *arguments), loop=self._loop, context=self._context.copy(), **_EAGER
            )
        else:
            self._workers.submit(lambda: self._run_plain(call, body, *arguments))

    def stop(self, call: OpenCall) -> None:
        """Ask an async body to stop; it answers by ending."""
        if call.body is not None:
            call.stop_asked = True
            if call.body_started:
                call.body.cancel()

    async def _run(
        self, call: OpenCall, body: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        call.body_started = True
        if call.stop_asked:  # a task cancelled before its first step would end without a word
            self._ended(call)
            call.execution.attempts.raised(call, asyncio.CancelledError())
            return
        current_call.set(call)
        try:
            value = await body(*args, **kwargs)
        except (KeyboardInterrupt, SystemExit):
            self._ended(call)  # no outcome: the step stays PENDING (G3)
            raise
        except BaseException as error:
            self._ended(call)
            if not self._cancelled_by_others(call, error):
                call.execution.attempts.raised(call, error)
        else:
            self._ended(call)
            call.execution.attempts.returned(call, value)

    def _cancelled_by_others(self, call: OpenCall, error: BaseException) -> bool:
        """Whether the task was cancelled, but not by the flow: the program is ending, which is no outcome."""
        if call.stop_asked or not isinstance(error, asyncio.CancelledError):
            return False
        task = asyncio.current_task()
        return task is not None and task.cancelling() > 0

    def _run_plain(
        self, call: OpenCall, body: Callable[..., Any], args: tuple[object, ...], kwargs: dict[str, object]
    ) -> Callable[[], None]:
        context = self._context.copy()
        context.run(current_call.set, call)
        try:
            value = context.run(body, *args, **kwargs)
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

    def _ended(self, call: OpenCall) -> None:
        del self._running[id(call)]
        if not self._running and self._all_ended is not None:
            self._all_ended.set()

    async def close(self, grace: float) -> int:
        """Let running bodies end for `grace` seconds, then cancel the async ones.

        Returns:
            How many had not ended by then; their steps stay PENDING.
        """
        if self._running:
            self._all_ended = asyncio.Event()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_ended.wait(), grace)
        left = list(self._running.values())
        tasks = [call.body for call in left if call.body is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=1.0)
        self._workers.stop()
        return len(left)
