"""Fold the writes of a batch into one change a row, so that a batch is a handful of statements however long it is.

What a transaction holds becomes durable together, so the order between rows does not matter, and of one row only the
last state does. Where writes to one row do not merge, the fold ends and another one begins behind it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec.structs import replace

from persistasaurus.errors import ClaimLost
from persistasaurus.records import (
    Answer,
    CallChanged,
    CallMade,
    Claim,
    Delete,
    Extend,
    FlowChanged,
    FlowRow,
    FlowStatus,
    Readmit,
    Rejoin,
    Release,
    Reopen,
    Resume,
    Send,
    SignalReturned,
    SignalRow,
    SignalTaken,
    Start,
    Status,
    Sweep,
    Write,
)
from persistasaurus.row_changes import (
    NOTHING_UNHEARD,
    READS_NO_SIGNALS,
    change_of,
    flow_changed,
    flow_claimed,
    flow_running,
    flow_woken,
    is_claimable,
)

ALONE: Final = (Reopen, Release, Delete, Extend, Sweep)
"""Writes that no fold takes: each is made by statements of its own."""


@dataclass(slots=True)
class Known:
    """The flows that the questions of a batch are about, as they are at this point of the transaction."""

    engine: int
    """Whose batch it is."""
    rows: dict[str, FlowRow | None] = field(default_factory=dict)
    owners: dict[str, int | None] = field(default_factory=dict)
    """The engine that runs each of them, or ran it last, if it lives."""


class Fold:
    """What a stretch of writes changes, by row."""

    __slots__ = (
        "answers",
        "calls_changed",
        "calls_made",
        "calls_settled",
        "claimed",
        "flows_changed",
        "flows_started",
        "known",
        "signals_returned",
        "signals_sent",
        "signals_taken",
        "waits_ended",
    )

    def __init__(self, known: Known) -> None:
        self.known = known
        self.flows_started: dict[str, FlowRow] = {}
        self.flows_changed: dict[str, FlowChanged] = {}
        self.claimed: dict[str, int] = {}
        """The claims in the file of flows that were claimed in this stretch."""
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
            The index of the first write that does not; an empty fold takes any write but those of `ALONE`.
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
                if not self._change(write):
                    return index
            elif not self._take_rarer(write, index):
                return index
        return len(writes)

    def _take_rarer(self, write: Write, index: int) -> bool:
        match write:
            case SignalTaken() | SignalReturned() if self._waits(write.flow_id):
                return False  # what a flow that waits has not heard of is asked when its row is written: after signals
            case SignalTaken():
                return self._take_signal(write)
            case SignalReturned():
                signal = (write.flow_id, write.signal_id)
                if signal in self.signals_taken or signal in self.signals_returned:
                    return False
                self.signals_returned[signal] = write.step
            case Start():
                return self._start(write, index)
            case Send():
                return self._send(write.signal, index)
            case Claim():
                self._claim(write, index)
            case Resume():
                found = self.answers[index] = self.known.rows[write.flow_id]
                if found is not None and found.status is FlowStatus.PARKED:
                    self.known.owners[write.flow_id] = None
                    self._set_flow(flow_running(found))
            case Readmit() | Rejoin():
                pass
            case _:
                return False
        return True

    def _waits(self, flow_id: str) -> bool:
        changed = self.flows_changed.get(flow_id)
        return changed is not None and changed.status is FlowStatus.WAITING

    def _change(self, write: FlowChanged) -> bool:
        flow_id = write.flow_id
        row = self.known.rows.get(flow_id)
        if row is not None:
            if row.claims != write.claims:
                raise ClaimLost(f"flow {flow_id!r} went to another engine, which goes on with it")
            self.known.owners[flow_id] = self.known.engine
            self._set_flow(flow_changed(row, write), write.heard)
            return True
        earlier = self.flows_changed.get(flow_id)
        if earlier is not None and earlier.claims != write.claims:
            return False
        self.flows_changed[flow_id] = write
        return True

    def _set_flow(self, row: FlowRow, heard: int | None = None) -> None:
        flow_id = row.flow_id
        self.known.rows[flow_id] = row
        if flow_id in self.flows_started:
            self.flows_started[flow_id] = row
            return
        if heard is None:
            earlier = self.flows_changed.get(flow_id)
            heard = NOTHING_UNHEARD if earlier is None else earlier.heard
        self.flows_changed[flow_id] = change_of(row, heard)

    def _start(self, write: Start, index: int) -> bool:
        flow = write.flow
        if flow.flow_id in self.flows_changed:
            return False
        found = self.answers[index] = self.known.rows[flow.flow_id]
        if found is None:
            self.flows_started[flow.flow_id] = self.known.rows[flow.flow_id] = flow
            self.known.owners[flow.flow_id] = self.known.engine if write.claim else None
        return True

    def _claim(self, write: Claim, index: int) -> None:
        flow_id = write.flow_id
        found = self.known.rows[flow_id]
        owned = self.known.owners.get(flow_id) is not None
        if found is None or not is_claimable(found, owned=owned, parked=write.parked):
            self.answers[index] = None
            return
        self.answers[index] = found
        self.claimed.setdefault(flow_id, found.claims)
        self.known.owners[flow_id] = self.known.engine
        self._set_flow(flow_claimed(found))

    def _send(self, signal: SignalRow, index: int) -> bool:
        key = (signal.flow_id, signal.signal_id)
        if key in self.signals_sent or key in self.signals_taken or key in self.signals_returned:
            return False
        found = self.answers[index] = self.known.rows[signal.flow_id]
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
