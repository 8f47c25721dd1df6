"""`persistc generate --watch`: a command that is run again whenever something it read has changed."""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

from persistc.cannot_run import CannotRun
from persistc.disk import Record, recording
from persistc.exit_codes import CANNOT_RUN, CLEAN
from persistc.outcome import Outcome

INTERVAL = 0.2
"""Seconds between two looks at the files."""


def watch(run: Callable[[], Outcome]) -> int:
    """Run now and after every change, and print what is new, until Ctrl-C.

    A run that has written is followed by one that looks at what is there now: from then on its own files are to it
    like all others, and somebody else's change of one is noticed.

    Args:
        run: The command. It asks the disk through `persistc.disk`.

    Returns:
        The exit code, which says that nobody found fault with being stopped.
    """
    last: Outcome | None = None
    with _ctrl_c() as stopped:
        while not stopped.is_set():
            with recording() as record:
                outcome = _ended(run)
            if _is_news(outcome, last):
                sys.stdout.write(outcome.text)
                sys.stdout.flush()
            last = outcome
            gc.collect()  # which is off while a command runs, and this one may run for days
            if not outcome.has_written:
                _wait_for_change(record, stopped)
    return CLEAN


@contextmanager
def _ctrl_c() -> Iterator[Event]:
    """Set by the first Ctrl-C, which lets a run come to its end; the second one interrupts it.

    An exception in the middle of a run would also strike where it is taken for something else: while a class of
    libcst is made, Python turns it into a `RuntimeError`.
    """
    stopped = Event()
    before = signal.getsignal(signal.SIGINT)

    def stop(*_: object) -> None:
        stopped.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, stop)
    try:
        yield stopped
    finally:
        signal.signal(signal.SIGINT, before)


def _ended(run: Callable[[], Outcome]) -> Outcome:
    """What keeps a run from its work, a pyproject.toml saved half-way for one, may be gone at the next."""
    try:
        return run()
    except CannotRun as error:
        return Outcome(f"persistc: {error}\n", CANNOT_RUN)


def _is_news(outcome: Outcome, last: Outcome | None) -> bool:
    if last is None or outcome.has_written or outcome.exit_code != CLEAN:
        return True
    return outcome.text != last.text and not last.has_written


def _wait_for_change(record: Record, stopped: Event) -> None:
    marks = record.marks()
    if record.still_holds():  # else it changed between the reading and the marks
        while record.marks() == marks and not stopped.wait(INTERVAL):
            pass
    while (now := record.marks()) != marks:  # somebody is about to write: the files are read when nothing moves
        marks = now
        stopped.wait(INTERVAL)
