"""Runs an example as a user does, in a process and a folder of its own, and reads what it left in its log."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

from persistasaurus import Engine, FlowSummary, Invocation
from persistasaurus.generated import Durable

ROOT: Final = Path(__file__).parents[2]
ENVIRONMENT: Final[Mapping[str, str]] = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m` with these arguments to its end."""
    return subprocess.run(
        _command(arguments), cwd=folder, env=ENVIRONMENT, check=False, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, timeout=60,
    )  # fmt: skip


@contextmanager
def started(folder: Path, *arguments: str) -> Generator[subprocess.Popen[str], None, None]:
    """Start `python -m` with these arguments, its output there to be read; it is killed at the end of the block."""
    process = subprocess.Popen(
        _command(arguments), cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: subprocess.Popen[str], beginning: str) -> list[str]:
    """The lines of a process up to one that begins so."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith(beginning):
            return lines
    raise AssertionError(f"no line {beginning!r} in {lines}")


def wait_until_recorded(log: Path, step: int) -> None:
    """Wait until a call is durable, and with it all that the flow did before (G1); a line it printed tells neither."""
    deadline = time.monotonic() + 30
    with closing(sqlite3.connect(f"{log.as_uri()}?mode=ro", uri=True)) as connection:
        while not connection.execute("SELECT 1 FROM execution_log WHERE step = ?", (step,)).fetchall():
            assert time.monotonic() < deadline, f"step {step} was not recorded"
            time.sleep(0.01)


async def recorded(log: Path, proxy: Durable[Any, Any], flow_id: str) -> tuple[FlowSummary, list[Invocation]]:
    """What the log says about a flow that has ended."""
    async with Engine(log, flows=[proxy]) as engine:
        (flow,) = [flow for flow in await engine.flows() if flow.flow_id == flow_id]
        return flow, await engine.instance(type(proxy), flow_id, lambda operation: operation).history()


def _command(arguments: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", *arguments]
