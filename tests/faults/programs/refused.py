"""Engines at work on a log whose files may not grow: FOLDER ENGINES limited | killed. Prints what is said of it."""

from __future__ import annotations

import asyncio
import faulthandler
import signal
import sys
from pathlib import Path

from tests.faults.refusals import Company, killed, limited


def main(folder: str, count: str, refusal: str) -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    company = Company(Path(folder), int(count))
    ways = {"limited": limited, "killed": killed}
    for message in asyncio.run(company.survives(ways[refusal])):
        print(message)


if __name__ == "__main__":
    faulthandler.dump_traceback_later(60, exit=True)  # or a test would wait for ever
    main(*sys.argv[1:])
