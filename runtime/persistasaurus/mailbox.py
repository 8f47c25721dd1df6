"""The signals sent to a flow that no wait has taken (G8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from persistasaurus.records import SignalRow


class Mailbox:
    """Unread signals, by method and key, in the order in which they were sent.

    Args:
        unread: What the log holds.
    """

    __slots__ = ("_known", "_unread")

    def __init__(self, unread: Iterable[SignalRow]) -> None:
        self._unread: dict[tuple[str, str | None], deque[SignalRow]] = {}
        self._known: set[str] = set()
        for signal in unread:
            self.keep(signal)

    def keep(self, signal: SignalRow) -> bool:
        """Keep a signal; False if it is known already, read from the log or told twice."""
        if signal.signal_id in self._known:
            return False
        self._known.add(signal.signal_id)
        self._unread.setdefault((signal.method_name, signal.key), deque()).append(signal)
        return True

    def first(self, method_name: str, key: str | None) -> SignalRow | None:
        """The next signal for a wait, left where it is."""
        waiting = self._unread.get((method_name, key))
        return waiting[0] if waiting else None

    def take(self, signal: SignalRow) -> None:
        """A wait has taken the next signal."""
        self._unread[signal.method_name, signal.key].popleft()

    def give_back(self, signal: SignalRow) -> None:
        """A wait was given up before its body started: its signal takes its old place."""
        unread = self._unread.setdefault((signal.method_name, signal.key), deque())
        unread.append(signal)
        self._unread[signal.method_name, signal.key] = deque(sorted(unread, key=lambda each: each.signal_id))
