"""Write steps of several flows until killed, printing each position once it was acknowledged: PATH DURABILITY."""

from __future__ import annotations

import sys
import threading
from typing import cast

from persistasaurus.records import Commit, Start
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.sqlite_log.opening import Durability
from persistasaurus.testing.contract.session import changed, flow_row, made

FLOWS = ("a", "b", "c")
MOST_WAITING = 500


def main(path: str, durability: str) -> None:
    told = threading.Event()
    position = 0

    def acknowledge(commit: Commit) -> None:
        nonlocal position
        position = commit.position
        print(position, flush=True)
        told.set()

    log = SqliteLog(path, durability=cast(Durability, durability))
    log.open(acknowledge)
    for flow_id in FLOWS:
        log.put(Start(flow_row(flow_id)))
    step = 0
    while True:
        step += 1
        for flow_id in FLOWS:
            log.put(made(step, flow_id))
            last = log.put(changed(step, flow_id))
        while last - position > MOST_WAITING:
            told.wait()
            told.clear()


if __name__ == "__main__":
    main(*sys.argv[1:])
