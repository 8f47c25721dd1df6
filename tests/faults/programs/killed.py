"""Start flows and be killed when so many bodies have begun: FOLDER FLOWS ENGINES BODIES [MOVED].

MOVED: When so many have begun, what is in the write-ahead log is moved into the file, as SQLite does from time to time.
"""

from __future__ import annotations

import asyncio
import faulthandler
import os
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from tests.crash.flows_trips import Ledger
from tests.faults.works import engines, start


class LastLedger(Ledger):
    """A ledger whose process is killed at its n-th line, when that is written."""

    def __init__(self, folder: Path, last: int, moved: int) -> None:
        super().__init__(folder / "ledger.txt")
        self._log = folder / "log.db"
        self._count = 0
        self._last = last
        self._moved = moved

    def note(self, line: str) -> None:
        super().note(line)
        self._count += 1
        if self._count == self._last:
            os.kill(os.getpid(), signal.SIGKILL)
        if self._count == self._moved:
            with closing(sqlite3.connect(self._log)) as connection:
                connection.execute("PRAGMA wal_checkpoint(RESTART)")


async def main(folder: Path, flows: int, count: int, bodies: int, moved: int = 0) -> None:
    ledger = LastLedger(folder, bodies, moved)
    async with engines(ledger, *[folder / "log.db"] * count) as company:
        await start(company, flows)
        await asyncio.Event().wait()


if __name__ == "__main__":
    faulthandler.dump_traceback_later(60, exit=True)  # or a test would wait for ever
    asyncio.run(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
