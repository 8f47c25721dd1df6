"""G11 between processes: one is killed, one stands still and comes back, one is busy; each flow has one runner."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from persistasaurus import BlockingEngine
from persistasaurus.records import Claim, FlowRow, FlowStatus, Start, Sweep
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import Session

from .flows_shared_durable import DurableSharedFlow

ROOT = Path(__file__).parents[2]
SHORT = 0.3
LONG = 600.0
"""Leases, in seconds."""


class Process:
    """A process with an engine; see `programs/share.py`."""

    def __init__(self, popen: subprocess.Popen[str]) -> None:
        self.popen = popen

    def say(self, command: str) -> None:
        """Give it a command."""
        assert self.popen.stdin is not None
        self.popen.stdin.write(command + "\n")
        self.popen.stdin.flush()

    def until(self, text: str) -> str:
        """Wait for a line with this in it."""
        assert self.popen.stdout is not None
        said = []
        for line in self.popen.stdout:
            if text in line:
                return line.strip()
            said.append(line)
        raise AssertionError(f"the process ended without saying {text!r}, but only: {''.join(said)}")

    def stand_still(self, log: Path) -> None:
        """Stop it where it holds no lock of the file, or nobody could write until it goes on."""
        while True:
            self.popen.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, self.popen.pid, os.WSTOPPED)
            with closing(sqlite3.connect(log, timeout=SHORT, isolation_level=None)) as connection:
                try:
                    connection.execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError:
                    self.go_on()

    def go_on(self) -> None:
        """Let it run again."""
        self.popen.send_signal(signal.SIGCONT)

    def end(self) -> None:
        """Let it close its engine."""
        self.say("close")
        assert self.popen.wait(30) == 0


@contextmanager
def processes(path: Path, *names: str, lease: float) -> Iterator[list[Process]]:
    """Processes with an engine each on one log; killed at the end if they still run."""
    with ExitStack() as ending:
        found = []
        for name in names:
            command = [sys.executable, "-m", "tests.crash.programs.share", str(path), name, str(lease)]
            popen = ending.enter_context(
                subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            )
            ending.callback(popen.kill)
            found.append(Process(popen))
            found[-1].until("open")
        yield found


def test_flows_of_a_killed_process_go_on_in_another_long_before_the_lease_is_over(tmp_path: Path) -> None:
    with processes(tmp_path / "log.db", "A", "B", lease=LONG) as (first, second):
        first.say("start f")
        first.until("first")
        second.say("go")
        second.say("result f")
        first.popen.kill()
        assert second.until("f:") == "f: first in B, second in B"
        second.end()
    assert [path.name for path in tmp_path.iterdir()] == ["log.db"]


def test_a_process_that_stood_still_longer_than_its_lease_writes_nothing_and_begins_anew(tmp_path: Path) -> None:
    with processes(tmp_path / "log.db", "A", "B", lease=SHORT) as (first, second):
        first.say("start f")
        first.until("first")
        first.stand_still(tmp_path / "log.db")
        second.say("go")
        second.say("result f")
        assert second.until("f:") == "f: first in B, second in B"
        first.go_on()
        first.say("go")  # its body ends, or is stopped; either way nothing of it is recorded
        first.until("taken for dead")
        first.say("result f")
        assert first.until("f:") == "f: first in B, second in B"
        first.say("start g")
        first.say("result g")
        assert first.until("g:") == "g: first in A, second in A"
        first.end()
        second.end()
    with BlockingEngine(tmp_path / "log.db", flows=[DurableSharedFlow("here", _never)]) as engine:
        history = engine.get_flow(DurableSharedFlow, "f").history()
    assert [(call.name, call.attempts) for call in history] == [("SharedFlow.first", 2), ("SharedFlow.second", 1)]


_ONCE = (("SharedFlow.first", 1), ("SharedFlow.second", 1))


async def _never(step: str) -> None:
    raise AssertionError(f"{step} runs again")


def test_a_busy_event_loop_does_not_lose_the_lease(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    async def hold_up_the_loop(step: str) -> None:
        begun.set()
        go_on.wait()

    flows = [DurableSharedFlow("here", hold_up_the_loop)]
    with BlockingEngine(tmp_path / "log.db", flows=flows, lease=timedelta(seconds=SHORT)) as engine:
        flow = engine.get_flow(DurableSharedFlow, "f").work
        flow.start()
        begun.wait()
        other = Session(SqliteLog(tmp_path / "log.db"))
        deadline = time.monotonic() + 3 * SHORT
        while time.monotonic() < deadline:
            assert other.make(Sweep(), Claim("f")).answers == [0, None]
        go_on.set()
        assert flow.result() == "first in here, second in here"
        other.log.close()


@pytest.mark.parametrize("claim", [True, False])
def test_many_processes_that_want_the_same_flows_run_each_once(tmp_path: Path, claim: bool) -> None:
    names = ("A", "B", "C")
    with processes(tmp_path / "log.db", *names, lease=LONG) as found:
        flow_ids = [f"f{number}" for number in range(20)]
        for process in found:
            process.say("go")
        session = Session(SqliteLog(tmp_path / "log.db"))
        rows = [FlowRow(name, "SharedFlow", "work", 1_000, "{}", FlowStatus.RUNNING, "3.11") for name in flow_ids]
        session.make(*(Start(row, claim=claim) for row in rows))
        session.log.close()  # what it had claimed is free
        for process in found:
            for flow_id in flow_ids:
                process.say(f"result {flow_id}")
        results = [sorted(process.until(": first in") for _ in flow_ids) for process in found]
        assert results[0] == results[1] == results[2]
        for process in found:
            process.end()
    with BlockingEngine(tmp_path / "log.db", flows=[DurableSharedFlow("here", _never)]) as engine:
        for flow_id in flow_ids:
            history = engine.get_flow(DurableSharedFlow, flow_id).history()
            assert [(call.name, call.attempts) for call in history] == [*_ONCE]
