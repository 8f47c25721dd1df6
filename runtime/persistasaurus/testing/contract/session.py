"""An open log under test: puts writes so that they wait together, and says what their commit settled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from persistasaurus.log import ExecutionLog
from persistasaurus.records import (
    Answer,
    CallChanged,
    CallMade,
    Commit,
    FlowChanged,
    FlowRow,
    FlowStatus,
    Kind,
    Readmit,
    SignalRow,
    Status,
    Write,
)

PATIENCE = 30.0
"""Seconds after which a commit that does not come fails the test."""

ErrorT = TypeVar("ErrorT", bound=BaseException)


class Settled:
    """What the commits of some writes settled: `refused` by flow id, and the answers in the order of the questions."""

    def __init__(self, refused: dict[str, Exception], answers: list[Answer | Exception]) -> None:
        self.refused = refused
        self.answers = answers

    @property
    def answer(self) -> Answer | Exception:
        """The answer of the only question."""
        (answer,) = self.answers
        return answer


class Session:
    """A log that is open.

    Attributes:
        log: The log.
        commits: All it told of, in order.
    """

    def __init__(self, log: ExecutionLog) -> None:
        self.log = log
        self.commits: list[Commit] = []
        self._changed = threading.Condition()
        self._held = False
        log.open(self._on_commit)

    def make(self, *writes: Write) -> Settled:
        """Put writes so that they wait together, as far as the log commits what waits in one go; wait until settled."""
        with self._changed:
            self._held = True
        first = self.log.put(Readmit("nobody"))
        self._wait(lambda: self.position >= first)  # the log is in `_on_commit` now, until it is let go
        for write in writes:
            last = self.log.put(write)
        with self._changed:
            self._held = False
            self._changed.notify_all()
        return self.settled(first, last if writes else first)

    def settled(self, after: int, position: int) -> Settled:
        """Wait for the commit of `position`; what became of the writes after `after`."""
        self._wait(lambda: self.position >= position)
        refused: dict[str, Exception] = {}
        answers: dict[int, Answer | Exception] = {}
        for commit in self.commits:
            if commit.position > after:
                refused.update(commit.refused)
                answers.update(commit.answers)
        return Settled(refused, [answers[key] for key in sorted(answers) if key > after])

    @contextmanager
    def ending(self) -> Iterator[Callable[[], Exception | None]]:
        """What is done inside ends the log; gives a function that says why it has ended, once that was told."""
        yield lambda: self.commits[-1].end
        self._wait(lambda: bool(self.commits) and self.commits[-1].end is not None)

    @property
    def position(self) -> int:
        """The position up to which everything is settled."""
        return self.commits[-1].position if self.commits else 0

    def _on_commit(self, commit: Commit) -> None:
        with self._changed:
            self.commits.append(commit)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: not self._held, PATIENCE), "a test holds a commit for ever"

    def _wait(self, done: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(done, PATIENCE), "no commit came"


class LogContract:
    """What the parts of the contract share: how to come by a log."""

    def make_log(self) -> ExecutionLog:
        """A new log, empty and not open."""
        raise NotImplementedError("a subclass says which log is tested")

    def reopened(self, log: ExecutionLog) -> ExecutionLog:
        """A log, not open, with what `log` held when it was closed."""
        return log

    def beside(self, log: ExecutionLog) -> ExecutionLog:
        """Another log, not open, on what `log` holds, which is open: for another engine."""
        raise NotImplementedError("a subclass says how engines share a log")

    @contextmanager
    def opened(self, log: ExecutionLog | None = None) -> Iterator[Session]:
        """A log that is open, closed at the end."""
        session = Session(self.make_log() if log is None else log)
        try:
            yield session
        finally:
            session.log.close()


@contextmanager
def refusing(error_class: type[ErrorT]) -> Iterator[None]:
    """What is done inside must raise this error."""
    try:
        yield
    except error_class:
        return
    raise AssertionError(f"no {error_class.__name__} was raised")


NAMES = ("Signup.sign_up",)
"""The name of every flow that `flow_row` makes."""


def flow_row(flow_id: str = "f", status: FlowStatus = FlowStatus.RUNNING, timestamp: int = 1_000) -> FlowRow:
    """A new flow's row."""
    return FlowRow(flow_id, "Signup", "sign_up", timestamp, '["alice"]', status, "3.11")


def made(step: int, flow_id: str = "f", status: Status = Status.PENDING, kind: Kind = Kind.STEP) -> CallMade:
    """A call is made."""
    return CallMade(
        flow_id, step, kind, "Signup", f"step_{step}", None, 1_000 + step, 0, "[]", None, 0, status, 1, None
    )


def changed(step: int, flow_id: str = "f", status: Status = Status.COMPLETE, attempts: int = 1) -> CallChanged:
    """A call has ended, as delivery `step`."""
    return CallChanged(flow_id, step, status, attempts, 0, None, f'"{step}"', step, 2_000 + step, None)


def flow_changed(status: FlowStatus, flow_id: str = "f", due: int | None = None) -> FlowChanged:
    """The flow's own row changes."""
    return FlowChanged(flow_id, status, due, 0, None, None, None)


def signal(signal_id: str, flow_id: str = "f", sent_at: int = 3_000) -> SignalRow:
    """A signal that is sent."""
    return SignalRow(signal_id, flow_id, "confirm", None, f'["{signal_id}"]', sent_at)


def waiting(step: int, flow_id: str = "f") -> CallMade:
    """A wait for a signal begins, with a time limit."""
    return CallMade(
        flow_id,
        step,
        Kind.SIGNAL,
        "Signup",
        "confirm",
        None,
        1_000 + step,
        0,
        "[]",
        60,
        0,
        Status.WAITING_FOR_SIGNAL,
        0,
        9_000,
    )
