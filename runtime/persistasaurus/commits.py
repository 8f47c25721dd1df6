"""What waits for the log: those who go on when something is durable, and those who asked it something (G1)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from typing import Any, Final, Protocol, TypeVarTuple, Unpack

from persistasaurus.errors import EngineClosed
from persistasaurus.hosting import Waiter
from persistasaurus.records import Answer, Commit, Question, Send, Write

Ts = TypeVarTuple("Ts")

logger = logging.getLogger("persistasaurus.engine")

Then = Callable[[Any], None]
"""Called with the answer to a question."""


class Hearer(Protocol):
    """Who hears what commits say of flows nobody waits for."""

    def refused(self, flow_id: str, error: Exception) -> None:
        """The log refused a row of this flow, and drops what follows."""

    def signal_settled(self, flow_id: str) -> None:
        """A signal for this flow that was on its way is on record, or never will be."""

    def fenced(self, engine: int) -> None:
        """What was put for flows is not recorded from now on: this engine has lost its claims, and is another now."""

    def log_ended(self, error: Exception) -> None:
        """Nothing is recorded any more."""


class Commits:
    """Passes on what the log has committed; everything here happens on the event loop's thread, but `committed`.

    Args:
        put: Puts a write into the log.
        hearer: Hears the rest.
    """

    def __init__(self, put: Callable[[Write], int], hearer: Hearer) -> None:
        self._put = put
        self._hearer = hearer
        self._loop = asyncio.get_running_loop()
        self._durable = 0
        self._waiters: deque[tuple[int, Waiter]] = deque()
        self._questions: dict[int, tuple[Question, asyncio.Future[Any], Then | None]] = {}
        self._sends: Counter[str] = Counter()
        self._unheard: deque[Commit] = deque()
        self._told = False
        self._closing = False

    def is_durable(self, position: int) -> bool:
        """Whether everything up to a position is durable."""
        return position <= self._durable

    def when_durable(self, position: int, waiter: Waiter) -> None:
        """Tell the waiter when everything up to the position is durable."""
        if position <= self._durable:
            self._loop.call_soon(waiter.durable)
        else:
            self._waiters.append((position, waiter))

    def ask(self, question: Question, then: Then | None = None) -> asyncio.Future[Any]:
        """Put a question to the log.

        Args:
            question: What is put.
            then: Called with the answer as soon as it is there, whether or not the caller still waits.

        Returns:
            A future of the answer.

        Raises:
            EngineClosed: It takes no more.
        """
        if self._closing:
            raise EngineClosed("the engine is closing and takes no more work")
        future: asyncio.Future[Any] = self._loop.create_future()
        self._questions[self._put(question)] = (question, future, then)
        if isinstance(question, Send):
            self._sends[question.signal.flow_id] += 1
        return future

    def is_sent_to(self, flow_id: str) -> bool:
        """Whether a signal for the flow is on its way into the log."""
        return flow_id in self._sends

    def close(self) -> None:
        """Take no more questions, and let nobody act on answers."""
        self._closing = True

    def fail_questions(self, error: Exception) -> None:
        """The log is closed: what has no answer gets this error."""
        for _, future, _ in self._questions.values():
            fail(future, error)

    def committed(self, commit: Commit) -> None:
        """Hear of a commit, on any thread; one wake-up of the loop serves all that come before it gets to them."""
        self._unheard.append(commit)
        if not self._told:
            self._told = True
            try:
                self._loop.call_soon_threadsafe(self.settle)
            except RuntimeError:
                return  # the loop is closed; the log has it all

    def settle(self) -> None:
        """Pass on what was committed."""
        self._told = False
        while self._unheard:
            commit = self._unheard.popleft()
            if commit.end is not None:
                self._waiters.clear()
                _guarded(self._hearer.log_ended, commit.end)
                return
            if commit.fenced:
                self._waiters.clear()  # for what was dropped
                _guarded(self._hearer.fenced, commit.fenced)
            for flow_id, error in commit.refused.items():
                _guarded(self._hearer.refused, flow_id, error)
            self._durable = commit.position
            for position, answer in commit.answers.items():
                _guarded(self._answered, position, answer)
            waiters = self._waiters
            while waiters and waiters[0][0] <= commit.position:
                try:
                    waiters.popleft()[1].durable()
                except Exception:
                    logger.exception(_FAILED)

    def _answered(self, position: int, answer: Answer | Exception) -> None:
        question, future, then = self._questions.pop(position)
        if isinstance(question, Send):
            flow_id = question.signal.flow_id
            self._sends[flow_id] -= 1
            if not self._sends[flow_id]:
                del self._sends[flow_id]
            self._tell(answer, future, then)
            self._hearer.signal_settled(flow_id)
        else:
            self._tell(answer, future, then)

    def _tell(self, answer: Answer | Exception, future: asyncio.Future[Any], then: Then | None) -> None:
        if isinstance(answer, Exception):
            fail(future, answer)
            return
        if then is not None and not self._closing:
            try:
                then(answer)
            except Exception as error:  # the asker's alone: others wait for answers, too
                fail(future, error)
                return
        if not future.done():
            future.set_result(answer)


_FAILED: Final = "what waited for a commit could not go on; everything else does"


def _guarded(hear: Callable[[Unpack[Ts]], object], *what: *Ts) -> None:
    """Whatever one of them does, the others hear of their part of a commit, too."""
    try:
        hear(*what)
    except Exception:
        logger.exception(_FAILED)


def fail(future: asyncio.Future[Any], error: Exception) -> None:
    """Give a future an error, unless it has an outcome."""
    if not future.done():
        future.set_exception(error)
        future.exception()  # it is no news if nobody waits any more
