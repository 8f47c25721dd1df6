"""Greenlets on which flow turns run, so that a plain step called by an async flow can suspend the whole flow (G4)."""

from __future__ import annotations

from collections.abc import Callable

from greenlet import getcurrent, greenlet


class Pump:
    """Runs functions that may suspend themselves.

    Greenlets are reused: one serves all flows of an engine until a flow suspends on it.
    """

    def __init__(self) -> None:
        self._idle: list[greenlet] = []

    def run(self, function: Callable[[], None]) -> None:
        """Run a function on a greenlet; returns when it has ended or suspended itself."""
        worker = self._idle.pop() if self._idle else greenlet(self._work)
        worker.parent = getcurrent()
        worker.switch(function)

    @staticmethod
    def suspend() -> None:
        """Called by the function: go back to whoever ran or resumed it, until it is resumed."""
        parent = getcurrent().parent
        assert parent is not None
        parent.switch()

    @staticmethod
    def resume(suspended: greenlet) -> None:
        """Go on with a function that suspended itself; returns when it has ended or suspended itself again."""
        suspended.parent = getcurrent()
        suspended.switch()

    @staticmethod
    def interrupt(suspended: greenlet, error: BaseException) -> None:
        """Raise an error where a function suspended itself."""
        suspended.parent = getcurrent()
        suspended.throw(error)

    def close(self) -> None:
        """End the idle greenlets; a suspended frame is hidden from garbage collection and would live for ever."""
        while self._idle:
            idle = self._idle.pop()
            idle.parent = getcurrent()
            idle.throw()

    def _work(self, function: Callable[[], None] | None) -> None:
        while function is not None:
            function()
            function = None  # or the last flow would stay in memory until the next one comes
            self._idle.append(getcurrent())
            parent = getcurrent().parent
            assert parent is not None
            function = parent.switch()
