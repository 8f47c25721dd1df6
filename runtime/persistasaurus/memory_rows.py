"""The rows an in-memory log holds, and what each write does to them."""

from __future__ import annotations

from collections.abc import Container

from msgspec.structs import replace

from persistasaurus.errors import ClaimLost, RowRefused
from persistasaurus.records import (
    CallChanged,
    CallMade,
    Claim,
    Delete,
    Extend,
    FlowChanged,
    FlowRow,
    FlowStatus,
    InvocationRow,
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
    READS_NO_SIGNALS,
    RUN_BY_NOBODY,
    call_changed,
    call_made,
    flow_changed,
    flow_claimed,
    flow_released,
    flow_reopened,
    flow_running,
    flow_woken,
    is_claimable,
    refuse_no_lease,
    signal_taken,
)


class MemoryRows:
    """Flows, invocations and signals by flow id. Rows are frozen, so a copy shares them."""

    __slots__ = ("archived", "calls", "flows", "owners", "sent", "signals")

    def __init__(self) -> None:
        self.owners: dict[str, int] = {}
        """The engine that runs a flow, or ran it last."""
        self.sent: list[tuple[int, SignalRow]] = []
        """Every signal in the order in which they were stored, with the engine through which it came."""
        self.flows: dict[str, FlowRow] = {}
        self.calls: dict[str, dict[int, InvocationRow]] = {}
        self.archived: dict[str, list[InvocationRow]] = {}
        self.signals: dict[str, dict[str, SignalRow]] = {}

    def copy(self) -> MemoryRows:
        """Rows of their own to write on."""
        rows = MemoryRows()
        rows.owners = self.owners.copy()
        rows.sent = self.sent.copy()
        rows.flows = self.flows.copy()
        rows.calls = {flow_id: calls.copy() for flow_id, calls in self.calls.items()}
        rows.archived = {flow_id: calls.copy() for flow_id, calls in self.archived.items()}
        rows.signals = {flow_id: signals.copy() for flow_id, signals in self.signals.items()}
        return rows

    def due_times(self) -> list[tuple[int, str]]:
        """Due time and id of every WAITING flow that has one."""
        return [
            (row.due, row.flow_id)
            for row in self.flows.values()
            if row.status is FlowStatus.WAITING and row.due is not None
        ]

    def free(self, gone: Container[int], limit: int) -> int:
        """Take the claims of engines that are gone, at most so many; returns how many there were."""
        found = [
            flow_id
            for flow_id, owner in self.owners.items()
            if owner in gone and self.flows[flow_id].status is FlowStatus.RUNNING
        ]
        for flow_id in found[:limit]:
            del self.owners[flow_id]
        return len(found[:limit])

    def make(self, write: Write, engine: int, living: Container[int]) -> FlowRow | bool | None:
        """Make one write, whole or not at all.

        Args:
            write: The write.
            engine: Who makes it.
            living: The engines whose claims count.

        Returns:
            The answer, if the write is a question.

        Raises:
            RowRefused: It cannot be made; nothing has changed.
        """
        match write:
            case CallMade():
                _refuse_lone_surrogates(
                    write.flow_id,
                    write.step,
                    write.flow_id,
                    write.class_name,
                    write.method_name,
                    write.key,
                    write.parameters,
                )
                calls = self.calls.setdefault(write.flow_id, {})
                if write.step in calls:
                    raise RowRefused(f"flow {write.flow_id!r}, step {write.step}: the row is there already")
                calls[write.step] = call_made(write)
            case CallChanged():
                _refuse_lone_surrogates(write.flow_id, write.step, write.return_value)
                row = self._call(write.flow_id, write.step)
                self.calls[write.flow_id][write.step] = call_changed(row, write)
            case FlowChanged():
                _refuse_lone_surrogates(write.flow_id, 0, write.digest, write.return_value)
                self._change(write, engine)
            case Release():
                self._release(write)
            case SignalTaken():
                self._take(write)
            case SignalReturned():
                self._return(write)
            case Start():
                return self._start(write, engine)
            case Send():
                return self._send(write.signal, engine)
            case Reopen():
                return self._reopen(write)
            case Resume():
                found = self.flows.get(write.flow_id)
                if found is not None and found.status is FlowStatus.PARKED:
                    self.flows[write.flow_id] = flow_running(found)
                    self.owners.pop(write.flow_id, None)
                return found
            case Claim():
                return self._claim(write, engine, living)
            case Delete():
                return self._delete(write.flow_id)
            case Extend():
                refuse_no_lease(write)
                return True
            case Readmit() | Rejoin() | Sweep():
                pass  # what they change is not in the rows
        return None

    def _held(self, flow_id: str, claims: int) -> FlowRow:
        row = self.flows.get(flow_id)
        if row is None:
            raise RowRefused(f"flow {flow_id!r}: there is no row of it to change")
        if row.claims != claims:
            raise ClaimLost(f"flow {flow_id!r} went to another engine, which goes on with it")
        return row

    def _change(self, write: FlowChanged, engine: int) -> None:
        row = flow_changed(self._held(write.flow_id, write.claims), write)
        if row.status is FlowStatus.WAITING:
            for sender, signal in self.sent[write.heard :]:
                if sender != engine and signal.flow_id == write.flow_id and self._is_unread(signal):
                    row = flow_woken(row, signal.sent_at)
        self.flows[write.flow_id] = row
        self.owners[write.flow_id] = engine

    def _release(self, write: Release) -> None:
        row = self._held(write.flow_id, write.claims)
        if row.status is not FlowStatus.RUNNING:
            raise ClaimLost(f"flow {write.flow_id!r} is {row.status}: there is no claim to it")
        self.flows[write.flow_id] = flow_released(row)
        self.owners.pop(write.flow_id, None)

    def now(self, signal: SignalRow) -> SignalRow | None:
        """What has become of a signal; None if its flow was deleted."""
        return self.signals.get(signal.flow_id, {}).get(signal.signal_id)

    def _is_unread(self, signal: SignalRow) -> bool:
        found = self.now(signal)
        return found is not None and found.taken_by is None

    def _claim(self, write: Claim, engine: int, living: Container[int]) -> FlowRow | None:
        found = self.flows.get(write.flow_id)
        owned = self.owners.get(write.flow_id) in living
        if found is None or not is_claimable(found, owned=owned, parked=write.parked):
            return None
        self.flows[write.flow_id] = flow_claimed(found)
        self.owners[write.flow_id] = engine
        return found

    def _delete(self, flow_id: str) -> FlowRow | None:
        found = self.flows.get(flow_id)
        if found is not None and found.status in RUN_BY_NOBODY:
            for rows in (self.flows, self.calls, self.archived, self.signals, self.owners):
                rows.pop(flow_id, None)
        return found

    def _call(self, flow_id: str, step: int) -> InvocationRow:
        row = self.calls.get(flow_id, {}).get(step)
        if row is None:
            raise RowRefused(f"flow {flow_id!r}, step {step}: there is no row of it to change")
        return row

    def _signal(self, flow_id: str, signal_id: str, taken_by: int | None) -> SignalRow:
        signal = self.signals.get(flow_id, {}).get(signal_id)
        if signal is None or signal.taken_by != taken_by:
            state = "unread" if taken_by is None else f"taken by step {taken_by}"
            raise RowRefused(f"flow {flow_id!r}: there is no signal {signal_id!r} that is {state}")
        return signal

    def _take(self, write: SignalTaken) -> None:
        row = self._call(write.flow_id, write.step)
        signal = self._signal(write.flow_id, write.signal_id, None)
        _refuse_lone_surrogates(write.flow_id, write.step, write.parameters)
        if row.status is not Status.WAITING_FOR_SIGNAL:
            raise RowRefused(f"flow {write.flow_id!r}, step {write.step}: it is {row.status} and takes no signal")
        self.calls[write.flow_id][write.step] = signal_taken(row, write.parameters, write.attempts)
        self.signals[write.flow_id][write.signal_id] = replace(signal, taken_by=write.step)

    def _return(self, write: SignalReturned) -> None:
        signal = self._signal(write.flow_id, write.signal_id, write.step)
        self.signals[write.flow_id][write.signal_id] = replace(signal, taken_by=None)

    def _start(self, write: Start, engine: int) -> FlowRow | None:
        flow = write.flow
        _refuse_lone_surrogates(flow.flow_id, 0, flow.flow_id)
        found = self.flows.get(flow.flow_id)
        if found is None:
            _refuse_lone_surrogates(flow.flow_id, 0, flow.class_name, flow.method_name, flow.parameters)
            self.flows[flow.flow_id] = flow
            if write.claim:
                self.owners[flow.flow_id] = engine
        return found

    def _send(self, signal: SignalRow, engine: int) -> FlowRow | None:
        _refuse_lone_surrogates(signal.flow_id, 0, signal.flow_id)
        found = self.flows.get(signal.flow_id)
        if found is None or found.status in READS_NO_SIGNALS:
            return found
        _refuse_lone_surrogates(signal.flow_id, 0, signal.signal_id, signal.method_name, signal.key, signal.arguments)
        signals = self.signals.setdefault(signal.flow_id, {})
        if signal.signal_id in signals:
            raise RowRefused(f"flow {signal.flow_id!r}: signal {signal.signal_id!r} is there already")
        signals[signal.signal_id] = signal
        self.sent.append((engine, signal))
        if found.status is FlowStatus.WAITING:
            self.flows[signal.flow_id] = flow_woken(found, signal.sent_at)
        return found

    def _reopen(self, write: Reopen) -> bool:
        found = self.flows.get(write.flow_id)
        if found is None or found.status is not FlowStatus.FAILED or found.round != write.from_round:
            return False
        calls = self.calls.get(write.flow_id, {}).copy()
        for change in write.restate:
            row = call_changed(self._call(write.flow_id, change.step), change)
            calls[change.step] = replace(row, round=write.from_round + 1) if change.step in write.reopened else row
        archive = [replace(self._call(write.flow_id, step), archived_in=write.from_round) for step in write.archive]
        for step in write.archive:
            del calls[step]
        freed = {*write.archive, *write.unread}
        self.signals[write.flow_id] = {
            signal_id: replace(signal, taken_by=None) if signal.taken_by in freed else signal
            for signal_id, signal in self.signals.get(write.flow_id, {}).items()
        }
        self.calls[write.flow_id] = calls
        self.archived.setdefault(write.flow_id, []).extend(sorted(archive, key=lambda row: row.step))
        self.flows[write.flow_id] = flow_reopened(found)
        self.owners.pop(write.flow_id, None)
        return True


def _refuse_lone_surrogates(flow_id: str, step: int, *texts: str | None) -> None:
    for text in texts:
        if text is not None and not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError as error:
                raise RowRefused(
                    f"flow {flow_id!r}, step {step}: a lone surrogate cannot be stored: {error}"
                ) from error
