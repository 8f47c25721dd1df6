"""Whether a transaction is in the file, asked after a COMMIT that failed: then its result is unknown, not no."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from msgspec.structs import asdict

from persistasaurus.records import CallChanged, CallMade, FlowStatus, Reopen
from persistasaurus.sqlite_log.fold import Fold
from persistasaurus.sqlite_log.many_rows import WRITES


def has_happened(connection: sqlite3.Connection, folds: Sequence[Fold], reopened: Sequence[Reopen]) -> bool:
    """Whether these changes, all of one transaction, are in the file.

    One trace tells, because a transaction is there whole or not at all. Changes that leave none (rows that were only
    updated) are harmless to make again, so the answer for them is no.
    """
    for name, parameters in _traces(folds, reopened):
        return bool(connection.execute(WRITES[name], parameters).fetchall()[0][0])
    return False


def is_all_there(connection: sqlite3.Connection, fold: Fold) -> bool:
    """Whether every call of a fold is in the file as it would be left.

    For a fold that never was accepted: one trace could be that of a call that was there before.
    """
    checks: list[tuple[str, CallMade | CallChanged]] = []
    checks += (("invocation_is_as_made", made) for made in fold.calls_made.values())
    for changes in (fold.calls_settled, fold.calls_changed):
        checks += (("invocation_is_as_changed", change) for change in changes.values())
    return all(connection.execute(WRITES[name], asdict(write)).fetchall()[0][0] for name, write in checks)


def _traces(folds: Sequence[Fold], reopened: Sequence[Reopen]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Statements that find what is there only if the transaction is, the surest first."""
    for reopen in reopened:
        yield "flow_is_past_round", {"flow_id": reopen.flow_id, "round": reopen.from_round}
    for fold in folds:
        for flow_id in fold.flows_started:
            yield "invocation_is_there", {"flow_id": flow_id, "step": 0}
        for flow_id, step in fold.calls_made:
            yield "invocation_is_there", {"flow_id": flow_id, "step": step}
        for flow_id, signal_id in fold.signals_sent:
            yield "signal_is_there", {"flow_id": flow_id, "signal_id": signal_id}
    moves: list[tuple[tuple[str, str], int | None]] = []
    for fold in folds:
        moves += fold.signals_taken.items()
        moves += ((signal, None) for signal in fold.signals_returned)
    moved = [signal for signal, _ in moves]
    for signal, taken_by in moves:
        if moved.count(signal) == 1:  # one that was taken and returned is where it was
            yield "signal_is_taken_by", {"flow_id": signal[0], "signal_id": signal[1], "step": taken_by}
    for fold in folds:
        for flow_id in fold.flows_resumed:
            if fold.flows_changed[flow_id].status is not FlowStatus.PARKED:
                yield "flow_is_not_parked", {"flow_id": flow_id}
