"""What goes wrong, stops or is counted in a flow or step does so in the file and line its author wrote."""

from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

import pytest

from persistasaurus import Engine, Status
from persistasaurus.testing import InMemoryLog

from .flows_stepped_durable import DurableSteppedFlow, DurableSteppedPlainFlow
from .stops import FILE, LINES

ROOT = Path(__file__).parents[3]
COLOURS = pytest.mark.parametrize("colour", ["async", "plain"])


def program(*arguments: str, said: str = "") -> str:
    """What a Python program of the repository prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, input=said, capture_output=True, text=True, check=True
    )
    return done.stdout


# --- tracebacks -----------------------------------------------------------------------------------------------------


async def failing(log: InMemoryLog, colour: str, price: int) -> None:
    """Run a flow that fails, or go on with it."""
    async with Engine(log, flows=[DurableSteppedFlow(), DurableSteppedPlainFlow()]) as engine:
        flow = engine.get_flow(DurableSteppedFlow, "f").share
        plain = engine.get_flow(DurableSteppedPlainFlow, "f").share_plain
        with pytest.raises((ValueError, ZeroDivisionError)):
            await (flow.run(price) if colour == "async" else plain.run(price))


def told(records: Sequence[logging.LogRecord]) -> list[list[str]]:
    """The lines of the user's file, by their comments, in the traceback of each failure that was logged."""
    names = {line: name for name, line in LINES.items()}
    return [
        [names[frame.lineno or 0] for frame in traceback.extract_tb(record.exc_info[2]) if frame.filename == str(FILE)]
        for record in records
        if record.exc_info is not None
    ]


def behind_the_step(log: InMemoryLog) -> InMemoryLog:
    """What was on record when the step had ended and its flow had not."""
    crashes = map(log.crashed, range(len(log.journal)))
    return next(
        crash for crash in crashes if [row.status for row in crash.invocations("f")] not in ([], [Status.PENDING])
    )


@COLOURS
def test_a_traceback_of_a_flow_body_names_its_line_live_and_replayed(
    colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = InMemoryLog()
    asyncio.run(failing(log, colour, 1))
    assert told(caplog.records) == [[f"{colour} flow divides"]]
    caplog.clear()
    asyncio.run(failing(behind_the_step(log), colour, 1))
    assert told(caplog.records) == [[f"{colour} flow divides"]]


@COLOURS
def test_a_traceback_of_a_step_names_its_line_and_that_of_the_call_live_and_replayed(
    colour: str, caplog: pytest.LogCaptureFixture
) -> None:
    log = InMemoryLog()
    asyncio.run(failing(log, colour, -1))
    assert told(caplog.records) == [[f"{colour} step raises"], [f"{colour} flow calls"]]
    caplog.clear()
    asyncio.run(failing(behind_the_step(log), colour, -1))
    assert told(caplog.records) == [[f"{colour} flow calls"]]  # the step is on record and does not run


# --- breakpoints ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["blocking", "on a loop"])
def test_a_breakpoint_is_hit_in_flows_and_steps_with_their_locals(engine: str) -> None:
    printed = program("-m", "tests.runtime.debugging.stops", engine)
    assert printed.splitlines() == [
        "async flow calls: share {'price': 10}",
        "async step: halve {'price': 10}",
        "async flow divides: share {'half': 5, 'price': 10}",
        "20",
        "plain flow calls: share_plain {'price': 10}",
        "plain step: halve_plain {'price': 10}",
        "plain flow divides: share_plain {'half': 5, 'price': 10}",
        "20",
    ]


def test_pdb_stops_in_both_kinds_of_flows_and_goes_from_line_to_line() -> None:
    commands = [
        f"break {FILE}:{LINES['async flow calls']}",
        f"break {FILE}:{LINES['plain flow calls']}",
        "continue", "p price", "until", "p half", "continue", "p price + 1", "until", "p half", "quit",
    ]  # fmt: skip
    printed = program("-m", "pdb", "-m", "tests.runtime.debugging.program", said="\n".join(["s", *commands, ""]))
    answers = [line.removeprefix("(Pdb) ") for line in printed.splitlines()]
    assert [line for line in answers if line.isdigit()][:5] == ["10", "5", "20", "11", "5"]


# --- coverage -------------------------------------------------------------------------------------------------------


def test_coverage_counts_the_lines_of_flows_and_steps(tmp_path: Path) -> None:
    configuration = tmp_path / "coveragerc"
    configuration.write_text(
        f"[run]\ndata_file = {tmp_path}/data\ninclude = {FILE}\nconcurrency = thread,greenlet\n", encoding="utf-8"
    )
    coverage = ("-m", "coverage")
    program(*coverage, "run", f"--rcfile={configuration}", "-m", "tests.runtime.debugging.program")
    program(*coverage, "json", f"--rcfile={configuration}", "-o", str(tmp_path / "report.json"))
    (found,) = json.loads((tmp_path / "report.json").read_text())["files"].values()
    assert found["missing_lines"] == [LINES["async step raises"], LINES["plain step raises"]]
    assert {*LINES.values()} - {*found["missing_lines"]} <= {*found["executed_lines"]}
