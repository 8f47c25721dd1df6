"""Starts a flow on a log, forks a child that lives until it is killed, says so, and waits to be killed itself."""

from __future__ import annotations

import os
import signal
import sys

from persistasaurus import BlockingEngine
from tests.runtime.promises.flows_waiting_durable import DurableWaitingFlow
from tests.runtime.promises.machine import Outside


def main(path: str) -> None:
    engine = BlockingEngine(path, flows=[DurableWaitingFlow(Outside())])
    engine.open()
    flow = engine.get_flow(DurableWaitingFlow, "f")
    flow.asks.start()
    child = os.fork()
    if child == 0:
        signal.pause()
    print(f"{flow.status()} {child}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(sys.argv[1])
