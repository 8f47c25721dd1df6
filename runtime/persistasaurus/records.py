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
    """The new state of a flow's own row, from who runs the flow; refused with `ClaimLost` if that is another (G11)."""

    flow_id: str
    status: FlowStatus
    due: int | None
    recoveries: int
    digest: str | None
    return_value: str | None
    ended_at: int | None
    claims: int = 0
    """The flow's claims when the writer got it. They are more once another engine had it."""
    heard: int = 0
    """The last signal, by number, that the writer had heard of from other engines: a WAITING flow for which there is a
    later one stays due, or nobody would wake it (G8)."""


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
    claims: int = 0
    """How often the right to run it has changed hands: the fencing token of a claim (G11)."""
    version: int = 1
    """The version of the flow that it was started on, and runs to its end."""

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
    claim: bool = True
    """Whether this engine runs it; otherwise it is there for any that has room."""


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
    that stay; the flow's row becomes RUNNING in `from_round + 1` without outcome, due time or recoveries, and waits to
    be claimed.
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

    It becomes RUNNING without reason (the return value), due time or recoveries, and waits to be claimed.
    """

    flow_id: str


class Claim(Struct, frozen=True):
    """Take the right to run a flow (G11); answered with its row as found, None if it cannot be had.

    It can if the flow is WAITING, whether or not it is due, or RUNNING without a claim of a living engine, or PARKED
    and `parked` says so. Then it is RUNNING without due time or reason, and its `claims` are one more.
    """

    flow_id: str
    parked: bool = False


class Release(Struct, frozen=True):
    """Give a RUNNING flow back, for any engine to claim; refused with `ClaimLost` if it is another's.

    What the giver still puts for it is refused, too.
    """

    flow_id: str
    claims: int


class Delete(Struct, frozen=True):
    """Forget a flow that is COMPLETE, FAILED, CANCELLED or PARKED, with its signals and its history.

    Answered with its row as found, None if there is none; a flow in any other status stays.
    """

    flow_id: str


class Extend(Struct, frozen=True):
    """Renew the lease of this engine, on which all its claims hang; answered with True."""

    lease: int
    """Microseconds from now on; zero or less is refused."""


class Sweep(Struct, frozen=True):
    """Take the claims of engines that are gone, a bounded number at a time; answered with how many flows that freed.

    Gone are those whose lease is over and those in `dead`; they can write no more (G11).
    """

    dead: tuple[int, ...] = ()
    """Engines, by number, whose process was seen to have ended."""
    leases: bool = True
    """Whether a lease that is over counts; it never does when that of this engine is over as well."""
    limit: int = 1000
    """Flows at most; engines with more are taken up by the next sweep."""


class Rejoin(Struct, frozen=True):
    """This engine has dropped the flows it ran before it lost its claims: what it puts from here on is new."""

    engine: int
    """The number it has now, from `Commit.fenced`: it may have lost its claims once more."""


class Readmit(Struct, frozen=True):
    """Accept writes of a flow again that was stopped because a row of it had been refused."""

    flow_id: str


Question = Start | Send | Reopen | Resume | Claim | Delete | Extend | Sweep
"""The writes that are answered.

They come from outside their flow: one that is refused changes nothing, is answered with its error, and does not stop
the flow. One that is put while the flow is stopped is answered with what stopped it."""
Write = CallMade | CallChanged | FlowChanged | SignalTaken | SignalReturned | Release | Readmit | Rejoin | Question
Answer = FlowRow | bool | int | None


def flow_of(write: Write) -> str:
    """The id of the flow a write belongs to, "" for one that belongs to the engine."""
    if isinstance(write, Start):
        return write.flow.flow_id
    if isinstance(write, Send):
        return write.signal.flow_id
    if isinstance(write, Extend | Sweep | Rejoin):
        return ""
    return write.flow_id


class Commit(Struct, frozen=True):
    """What one commit settled: everything put up to `position` is durable, except for what is refused.

    `refused` maps the id of a flow to the error that stopped it; later writes of that flow are dropped until `Readmit`.
    `answers` holds, for each `Question` settled by this commit, its position and answer or the error it met.
    """

    position: int
    refused: dict[str, Exception]
    answers: dict[int, Answer | Exception]
    fenced: int = 0
    """The new number of this engine, if it was found that its claims went to others. Nothing that it put for a flow,
    but questions, is recorded from there on until `Rejoin` with that number."""
    end: Exception | None = None
    """Why nothing will be recorded any more, if that is so."""
