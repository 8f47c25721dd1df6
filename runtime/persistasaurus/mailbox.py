"""The signals sent to a flow: kept until a wait takes them, lower numbers first (G8)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import TYPE_CHECKING

from persistasaurus.errors import CorruptRow, PersistasaurusError
from persistasaurus.open_call import OpenCall, State
from persistasaurus.records import SignalRow, SignalTaken

if TYPE_CHECKING:
    from persistasaurus.execution import Execution


class Mailbox:
    """The unread signals of one flow, by method and key, in the order in which they were sent.

    Args:
        execution: The run of the flow.
        unread: What the log holds.
    """

    __slots__ = ("_execution", "_known", "_unread")

    def __init__(self, execution: Execution, unread: Iterable[SignalRow]) -> None:
        self._execution = execution
        self._unread: dict[tuple[str, str | None], deque[SignalRow]] = {}
        self._known: set[str] = set()
        for signal in unread:
            self._keep(signal)

    def heard_of(self, signal: SignalRow) -> None:
        """A signal for the flow was sent through another engine."""
        if signal.taken_by is None:
            self.arrived(signal)
        elif not self._execution.dead:
            # Read in an earlier run. The flow's row is put again, for it may have been put before that was known.
            self._execution.record.touched = True
            self._execution.settle()

    def arrived(self, signal: SignalRow) -> None:
        """A signal for the flow is on record."""
        execution = self._execution
        if execution.dead or not self._keep(signal):
            return
        execution.record.touched = True
        if not execution.host.closing:
            call = execution.calls.first_wait(signal.method_name, signal.key)
            if call is not None and execution.history is None:
                self.give(call)
            execution.settle_or_park()

    def give_out(self) -> None:
        """Every wait takes the first signal meant for it, lower numbers first."""
        if self._execution.history is None:
            for call in self._execution.calls.waiting():
                self.give(call)

    def give(self, call: OpenCall) -> None:
        """A wait takes the first signal meant for it, if there is one."""
        signal = self._first(call.method.name, call.key)
        if signal is None:
            return
        execution = self._execution
        try:
            call.arguments = call.method.parameters.decode(signal.arguments)
        except PersistasaurusError as error:
            problem = f"flow {execution.flow_id}: a signal does not fit the code any more: {error}"
            execution.problem = CorruptRow(problem)
            execution.loop.freeze()
            return
        self._unread[signal.method_name, signal.key].popleft()
        execution.record.running()
        call.disarm()
        call.due = None
        call.signal = signal
        call.parameters = signal.arguments
        call.attempts = 1
        execution.calls.enter(call, State.STARTING)
        execution.record.put(SignalTaken(signal.flow_id, call.step, signal.signal_id, signal.arguments, 1))
        execution.record.when_durable(call)

    def give_back(self, signal: SignalRow) -> None:
        """A wait was given up before its body started: its signal takes its old place."""
        unread = self._unread.setdefault((signal.method_name, signal.key), deque())
        unread.append(signal)
        self._unread[signal.method_name, signal.key] = deque(sorted(unread, key=lambda each: each.signal_id))

    def _keep(self, signal: SignalRow) -> bool:
        """Keep a signal; False if it is known already, read from the log or told twice."""
        if signal.signal_id in self._known:
            return False
        self._known.add(signal.signal_id)
        self._unread.setdefault((signal.method_name, signal.key), deque()).append(signal)
        return True

    def _first(self, method_name: str, key: str | None) -> SignalRow | None:
        """The next signal for a wait, left where it is."""
        waiting = self._unread.get((method_name, key))
        return waiting[0] if waiting else None
