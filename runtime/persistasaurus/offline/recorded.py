"""Flows as a log holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

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
        signals: Those sent to it that are still to be read, or read by a step that is not over.
    """

    flow: FlowRow
    calls: tuple[InvocationRow, ...]
    signals: tuple[SignalRow, ...]


def recorded_flows(log: Reader, statuses: Sequence[FlowStatus] = IN_FLIGHT) -> Iterator[Recorded]:
    """The flows of these statuses, status by status and oldest first; one that ends meanwhile is left out.

    Raises:
        CorruptRow: A row of a flow cannot be read; the message names the flow.
    """
    for status in statuses:
        after: tuple[int, str] | None = None
        while page := log.flows(status, after, _PAGE):
            for row in page:
                found = log.snapshot(row.flow_id)
                if found is not None and found.flow.status in statuses:
                    yield Recorded(found.flow, found.invocations, found.signals)
            after = (page[-1].timestamp, page[-1].flow_id)
