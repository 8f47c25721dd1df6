"""Flows and invocations as people and programs look at them: times as `datetime`, values as the JSON on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from persistasaurus.failed_flow import text_of_error
from persistasaurus.records import FlowRow, FlowStatus, InvocationRow, Kind, Status, full_name


@dataclass(frozen=True, slots=True)
class Invocation:
    """One call on record.

    Attributes:
        flow_id: Its flow.
        step: Its number, from one, in the order in which the flow asked.
        kind: A step, a wait for a signal or a timer.
        name: `Class.method`; empty for a timer.
        key: The key of a wait for a signal.
        status: Where it stands.
        attempts: How often its body was started.
        parameters: Its arguments, as JSON.
        return_value: Its result, or its error if it failed, as JSON; None while there is none.
        called_at: When the flow asked, UTC.
        delay: The delay of the step, the length of the timer or the time limit of the wait; None if there is none.
        due: When a delay, a back-off, a timer or a wait ends, UTC.
        delivered_at: When the flow got the outcome, UTC; None if it has not.
        round: The round of the flow in which it ran, from zero; a reopened flow begins another one.
        archived: Whether a later round of the flow replaced it.
    """

    flow_id: str
    step: int
    kind: Kind
    name: str
    key: str | None
    status: Status
    attempts: int
    parameters: str
    return_value: str | None
    called_at: datetime
    delay: timedelta | None
    due: datetime | None
    delivered_at: datetime | None
    round: int
    archived: bool


@dataclass(frozen=True, slots=True)
class FlowSummary:
    """One flow on record.

    Attributes:
        flow_id: Its id.
        name: `Class.method`, or what `@flow(name=...)` says.
        version: The version of the flow that it was started on.
        status: Where it stands.
        parameters: Its arguments, as JSON.
        return_value: Its result, its error, or why it is parked, as JSON; None while there is none.
        started_at: When it was recorded, UTC.
        due: When a waiting flow goes on by itself, UTC; None if only a signal can wake it.
        ended_at: When it ended, UTC.
    """

    flow_id: str
    name: str
    version: int
    status: FlowStatus
    parameters: str
    return_value: str | None
    started_at: datetime
    due: datetime | None
    ended_at: datetime | None


def invocation_of(row: InvocationRow) -> Invocation:
    """A row of the log as an `Invocation`."""
    return Invocation(
        flow_id=row.flow_id,
        step=row.step,
        kind=row.kind,
        name="" if row.kind is Kind.TIMER else full_name(row.class_name, row.method_name),
        key=row.key,
        status=row.status,
        attempts=row.attempts,
        parameters=row.parameters,
        return_value=row.return_value,
        called_at=moment(row.timestamp),
        delay=None if row.delay is None else timedelta(microseconds=row.delay),
        due=None if row.due is None else moment(row.due),
        delivered_at=None if row.delivered_at is None else moment(row.delivered_at),
        round=row.round,
        archived=row.archived_in is not None,
    )


def summary_of(flow: FlowRow) -> FlowSummary:
    """A flow's row as a `FlowSummary`."""
    return FlowSummary(
        flow_id=flow.flow_id,
        name=flow.name,
        version=flow.version,
        status=flow.status,
        parameters=flow.parameters,
        return_value=text_of_error(flow.return_value) if flow.status in _WITH_ERROR else flow.return_value,
        started_at=moment(flow.timestamp),
        due=None if flow.due is None else moment(flow.due),
        ended_at=None if flow.ended_at is None else moment(flow.ended_at),
    )


_WITH_ERROR = (FlowStatus.FAILED, FlowStatus.PARKED)


def moment(microseconds: int) -> datetime:
    """A time of the log as a `datetime` in UTC."""
    seconds, rest = divmod(microseconds, 1_000_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest)
