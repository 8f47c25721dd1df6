"""A file that may only be read from some moment on, while engines have it open: FOLDER ENGINES.

They do not notice, because they have it open to write. Prints what one is told that opens it then, and what becomes of
it when the file may be written again.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread  # noqa: F401  this and two below would be imported late, with no right to read them
import faulthandler
import os
import sys
import urllib.parse  # noqa: F401
from pathlib import Path

import persistasaurus.sqlite_log  # noqa: F401
from persistasaurus import LogUnavailable
from tests.crash.flows_trips import Ledger
from tests.faults.works import RESULT, UNANSWERED, answer, engines, go_on, ran_once, results, start, until

NOBODY = 65534
FLOWS = 8


async def main(folder: Path, count: int) -> None:
    path, ledger = folder / "log.db", Ledger(folder / "ledger.txt")
    async with engines(ledger, *[path] * count) as company:
        starting = asyncio.ensure_future(start(company, FLOWS))
        await until(lambda: len(ledger.lines()) > FLOWS * UNANSWERED // 2)
        path.chmod(0o444)
        flow_ids = await starting
        await answer(company[0], flow_ids[1:])
        assert await results(company[-1], flow_ids[1:]) == [RESULT] * (FLOWS - 1)
    try:
        await go_on(path, ledger)
    except LogUnavailable as refusal:
        print(refusal)
    path.chmod(0o644)
    try:
        await go_on(path, ledger)
        print("all have ended" if ran_once(ledger, flow_ids) else "some ran twice")
    except LogUnavailable as refusal:
        print(refusal)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(60, exit=True)  # or a test would wait for ever
    if os.geteuid() == 0:
        os.seteuid(NOBODY)  # root may write to what is read-only
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
