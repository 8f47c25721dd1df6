"""Processes are killed for real: what had ended ran once, what was cut off once more, and the result is right."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from persistasaurus.records import InvocationRow, Kind, Status
from persistasaurus.sqlite_log import SqliteLog

from .programs.trip import FLOW_ID, Durability, Flow, ledger_in, live, log_in

BOOKED = (
    "flight in Oslo; room in Oslo with breakfast in Oslo; car in Oslo; approved by alice; "
    "bill: no money in Oslo; mail about Oslo"
)
BODIES = ["flight", "room", "car", "breakfast", "approve", "charge", "bill: no money", "mail"]
ROOT = Path(__file__).parents[2]


def command(program: str, *arguments: object) -> list[str]:
    """The command that runs a program of this folder."""
    return [sys.executable, "-m", f"tests.crash.programs.{program}", *map(str, arguments)]


def calls_on_record(folder: Path) -> list[InvocationRow]:
    """What a killed process left in its log."""
    if not log_in(folder).exists():
        return []
    log = SqliteLog(log_in(folder))
    log.open(lambda commit: None)
    try:
        return list(log.invocations(FLOW_ID))
    finally:
        log.close()


def finish(folder: Path, flow: Flow) -> str:
    """Live the trip to its end in this process."""
    return asyncio.run(live(flow, SqliteLog(log_in(folder), durability="process"), ledger_in(folder)))


@pytest.mark.parametrize(("durability", "moment"), [("process", "put"), ("process", "commit"), ("power", "commit")])
@pytest.mark.parametrize("flow", ["async", "plain"])
def test_a_process_killed_at_any_write_is_continued_behind_what_had_ended(
    tmp_path: Path, flow: Flow, durability: Durability, moment: str
) -> None:
    done = subprocess.run(
        command("die_everywhere", tmp_path, flow, durability, moment),
        cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=120, check=True,
    )  # fmt: skip
    killed = int(done.stdout)
    assert killed >= len(BODIES)
    for number in range(1, killed + 1):
        folder = tmp_path / str(number)
        ended = {str(row.step) for row in calls_on_record(folder) if row.status in (Status.COMPLETE, Status.FAILED)}
        before = ledger_in(folder).lines()
        assert finish(folder, flow) == BOOKED
        after = ledger_in(folder).lines()[len(before) :]
        again = [line for line in after if line.split()[0] in ended]
        assert again == [], f"killed at {moment} {number}: these had ended, and ran again"
        most = Counter(dict.fromkeys(BODIES, 2)) + Counter(mail=1)  # mail fails once, as it should
        ran = Counter(line.split(maxsplit=1)[1] for line in (*before, *after))
        assert set(ran) == set(BODIES)
        assert all(ran[name] <= most[name] for name in ran), f"killed at {moment} {number}: {ran}"
        # Cut off were at most the branches that ran side by side.
        assert ran.total() <= len(BODIES) + 1 + 2
        for row in calls_on_record(folder):
            assert row.status in (Status.COMPLETE, Status.FAILED)
            ran_in_all = sum(line.split()[0] == str(row.step) for line in (*before, *after))
            assert row.attempts >= ran_in_all if row.kind is not Kind.TIMER else ran_in_all == 0


@pytest.mark.parametrize("flow", ["async", "plain"])
def test_a_process_killed_in_body_after_body_comes_to_its_end(tmp_path: Path, flow: Flow) -> None:
    """Killed from outside, in each life as soon as a body begins that had not begun before."""
    begun: set[str] = set()
    for _ in BODIES:
        with subprocess.Popen(
            command("trip", tmp_path, flow, "process"),
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        ) as process:  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            for line in process.stdout:
                name = line.split(maxsplit=1)[1].strip()
                if name not in begun:
                    begun.add(name)
                    process.kill()
                    break
                process.stdin.write(".")
                process.stdin.flush()
        assert process.returncode == -signal.SIGKILL
    assert begun == set(BODIES)
    assert finish(tmp_path, flow) == BOOKED
