"""Flows as a log holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from persistasaurus.errors import CorruptRow
from persistasaurus.records import FlowRow, FlowStatus, InvocationRow, SignalRow
from persistasaurus.sqlite_log.reader import Reader

IN_FLIGHT: Final = (FlowStatus.RUNNING, FlowStatus.WAITING, FlowStatus.PARKED)
"""The flows that code has to go on with."""

_PAGE: Final = 1000


class Recorded(Struct, frozen=True):
    """One flow with what its log holds.

    Attributes:
        flow: Its own row.
        calls: Its invocations in force, by step number.
        signals: Those sent to it, read or not.
        damage: What is wrong with its rows if they cannot be read; then there are neither calls nor signals.
    """

    flow: FlowRow
    calls: tuple[InvocationRow, ...]
    signals: tuple[SignalRow, ...]
    damage: str | None = None


def recorded_flows(log: Reader, statuses: Sequence[FlowStatus] = IN_FLIGHT) -> Iterator[Recorded]:
    """The flows of these statuses, status by status and oldest first; one that ends meanwhile is left out."""
    for status in statuses:
        after: tuple[int, str] | None = None
        while page := log.flows(status, after, _PAGE):
            for row in page:
                try:
                    found = log.snapshot(row.flow_id)
                except CorruptRow as problem:
                    yield Recorded(row, (), (), str(problem))
                    continue
                if found is not None and found.flow.status in statuses:
                    yield Recorded(found.flow, found.invocations, found.signals)
            after = (page[-1].timestamp, page[-1].flow_id)
