"""Between a row of the log and what SQLite is given and gives back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from persistasaurus.records import (
    CallChanged,
    CallMade,
    FlowChanged,
    FlowRow,
    FlowStatus,
    Kind,
    SignalRow,
    SignalTaken,
    Status,
)

Cell = str | int | float

NOTHING: Final = 0.5
"""Stands for NULL in a multi-row statement, see `writes.sql`."""

_UNSETTLED: Final[tuple[Cell, ...]] = (NOTHING, NOTHING, NOTHING, NOTHING)
_NOT_MADE: Final[tuple[Cell, ...]] = ("", "", "", NOTHING, 0, 0, "", NOTHING, 0)
"""What a call is made with, from kind to round, where it is only changed."""

# str(...) of an enum member, looked up instead of computed: a str of another class than str itself binds slowly.
_STATUS: Final = {member: str(member.value) for member in Status}
_FLOW_STATUS: Final = {member: str(member.value) for member in FlowStatus}
_KIND: Final = {member: str(member.value) for member in Kind}


def started_flows(flows: Iterable[FlowRow], owners: Mapping[str, int | None]) -> list[Cell]:
    """Parameters of `insert_flows`; `owners` holds the engine of each flow."""
    cells: list[Cell] = []
    for row in flows:
        cells += (
            row.flow_id,
            row.timestamp,
            row.class_name,
            row.method_name,
            _FLOW_STATUS[row.status],
            row.parameters,
            NOTHING if row.return_value is None else row.return_value,
            row.round,
            NOTHING if row.due is None else row.due,
            row.python,
            NOTHING if row.digest is None else row.digest,
            row.recoveries,
            NOTHING if row.ended_at is None else row.ended_at,
            row.claims,
            row.version,
            _or_nothing(owners[row.flow_id]),
        )
    return cells


def changed_flows(
    changes: Iterable[FlowChanged], engine: int, owners: Mapping[str, int | None], claimed: Mapping[str, int]
) -> list[Cell]:
    """Parameters of `update_flows`.

    Args:
        changes: What becomes of the flows.
        engine: Whose these are, but those in `owners`.
        owners: The engine of flows that questions are about.
        claimed: The claims in the file of flows whose claims change.
    """
    cells: list[Cell] = []
    for change in changes:
        cells += (
            change.flow_id,
            _FLOW_STATUS[change.status],
            NOTHING if change.due is None else change.due,
            change.recoveries,
            NOTHING if change.digest is None else change.digest,
            NOTHING if change.return_value is None else change.return_value,
            NOTHING if change.ended_at is None else change.ended_at,
            _or_nothing(owners.get(change.flow_id, engine)),
            change.claims,
            claimed.get(change.flow_id, change.claims),
            change.heard,
        )
    return cells


def _or_nothing(engine: int | None) -> Cell:
    return NOTHING if engine is None else engine


def made_calls(made: dict[tuple[str, int], CallMade], settled: dict[tuple[str, int], CallChanged]) -> list[Cell]:
    """Parameters of `write_invocations`: calls as they were made, or as they stood at the end of the batch."""
    cells: list[Cell] = []
    for call, write in made.items():
        cells += (
            write.flow_id,
            write.step,
            _KIND[write.kind],
            write.class_name,
            write.method_name,
            NOTHING if write.key is None else write.key,
            write.timestamp,
            write.called_after,
            write.parameters,
            NOTHING if write.delay is None else write.delay,
            write.round,
        )
        change = settled.get(call) if settled else None
        if change is not None:
            cells += _outcome(change)
        else:
            due = NOTHING if write.due is None else write.due
            cells += (_STATUS[write.status], write.attempts, 0, due, *_UNSETTLED)
    return cells


def changed_calls(changes: Iterable[CallChanged]) -> list[Cell]:
    """Parameters of `write_invocations`: calls that are there already."""
    cells: list[Cell] = []
    for change in changes:
        cells += (change.flow_id, change.step, *_NOT_MADE, *_outcome(change))
    return cells


def _outcome(change: CallChanged) -> tuple[Cell, ...]:
    return (
        _STATUS[change.status],
        change.attempts,
        change.failures,
        NOTHING if change.due is None else change.due,
        NOTHING if change.return_value is None else change.return_value,
        NOTHING if change.delivery is None else change.delivery,
        NOTHING if change.delivered_at is None else change.delivered_at,
        NOTHING if change.cancelled_after is None else change.cancelled_after,
    )


def sent_signals(signals: Iterable[SignalRow], engine: int) -> list[Cell]:
    """Parameters of `insert_signals`, sent through this engine."""
    cells: list[Cell] = []
    for row in signals:
        cells += (
            row.flow_id,
            row.signal_id,
            row.method_name,
            NOTHING if row.key is None else row.key,
            row.arguments,
            row.sent_at,
            NOTHING if row.taken_by is None else row.taken_by,
            engine,
        )
    return cells


def moved_signals(signals: dict[tuple[str, str], int]) -> list[Cell]:
    """Parameters of `take_signals` and `return_signals`."""
    return [cell for (flow_id, signal_id), step in signals.items() for cell in (flow_id, signal_id, step)]


def ended_waits(waits: Iterable[SignalTaken]) -> list[Cell]:
    """Parameters of `give_signals`."""
    return [cell for wait in waits for cell in (wait.flow_id, wait.step, wait.parameters, wait.attempts)]


# The columns of a row as they are read, checked by msgspec: an unknown status, or text that is not UTF-8, is an error.
FlowColumns = tuple[
    str, str, str, int, str, FlowStatus, str, int, int | None, int, str | None, str | None, int | None, int, int
]  # fmt: skip
OwnedFlowColumns = tuple[
    str, str, str, int, str, FlowStatus, str, int, int | None, int, str | None, str | None, int | None, int, int,
    int | None,
]  # fmt: skip
InvocationColumns = tuple[
    str, int, Kind, str, str, str | None, int, int, str, int | None, int, Status,
    int, int, int | None, str | None, int | None, int | None, int | None,
]  # fmt: skip
ArchivedColumns = tuple[
    str, int, Kind, str, str, str | None, int, int, str, int | None, int, Status,
    int, int, int | None, str | None, int | None, int | None, int | None, int,
]  # fmt: skip
SignalColumns = tuple[str, str, str, str | None, str, int, int | None]
