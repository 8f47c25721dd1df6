"""Fold the writes of a batch into one change a row, so that a batch is a handful of statements however long it is.

What a transaction holds becomes durable together, so the order between rows does not matter, and of one row only the
last state does. Where writes to one row do not merge, the fold ends and another one begins behind it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from persistasaurus.records import (
    Answer,
    CallChanged,
    CallMade,
    FlowChanged,
    FlowRow,
    FlowStatus,
    Readmit,
    Resume,
    Send,
    SignalReturned,
    SignalRow,
    SignalTaken,
    Start,
    Status,
    Write,
)
from persistasaurus.row_changes import READS_NO_SIGNALS, change_of, flow_changed, flow_running, flow_woken

KnownFlows = dict[str, FlowRow | None]
"""The flows that the questions of a batch are about, as they are at this point of the transaction."""


class Fold:
    """What a stretch of writes changes, by row."""

    __slots__ = (
        "answers",
        "calls_changed",
        "calls_made",
        "calls_settled",
        "flows_changed",
        "flows_resumed",
        "flows_started",
        "known",
        "signals_returned",
        "signals_sent",
        "signals_taken",
        "waits_ended",
    )

    def __init__(self, known: KnownFlows) -> None:
        self.known = known
        self.flows_started: dict[str, FlowRow] = {}
        self.flows_changed: dict[str, FlowChanged] = {}
        self.flows_resumed: list[str] = []
        self.calls_made: dict[tuple[str, int], CallMade] = {}
        self.calls_settled: dict[tuple[str, int], CallChanged] = {}
        """Changes of calls that were made in this stretch."""
        self.calls_changed: dict[tuple[str, int], CallChanged] = {}
        self.waits_ended: dict[tuple[str, int], SignalTaken] = {}
        """Waits made before this stretch that got a signal."""
        self.signals_sent: dict[tuple[str, str], SignalRow] = {}
        self.signals_taken: dict[tuple[str, str], int] = {}
        self.signals_returned: dict[tuple[str, str], int] = {}
        self.answers: dict[int, Answer] = {}
        """By the index of the question in the batch."""

    def take(self, writes: Sequence[Write], begin: int) -> int:
        """Fold writes from index `begin` on, as far as they merge.

        Returns:
            The index of the first write that does not; an empty fold takes any write but a `Reopen`.
        """
        made, settled, changed = self.calls_made, self.calls_settled, self.calls_changed
        for index in range(begin, len(writes)):
            write = writes[index]
            if isinstance(write, CallChanged):
                call = (write.flow_id, write.step)
                if call in made:
                    settled[call] = write
                else:
                    changed[call] = write
            elif isinstance(write, CallMade):
                call = (write.flow_id, write.step)
                if call in made or call in changed or call in self.waits_ended:
                    return index
                made[call] = write
            elif isinstance(write, FlowChanged):
                row = self.known.get(write.flow_id)
                if row is not None:
                    self._set_flow(flow_changed(row, write))
                else:
                    self.flows_changed[write.flow_id] = write
            elif not self._take_rarer(write, index):
                return index
        return len(writes)

    def _take_rarer(self, write: Write, index: int) -> bool:
        match write:
            case SignalTaken():
                return self._take_signal(write)
            case SignalReturned():
                signal = (write.flow_id, write.signal_id)
                if signal in self.signals_taken or signal in self.signals_returned:
                    return False
                self.signals_returned[signal] = write.step
            case Start():
                return self._start(write.flow, index)
            case Send():
                return self._send(write.signal, index)
            case Resume():
                found = self.answers[index] = self.known[write.flow_id]
                if found is not None and found.status is FlowStatus.PARKED:
                    self._set_flow(flow_running(found))
                    self.flows_resumed.append(write.flow_id)
            case Readmit():
                pass
            case _:
                return False
        return True

    def _set_flow(self, row: FlowRow) -> None:
        self.known[row.flow_id] = row
        if row.flow_id in self.flows_started:
            self.flows_started[row.flow_id] = row
        else:
            self.flows_changed[row.flow_id] = change_of(row)

    def _start(self, flow: FlowRow, index: int) -> bool:
        if flow.flow_id in self.flows_changed:
            return False
        found = self.answers[index] = self.known[flow.flow_id]
        if found is None:
            self.flows_started[flow.flow_id] = self.known[flow.flow_id] = flow
        return True

    def _send(self, signal: SignalRow, index: int) -> bool:
        key = (signal.flow_id, signal.signal_id)
        if key in self.signals_sent or key in self.signals_taken or key in self.signals_returned:
            return False
        found = self.answers[index] = self.known[signal.flow_id]
        if found is not None and found.status not in READS_NO_SIGNALS:
            self.signals_sent[key] = signal
            if found.status is FlowStatus.WAITING:
                self._set_flow(flow_woken(found, signal.sent_at))
        return True

    def _take_signal(self, write: SignalTaken) -> bool:
        call = (write.flow_id, write.step)
        signal = (write.flow_id, write.signal_id)
        if (
            call in self.calls_changed
            or call in self.calls_settled
            or call in self.waits_ended
            or signal in self.signals_taken
            or signal in self.signals_returned
        ):
            return False
        made = self.calls_made.get(call)
        if made is not None and made.status is Status.WAITING_FOR_SIGNAL:
            self.calls_made[call] = replace(
                made, status=Status.PENDING, parameters=write.parameters, attempts=write.attempts, due=None
            )
        else:
            self.waits_ended[call] = write
        self.signals_taken[signal] = write.step
        return True
