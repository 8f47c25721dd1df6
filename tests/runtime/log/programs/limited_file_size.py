"""Write to a log whose files may not grow, let them grow after the refusal, and write on: PATH [stay]."""

from __future__ import annotations

import logging
import resource
import signal
import sys
import threading
from datetime import timedelta
from typing import TextIO

from persistasaurus.errors import LogUnavailable
from persistasaurus.records import Commit, Start
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import flow_row, made

STEPS = 2_000


def main(path: str, then: str = "") -> None:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    refused = threading.Event()
    settled = threading.Condition()
    position = 0

    class Refused(logging.StreamHandler[TextIO]):
        def emit(self, record: logging.LogRecord) -> None:
            super().emit(record)
            refused.set()

    handler = Refused(sys.stdout)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    logging.getLogger("persistasaurus.log").addHandler(handler)

    def on_commit(commit: Commit) -> None:
        nonlocal position
        with settled:
            position = commit.position
            settled.notify_all()

    log = SqliteLog(path, close_within=timedelta(seconds=0.2))
    log.open(on_commit)
    log.put(Start(flow_row()))
    with settled:
        settled.wait_for(lambda: position == 1)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    for step in range(1, STEPS + 1):
        log.put(made(step))
    refused.wait()
    print(f"refused at {position}, readable: {len(log.invocations('f', limit=5000))}", flush=True)
    if then != "stay":
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        with settled:
            settled.wait_for(lambda: position == STEPS + 1)
        print(f"recorded {position}", flush=True)
    try:
        log.close()
        print("closed", flush=True)
    except LogUnavailable as error:
        print(f"not recorded: {error}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
