"""One life of the flows in every state: FOLDER first | between | last.

The first life starts them, leaves each as `AS_LEFT` says, and is killed. One between is killed when every body that was
cut off has begun again. The last one prints, in JSON, how each flow comes out.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from persistasaurus import Engine, FlowEnded, FlowParked, FlowStatus, Status
from persistasaurus.instances import Async
from persistasaurus.testing import ManualClock
from tests.crash.flows_trips import Ledger
from tests.faults.flows_states import LATER, PARCEL, SOON, Outside
from tests.faults.flows_states_durable import (
    DurablePlainStatesFlow,
    DurableStatesFlow,
    PlainStatesFlowInstance,
    StatesFlowInstance,
)

FIRST_DAY: Final = datetime(2025, 1, 1, tzinfo=UTC)

AS_LEFT: Final[Mapping[str, str]] = {
    "completes": "COMPLETE C",
    "fails": "FAILED CF",
    "fails_unlisted": "FAILED F",
    "fails_in_a_group": "FAILED CF",
    "asks": "WAITING CW",
    "asks_in_vain": "WAITING W",
    "sleeps": "WAITING CP",
    "puts_off": "WAITING P",
    "tries_again": "WAITING P",
    "is_cut_off": "RUNNING CFP",
    "is_cut_off_behind_a_caught_group": "RUNNING CFP",
    "gathers": "RUNNING CPFP",
    "groups": "RUNNING CCPP",
    "takes_the_first": "RUNNING PCP",
    "hands_on": "RUNNING CPC",
    "has_time": "RUNNING PCP",
    "runs_out_of_time": "RUNNING PCP",
    "ran_out_of_time": "RUNNING CXP",
    "waits_for_one": "RUNNING PP",
    "waited_for_one": "RUNNING XCP",
    "waited_for_one_in_vain": "RUNNING CXP",
    "waits_for_one_in_vain": "RUNNING PP",
    "waits_for_two": "RUNNING PPPP",
    "waits_for_two_in_no_time": "RUNNING P",
    "completes_plainly": "COMPLETE C",
    "asks_plainly": "WAITING CW",
    "sleeps_plainly": "WAITING CP",
    "is_cut_off_plainly": "RUNNING FP",
    "branches": "RUNNING CCPP",
}
"""The status of each flow, named by its method, when its first life ends, and the first letters of those of its calls;
X is cancelled."""

_STILL_IN_TIME: Final = {"ran_out_of_time": "RUNNING PP", "waited_for_one_in_vain": "RUNNING PP"}

_BETWEEN_LOOKS: Final = 0.01
_LETTERS: Final = {status: "X" if status is Status.CANCELLED else status[0] for status in Status}
_ARGUMENTS: Final[Mapping[str, Sequence[Any]]] = {"completes": [PARCEL], "is_cut_off": [PARCEL]}


def log_in(folder: Path) -> Path:
    """The execution log in a folder."""
    return folder / "log.db"


def ledger_in(folder: Path) -> Ledger:
    """The ledger in a folder."""
    return Ledger(folder / "ledger.txt")


class Life:
    """The engine's life in one process.

    Args:
        folder: Where the log and the ledger are.
        last: Whether it is the last one.
    """

    def __init__(self, folder: Path, *, last: bool) -> None:
        self.ledger = ledger_in(folder)
        outside = Outside(self.ledger, first=not last)
        self.clock = ManualClock(FIRST_DAY + timedelta(seconds=2 * LATER if last else 0))
        self.engine = Engine(
            log_in(folder), flows=[DurableStatesFlow(outside), DurablePlainStatesFlow(outside)], clock=self.clock
        )

    def flow(self, name: str) -> StatesFlowInstance[Async] | PlainStatesFlowInstance[Async]:
        """The flow that runs the method of this name."""
        if hasattr(StatesFlowInstance, name):
            return self.engine.get_flow(DurableStatesFlow, name)
        return self.engine.get_flow(DurablePlainStatesFlow, name)

    async def stands(self, name: str) -> str:
        """Where a flow stands, as in `AS_LEFT`."""
        flow = self.flow(name)
        calls = [_LETTERS[call.status] for call in await flow.history() if not call.archived]
        return f"{await flow.status()} {''.join(calls)}"

    async def begin(self) -> None:
        """Start every flow and bring it as far as it is to come; then be killed."""
        async with self.engine:
            for name in AS_LEFT:
                bound: Any = getattr(self.flow(name), name)
                await bound.start(*_ARGUMENTS.get(name, ()))
            for name, stand in {**AS_LEFT, **_STILL_IN_TIME}.items():
                await self._comes_to(name, stand)
            self.clock.advance(timedelta(seconds=SOON))
            for name, stand in AS_LEFT.items():
                await self._comes_to(name, stand)
            os.kill(os.getpid(), signal.SIGKILL)

    async def begin_again(self) -> None:
        """Have every body that was cut off begin again; then be killed."""
        cut_off = [line for line in self.ledger.lines() if " held" in line and "too long" not in line]
        async with self.engine:
            for line in cut_off:
                flow = self.flow(line.split()[0])
                while self.ledger.lines().count(line) < 2 and await flow.status() is not FlowStatus.PARKED:  # noqa: ASYNC110
                    await asyncio.sleep(_BETWEEN_LOOKS)
            os.kill(os.getpid(), signal.SIGKILL)

    async def _comes_to(self, name: str, stand: str) -> None:
        while await self.stands(name) != stand:  # noqa: ASYNC110
            await asyncio.sleep(_BETWEEN_LOOKS)

    async def end(self) -> dict[str, list[str]]:
        """Bring every flow to its end, and those that had failed to a second one; how each came out."""
        async with self.engine:
            with contextlib.suppress(FlowEnded):  # another life was the last one
                await self.engine.get_flow(DurableStatesFlow, "asks").answered.send("yes")
                await self.engine.get_flow(DurablePlainStatesFlow, "asks_plainly").answered.send("yes")
            return {name: await self._ends(name) for name in AS_LEFT}

    async def _ends(self, name: str) -> list[str]:
        flow = self.flow(name)
        bound: Any = getattr(flow, name)
        told: list[str] = []
        try:
            told.append(str(await bound.result()))
        except FlowParked as parked:
            return [*told, f"parked: {parked}"]
        except Exception as error:
            told.append(f"{type(error).__name__}: {_told(error)}")
        if await flow.status() is FlowStatus.FAILED:
            told.append(await bound.run(*_ARGUMENTS.get(name, ())))
        return told


def _told(error: Exception) -> str:
    if isinstance(error, ExceptionGroup):
        return "; ".join(map(_told, error.exceptions))
    return f"{isinstance(error, ConnectionError)} {error} {getattr(error, 'code', None)}"


if __name__ == "__main__":
    faulthandler.dump_traceback_later(60, exit=True)  # or a test would wait for ever
    life = Life(Path(sys.argv[1]), last=sys.argv[2] == "last")
    if sys.argv[2] == "first":
        asyncio.run(life.begin())
    elif sys.argv[2] == "between":
        asyncio.run(life.begin_again())
    else:
        print(json.dumps(asyncio.run(life.end())))
