"""`now()`, `uuid4()` and `random()`: what flow code uses instead of the clock and of chance.

In a flow body, and in whatever it calls, they give the same values live and in every replay. Elsewhere they are what
their names say, so that flow code and other code can share functions.
"""

from __future__ import annotations

import random as chance
import uuid
from datetime import datetime

from persistasaurus.calls import refuse_plain, running_execution
from persistasaurus.clock import SystemClock
from persistasaurus.execution import Execution
from persistasaurus.history import moment
from persistasaurus.step_info import current_call


def now() -> datetime:
    """The time, UTC: in flow code that of the last delivery, which is on record.

    Flow code takes no time: what it sees of the clock moves when a step, a timer or a signal has come back, and never
    goes backwards. At first it is the time at which the flow was started. In a step body it is the time of the engine's
    clock; elsewhere that of the machine.

    Returns:
        An aware `datetime`, in microseconds.
    """
    execution = _living_flow()
    if execution is not None:
        return moment(execution.deliveries.time)
    call = current_call.get()
    return moment(SystemClock.now() if call is None else call.execution.host.clock.now())


def uuid4() -> uuid.UUID:
    """A random UUID: in flow code the same in every replay, derived from the log's seed and the flow's last delivery.

    Not for secrets: who can read the log can work it out. Draw those in a step.
    """
    execution = _living_flow()
    return uuid.uuid4() if execution is None else uuid.UUID(bytes=execution.draws.next()[:16], version=4)


def random() -> chance.Random:
    """A new generator of random numbers: in flow code one that gives the same in every replay.

    `random().choice(sellers)`, `random().uniform(1, 2)`. Not for secrets: draw those in a step.

    Returns:
        A generator of its own for each call: what one caller draws from it changes nothing for others.
    """
    execution = _living_flow()
    return chance.Random() if execution is None else chance.Random(int.from_bytes(execution.draws.next(), "big"))


def _living_flow() -> Execution | None:
    """The flow whose code is calling; one that leaves memory gets no values any more (G9)."""
    execution = running_execution()
    if execution is not None and execution.dead:
        refuse_plain(execution.loop)
    return execution
