"""Open a log, record a flow, say so, and hold the log open until killed: PATH [alone | with-child]."""

from __future__ import annotations

import os
import sys
import threading
import time

from persistasaurus.errors import LogError
from persistasaurus.records import Commit, Start
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import flow_row


def main(path: str, company: str = "alone") -> None:
    recorded = threading.Event()

    def on_commit(commit: Commit) -> None:
        recorded.set()

    log = SqliteLog(path)
    log.open(on_commit)
    log.put(Start(flow_row()))
    recorded.wait()
    if company == "with-child":
        child = os.fork()
        if child == 0:
            try:
                log.flow("f")
            except LogError as error:
                say(f"child {os.getpid()}: {error}")
            time.sleep(600)
        os.waitpid(child, os.WNOHANG)
    say(f"open {os.getpid()}")
    time.sleep(600)


def say(text: str) -> None:
    """Print a line in one piece: two processes share the pipe."""
    os.write(sys.stdout.fileno(), f"{text}\n".encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
