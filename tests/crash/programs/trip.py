"""One life of a trip: FOLDER FLOW DURABILITY. Starts it or goes on with it.

Each body prints its line of the ledger and goes on when a byte comes in; that is where the process may be killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import os
import sys
from pathlib import Path
from typing import Literal, cast

from persistasaurus import Engine, ExecutionLog, FlowEnded
from persistasaurus.sqlite_log import SqliteLog
from tests.crash.flows_trips import Ledger
from tests.crash.flows_trips_durable import DurablePlainTripFlow, DurableTripFlow

Flow = Literal["async", "plain"]
Durability = Literal["power", "process"]
FLOW_ID = "trip-1"


def log_in(folder: Path) -> Path:
    """The execution log in a folder."""
    return folder / "log.db"


def ledger_in(folder: Path) -> Ledger:
    """The ledger in a folder."""
    return Ledger(folder / "ledger.txt")


class AskingLedger(Ledger):
    """A ledger that prints what is noted, and waits for the answer."""

    def note(self, line: str) -> None:
        super().note(line)
        os.write(sys.stdout.fileno(), f"{line}\n".encode())  # whole lines, whichever threads write them
        os.read(sys.stdin.fileno(), 1)


async def live(flow: Flow, log: ExecutionLog, ledger: Ledger) -> str:
    """Book the trip, from wherever an earlier life of the program left it."""
    async with Engine(log, flows=[DurableTripFlow(ledger), DurablePlainTripFlow(ledger)]) as engine:
        trip = engine.get_flow(DurableTripFlow, FLOW_ID)
        plain_trip = engine.get_flow(DurablePlainTripFlow, FLOW_ID)
        await (trip if flow == "async" else plain_trip).book.start("Oslo")
        with contextlib.suppress(FlowEnded):  # an earlier life has sent it, and this one has come to the end by it
            await (trip if flow == "async" else plain_trip).approve.send("alice")
        return await (trip if flow == "async" else plain_trip).book.result()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(60, exit=True)  # or a test would wait for ever
    folder, flow = Path(sys.argv[1]), cast(Flow, sys.argv[2])
    log = SqliteLog(log_in(folder), durability=cast(Durability, sys.argv[3]))
    asyncio.run(live(flow, log, AskingLedger(ledger_in(folder).path)))
