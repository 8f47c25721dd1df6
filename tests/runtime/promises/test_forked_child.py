"""An owner that died while its forked child lives: its log is free, and its flows go on elsewhere."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from persistasaurus import BlockingEngine

from .flows_waiting_durable import DurableWaitingFlow
from .machine import Outside

ROOT = Path(__file__).parents[3]
PROGRAM = "tests.runtime.promises.programs.fork_and_wait"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_flows_of_a_dead_owner_go_on_though_its_forked_child_lives(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-m", PROGRAM, str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        child = int(owner.stdout.readline().split()[1])
        try:
            owner.kill()
            owner.wait()
            os.kill(child, 0)  # it lives
            with BlockingEngine(path, flows=[DurableWaitingFlow(Outside())]) as engine:
                flow = engine.get_flow(DurableWaitingFlow, "f")
                flow.answered.send("yes")
                assert flow.asks.result() == "question, yes, holding Ballast"
        finally:
            os.kill(child, signal.SIGKILL)
