"""What the log holds of a flow, handed out in the order in which it happened, and held against the code (G5)."""

from __future__ import annotations

from collections.abc import Sequence

from persistasaurus.errors import CorruptRow, IncompatibleChange
from persistasaurus.proxies import Method
from persistasaurus.records import InvocationRow, Kind, Status, full_name

_SHOWN = 200


class History:
    """The recorded calls and deliveries of one flow.

    Args:
        flow_id: The flow, for messages.
        rows: Its invocations in force, by step number.

    Raises:
        CorruptRow: The rows are not what any run of a flow could have left.
    """

    def __init__(self, flow_id: str, rows: Sequence[InvocationRow]) -> None:
        self.flow_id = flow_id
        self._rows = rows
        self._deliveries = sorted((row for row in rows if row.delivery is not None), key=lambda row: row.delivery or 0)
        self._next = 0
        for number, row in enumerate(rows, 1):
            if row.step != number:
                raise CorruptRow(f"flow {flow_id}: step {number} is missing in the log, step {row.step} follows")
        for number, row in enumerate(self._deliveries, 1):
            if row.delivery != number or row.delivered_at is None:
                raise CorruptRow(f"flow {flow_id}: delivery {number} is missing in the log")

    def __len__(self) -> int:
        """How many calls it holds."""
        return len(self._rows)

    def row(self, step: int) -> InvocationRow | None:
        """The recorded call of that number."""
        return self._rows[step - 1] if step <= len(self._rows) else None

    def has_open(self, kind: Kind, status: Status) -> bool:
        """Whether the log holds a call of that kind and status."""
        return any(row.kind is kind and row.status is status for row in self._rows)

    def peek(self) -> InvocationRow | None:
        """The next recorded delivery, None when all are through."""
        return self._deliveries[self._next] if self._next < len(self._deliveries) else None

    def advance(self) -> None:
        """The next delivery was handed over."""
        self._next += 1

    def require_no_call(self, step: int, before: int | None) -> None:
        """The flow has made its calls up to `step - 1` and waits: is a recorded one missing?

        Args:
            step: The number the flow would draw next.
            before: The delivery about to be handed over, None when there is none left.
        """
        row = self.row(step)
        if row is not None and (before is None or row.called_after < before):
            raise IncompatibleChange(
                f"flow {self.flow_id}: the log holds a call of {describe(row)}, which the code does not make any more"
            )


def describe(row: InvocationRow) -> str:
    """A recorded call, for messages."""
    what = "a timer" if row.kind is Kind.TIMER else full_name(row.class_name, row.method_name)
    if row.kind is Kind.SIGNAL:
        what = f"a wait for {what}" + (f" with key {row.key!r}" if row.key is not None else "")
    return f"{what} as step {row.step}"


def shorten(text: str) -> str:
    """Cut a text to what a message can bear."""
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def require_same_call(
    row: InvocationRow,
    kind: Kind,
    method: Method | None,
    class_name: str,
    key: str | None,
    called_after: int,
    parameters: str,
) -> None:
    """Hold a call the code makes against the recorded one of the same number.

    Raises:
        IncompatibleChange: They differ; the message names both sides.
    """
    name = "" if method is None else method.name
    if row.kind is not kind or row.class_name != class_name or row.method_name != name or row.key != key:
        today = "a timer" if method is None else full_name(class_name, name)
        if kind is Kind.SIGNAL:
            today = f"a wait for {today}" + (f" with key {key!r}" if key is not None else "")
        raise IncompatibleChange(f"flow {row.flow_id}: the log holds {describe(row)}, the code now asks for {today}")
    if row.called_after != called_after:
        raise IncompatibleChange(
            f"flow {row.flow_id}: the log holds {describe(row)}, called after delivery {row.called_after}; "
            f"the code now makes this call after delivery {called_after}"
        )
    if kind is Kind.STEP and method is not None and not method.parameters.same(row.parameters, parameters):
        raise IncompatibleChange(
            f"flow {row.flow_id}: {describe(row)} is on record with the arguments {shorten(row.parameters)}, "
            f"the code now gives {shorten(parameters)}; what may differ from run to run is the outcome of a step, the "
            f"time and random numbers come from now(), uuid4() and random() of persistasaurus"
        )


def ended_at_once(row: InvocationRow) -> bool:
    """Whether a recorded call was given up without waiting for an answer."""
    return row.cancelled_after is not None
