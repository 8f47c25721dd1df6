"""What the execution log holds: the statuses, the rows as they are read, and the writes that make and change them.

Times are whole microseconds since the epoch (UTC), JSON is `str`. A write carries every column it may change, so that
two writes to one row merge into the later one and a log may fold all that waits into one statement a row.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

FLOW_STEP: Final = 0
"""The step number of the flow's own row; calls count from one."""


class Status(StrEnum):
    """Where an invocation of a flow stands."""

    PENDING = "PENDING"
    WAITING_FOR_SIGNAL = "WAITING_FOR_SIGNAL"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


class FlowStatus(StrEnum):
    """Where a flow stands."""

    RUNNING = "RUNNING"
    WAITING = "WAITING"
    COMPLETE = "COMPLETE"
    FAILED = "FAILED"
    PARKED = "PARKED"
    CANCELLED = "CANCELLED"


class Kind(StrEnum):
    """What a flow body asked for."""

    STEP = "STEP"
    SIGNAL = "SIGNAL"
    TIMER = "TIMER"


def full_name(class_name: str, method_name: str) -> str:
    """`Class.method`; the method alone where no class is recorded, because the flow has a name of its own."""
    return f"{class_name}.{method_name}" if class_name else method_name


class CallMade(Struct, frozen=True, gc=False):
    """A new invocation: the row is inserted, and refused if it is there already."""

    flow_id: str
    step: int
    kind: Kind
    class_name: str
    method_name: str
    key: str | None
    timestamp: int
    called_after: int
    parameters: str
    delay: int | None
    round: int
    status: Status
    attempts: int
    due: int | None


class CallChanged(Struct, frozen=True, gc=False):
    """The new state of an invocation: every column that changes in its life, refused if the row is not there."""

    flow_id: str
    step: int
    status: Status
    attempts: int
    failures: int
    due: int | None
    return_value: str | None
    delivery: int | None
    delivered_at: int | None
    cancelled_after: int | None


class FlowChanged(Struct, frozen=True, gc=False):
    """The new state of a flow's own row, refused if the row is not there."""

    flow_id: str
    status: FlowStatus
    due: int | None
    recoveries: int
    digest: str | None
    return_value: str | None
    ended_at: int | None


class SignalTaken(Struct, frozen=True, gc=False):
    """An open wait takes a signal: the signal is read, the wait's row gets its arguments and becomes a PENDING step.

    Its time limit is over, so the row has no due time after it. Refused unless the row is WAITING_FOR_SIGNAL and the
    signal unread.
    """

    flow_id: str
    step: int
    signal_id: str
    parameters: str
    attempts: int


class SignalReturned(Struct, frozen=True, gc=False):
    """A wait given up before its body started leaves its signal unread for the next one."""

    flow_id: str
    step: int
    signal_id: str


class FlowRow(Struct, frozen=True):
    """The flow's own row (step 0)."""

    flow_id: str
    class_name: str
    method_name: str
    timestamp: int
    parameters: str
    status: FlowStatus
    python: str
    round: int = 0
    due: int | None = None
    recoveries: int = 0
    digest: str | None = None
    return_value: str | None = None
    ended_at: int | None = None

    @property
    def name(self) -> str:
        """The recorded name, `Class.method` or what `@flow(name=...)` says."""
        return full_name(self.class_name, self.method_name)


class InvocationRow(Struct, frozen=True):
    """One invocation as the log holds it."""

    flow_id: str
    step: int
    kind: Kind
    class_name: str
    method_name: str
    key: str | None
    timestamp: int
    called_after: int
    parameters: str
    delay: int | None
    round: int
    status: Status
    attempts: int
    failures: int
    due: int | None
    return_value: str | None
    delivery: int | None
    delivered_at: int | None
    cancelled_after: int | None
    archived_in: int | None = None
    """The round whose history this row became when its flow was reopened (G7); None for a row in force."""


class SignalRow(Struct, frozen=True):
    """One signal sent to a flow: `taken_by` is the step that took it, None while it is unread.

    `signal_id` sorts in the order in which signals were sent.
    """

    signal_id: str
    flow_id: str
    method_name: str
    key: str | None
    arguments: str
    sent_at: int
    taken_by: int | None = None


class Start(Struct, frozen=True):
    """Record a new flow unless its id is taken; answered with the row found there, None when this one was inserted."""

    flow: FlowRow


class Send(Struct, frozen=True):
    """Store a signal for a flow that may still read it (G8); answered with the flow's row as found, None if unknown.

    Nothing is stored for an unknown, COMPLETE or CANCELLED flow. A WAITING flow becomes due at `sent_at`, unless it is
    earlier, so that a signal whose sender dies after the commit still wakes it.
    """

    signal: SignalRow


class Reopen(Struct, frozen=True):
    """Begin another round of a FAILED flow (G7), all in one transaction; answered with True, or False if the flow's row
    is no longer FAILED in `from_round`.

    Rows in `archive` become history of `from_round` and the signals they took are unread again; `restate` sets rows
    that stay; the flow's row becomes RUNNING in `from_round + 1` without outcome, due time or recoveries.
    """

    flow_id: str
    from_round: int
    archive: tuple[int, ...]
    restate: tuple[CallChanged, ...]
    reopened: tuple[int, ...]
    """Steps of `restate` that run anew and so belong to the new round."""
    unread: tuple[int, ...]
    """Signal steps of `restate` that wait again: what they took is unread again."""


class Resume(Struct, frozen=True):
    """Let a PARKED flow run again; answered with the flow's row as found, None for an unknown id.

    It becomes RUNNING without reason (the return value), due time or recoveries.
    """

    flow_id: str


class Readmit(Struct, frozen=True):
    """Accept writes of a flow again that was stopped because a row of it had been refused."""

    flow_id: str


Write = CallMade | CallChanged | FlowChanged | SignalTaken | SignalReturned | Start | Send | Reopen | Resume | Readmit
Question = Start | Send | Reopen | Resume
"""The writes that are answered.

They come from outside their flow: one that is refused changes nothing, is answered with its error, and does not stop
the flow. One that is put while the flow is stopped is answered with what stopped it."""
Answer = FlowRow | bool | None


def flow_of(write: Write) -> str:
    """The id of the flow a write belongs to."""
    if isinstance(write, Start):
        return write.flow.flow_id
    if isinstance(write, Send):
        return write.signal.flow_id
    return write.flow_id


class Commit(Struct, frozen=True):
    """What one commit settled: everything put up to `position` is durable, except for what is refused.

    `refused` maps the id of a flow to the error that stopped it; later writes of that flow are dropped until `Readmit`.
    `answers` holds, for each `Question` settled by this commit, its position and answer or the error it met.
    """

    position: int
    refused: dict[str, Exception]
    answers: dict[int, Answer | Exception]
