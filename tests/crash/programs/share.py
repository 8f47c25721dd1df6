"""One of several processes with an engine on one log: PATH NAME LEASE, in seconds.

Reads commands, line by line: `start ID`, `result ID`, `go` (lets every body go on), `close`. Prints `open`, the names
of steps as their bodies begin, results as `ID: RESULT`, and `warning: ...` for what the engine warns of.
"""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import sys
from datetime import timedelta

from persistasaurus import Engine
from tests.crash.flows_shared_durable import DurableSharedFlow


async def main(path: str, name: str, lease: float) -> None:
    loop = asyncio.get_running_loop()
    gate = asyncio.Event()

    async def visit(step: str) -> None:
        say(step)
        await gate.wait()

    async def result(flow_id: str) -> None:
        say(f"{flow_id}: {await engine.get_flow(DurableSharedFlow, flow_id).work.result()}")

    async with Engine(path, flows=[DurableSharedFlow(name, visit)], lease=timedelta(seconds=lease)) as engine:
        say("open")
        waiting = set()
        while True:
            command, *flow_id = (await loop.run_in_executor(None, sys.stdin.readline)).split() or ["close"]
            if command == "start":
                await engine.get_flow(DurableSharedFlow, *flow_id).work.start()
            elif command == "result":
                waiting.add(loop.create_task(result(*flow_id)))
            elif command == "go":
                gate.set()
            else:
                break
        gate.set()


def say(text: str) -> None:
    """Print a line in one piece."""
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


class Saying(logging.Handler):
    """Prints warnings, for the test to wait for."""

    def emit(self, record: logging.LogRecord) -> None:
        say(f"warning: {record.getMessage()}")


if __name__ == "__main__":
    faulthandler.dump_traceback_later(60, exit=True)  # or a test would wait for ever
    logging.getLogger("persistasaurus").addHandler(Saying(logging.WARNING))
    asyncio.run(main(sys.argv[1], sys.argv[2], float(sys.argv[3])))
