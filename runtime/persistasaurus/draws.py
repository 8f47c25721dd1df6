"""Random values of one flow: derived from what is on record, so that none of them needs a record of its own (G3)."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from persistasaurus.execution import Execution

_PURPOSE: Final = b"draws of a flow"


class Draws:
    """Derives random values from the seed of the log, the flow's id and start, its last delivery, and a counter.

    The counter begins anew with each delivery: a draw that is put into the code, or taken out, changes the values drawn
    until the next delivery and no others. A reopened flow draws the same values up to the failure and others from there
    on (G7): a delivery is known by its number, its time, the call it answers, and the round of that call.

    Args:
        execution: The run of the flow.
    """

    __slots__ = ("_count", "_execution", "_number")

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._number = 0
        self._count = 0

    def next(self) -> bytes:
        """The next 32 random bytes."""
        execution = self._execution
        last = execution.deliveries
        if self._number != last.number:
            self._number, self._count = last.number, 0
        self._count += 1
        place = f"{execution.record.flow.timestamp} {last.number} {last.time} {last.step} {last.round} {self._count} "
        text = (place + execution.flow_id).encode("utf-8", "surrogatepass")
        return blake2b(text, digest_size=32, key=execution.host.seed, person=_PURPOSE).digest()
