"""Live a trip in one child process after the other: FOLDER FLOW DURABILITY MOMENT. Child n is killed at its n-th write.

MOMENT says when exactly: "put", before the write is put; "commit", when the n-th commit has returned, before the engine
hears of it. Each child has a folder of its own, named n. Prints how many were killed; the next one lived to the end.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from persistasaurus.records import Commit, Write
from persistasaurus.sqlite_log import SqliteLog
from tests.crash.programs.trip import Durability, Flow, ledger_in, live, log_in


class DyingLog(SqliteLog):
    """A log whose process is killed at its n-th put, or after its n-th commit."""

    def __init__(self, path: Path, durability: Durability, moment: str, number: int) -> None:
        super().__init__(path, durability=durability)
        self._moment = moment
        self._left = number

    def open(self, on_commit: Callable[[Commit], None], on_news: Callable[[], None] = lambda: None) -> None:
        def committed(commit: Commit) -> None:
            self._came_to("commit")
            on_commit(commit)

        super().open(committed, on_news)

    def put(self, write: Write) -> int:
        self._came_to("put")
        return super().put(write)

    def _came_to(self, moment: str) -> None:
        if moment == self._moment:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main(folder: Path, flow: Flow, durability: Durability, moment: str) -> None:
    number = 1
    while _dies(folder / str(number), flow, durability, moment, number):
        number += 1
    print(number - 1)


def _dies(folder: Path, flow: Flow, durability: Durability, moment: str, number: int) -> bool:
    """Whether a child that is to be killed at its n-th write came to it."""
    folder.mkdir()
    child = os.fork()
    if child == 0:
        asyncio.run(live(flow, DyingLog(log_in(folder), durability, moment, number), ledger_in(folder)))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    assert status == 0, f"the child {number} failed"
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]), cast(Flow, sys.argv[2]), cast(Durability, sys.argv[3]), sys.argv[4])
