"""Why a thing does not belong into flow code, in the words of its finding, and what to write instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from persistc.diagnostics import Code


class Reason(Enum):
    """A kind of effect: its code, and what it does."""

    CLOCK = Code.READS_CLOCK, "reads the clock", "another time at every replay"
    RANDOM = Code.DRAWS_RANDOM, "draws something random", "another value at every replay"
    ENVIRONMENT = Code.READS_ENVIRONMENT, "asks the process or its machine", "another answer in another process"
    OUTSIDE = Code.ACTS_OUTSIDE, "reaches outside of the flow", "happens again at every replay"
    HELD = Code.ACTS_OUTSIDE, "acts on an object the flow class holds", "happens again at every replay"
    IDENTITY = Code.ASKS_IDENTITY, "tells one process from another", "another number in another process"
    THREADS = Code.STARTS_THREADS, "runs code beside the flow", "finishes in another order at every replay"
    THREAD = Code.STARTS_THREADS, "runs something in a thread that is no plain step", "happens again at every replay"
    UNSEEN = Code.CANNOT_SEE_INTO_CALL, "calls what persistc cannot see", "may do anything, again at every replay"
    WRITE = Code.EFFECT_IN_CLEANUP, "changes what outlives the run", "changed by every run that leaves memory"

    CHANGE = Code.SHARED_STATE, "changes what all runs share", "done again by every replay, and seen by other runs"
    CHANGE_OF_GIVEN = Code.SHARED_STATE, "changes what all runs share", "the same object in all runs"
    CHANGED = Code.SHARED_STATE, "is changed while flows run", "may be another value when the flow is replayed"

    def __init__(self, code: Code, does: str, label: str) -> None:
        self.code = code
        self.does = does
        self.label = label


IN_A_STEP = "move it into a step, whose outcome is recorded"
IN_CLEANUP = "call a step there, which does not run when the flow leaves memory, or move it behind the block"
NOW = "write `persistasaurus.now()`, which is the same in every replay"
TODAY = "write `persistasaurus.now().date()`, which is the same in every replay"
NUMBERS = "write `persistasaurus.random()`, whose numbers are the same in every replay, or draw in a step"
IDENTIFIER = "write `persistasaurus.uuid4()`, which is the same in every replay"
SECRET = "make it in a step, whose outcome is recorded"
IN_A_LOCAL = "keep it in a local variable and pass it on; what must outlive the run is written in a step"
READ_IN_A_STEP = "read it in a step, whose result is recorded, or hand it to the flow as an argument"
HANDED_IN = "pass it in as an argument of the flow, or read it in a step"
SLEEP = "write `await asyncio.sleep(...)`, which is durable in a flow; in a plain one `persistasaurus.sleep(...)`"
BRANCHES = "run branches with `asyncio.gather` or `asyncio.TaskGroup`, and what blocks in a step"
PLAIN_STEP = "give it a plain step: `await asyncio.to_thread(self.step, ...)`"
STABLE_KEY = "use what is the same in every process: a number or text of its own, or `hashlib.sha256(...)`"
IN_SIGHT = "move it into a step; if it has no effect, say so: `# persistc: allow[PST220] why`"


@dataclass(frozen=True, slots=True)
class Source:
    """An entry of the tables."""

    reason: Reason
    fix: str
    below: int | None = None
    """A source only when called with fewer arguments than this: `time.localtime()`, not `time.localtime(seconds)`."""
    is_read: bool = False
    """The mention of it counts already, not only a call: `os.environ`."""


def words(text: str) -> list[str]:
    """The names of a table."""
    return text.split()
