"""What one version of Python recorded, another one goes on with: completed, failed, waiting and cut-off flows (G2, G5).

Asyncio makes other calls before 3.12 where several `wait_for` run side by side. Such a flow is parked, and says why.
"""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from tests.faults.flows_states import PARCEL
from tests.faults.programs.states import AS_LEFT, ledger_in, log_in
from tests.faults.pythons import VERSIONS, Python, prepare

OUTCOMES: Final[Mapping[str, list[str]]] = {
    "completes": [str(PARCEL)],
    # What failed is run again and reopened (G7).
    "fails": ["Declined: False ('paper', 3) 3", "first done, no objection to paper"],
    "fails_unlisted": [
        "StepFailed_ConnectionError: True tests.faults.flows_states.LineBroken: no line None",
        "called",
    ],
    "fails_in_a_group": ["ExceptionGroup: False ('paper', 3) 3", "one done, no objection to paper"],
    "asks": ["first done, answered yes, last done"],
    "asks_in_vain": ["no answer, last done"],
    "sleeps": ["first done, last done"],
    "puts_off": ["last done"],
    "tries_again": ["connected at attempt 2"],
    "is_cut_off": ["True, ('paper', 3), 3, held done, last done"],
    "is_cut_off_behind_a_caught_group": ["[\"Declined('paper', 3)\"], held done"],
    "gathers": ["['quick done', 'held one done', Declined('paper', 3), 'held two done'], last done"],
    "groups": ["['quick one done and held one done', 'quick two done and held two done'], last done"],
    "takes_the_first": ["['quick'] first"],
    "hands_on": ["['quick done again done', 'held done again done']"],
    "has_time": ["quick done, held done"],
    "runs_out_of_time": ["too late, last done"],
    "ran_out_of_time": ["too late, held done"],
    "waits_for_one": ["held done"],
    "waited_for_one": ["quick done, held done"],
    "waited_for_one_in_vain": ["too late, held done"],
    "waits_for_one_in_vain": ["too late, last done"],
    "waits_for_two": ["['held one done', 'held two done']"],
    "waits_for_two_in_no_time": ["quick is not there, quick is not there, held done"],
    "completes_plainly": ["only done"],
    "asks_plainly": ["first done, answered yes, last done"],
    "sleeps_plainly": ["first done, last done"],
    "is_cut_off_plainly": ["('paper', 3), 3, held done"],
    "branches": ["quick one done and held one done, quick two done and held two done, last done"],
}

LIFE: Final = "tests.faults.programs.states"
FindPython = Callable[[str], Python]


@pytest.fixture(scope="session")
def python(shared_folder: Path) -> FindPython:
    found = prepare(shared_folder)

    def find(version: str) -> Python:
        program = found[version]
        if isinstance(program, str):
            pytest.skip(program)
        return program

    return find


@pytest.fixture(scope="session")
def left(python: FindPython, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Path], None]:
    """Give a folder the log that a killed process of one version has left."""
    folders: dict[str, Path] = {}

    def give(version: str, to: Path) -> None:
        if version not in folders:
            folders[version] = folder = tmp_path_factory.mktemp(version)
            killed = python(version).run(LIFE, folder, "first")
            assert killed.returncode == -signal.SIGKILL, killed.stderr
        for name in ("log.db", "log.db-wal", "ledger.txt"):
            shutil.copy(folders[version] / name, to)

    return give


def ended_in(folder: Path, scratch: Path) -> set[str]:
    """The steps on record that must not run again, each as its flow and its number; those of failed flows may."""
    scratch.mkdir()
    for name in ("log.db", "log.db-wal"):
        shutil.copy(folder / name, scratch)
    with closing(sqlite3.connect(log_in(scratch))) as log:
        found = log.execute(
            "SELECT flow_id, step FROM execution_log WHERE step > 0 AND status IN ('COMPLETE', 'FAILED')"
        )
        return {f"{flow_id} {step}" for flow_id, step in found if not AS_LEFT[flow_id].startswith("FAILED")}


def last_life(python: Python, folder: Path) -> dict[str, list[str]]:
    """How the flows in a folder come out."""
    done = python.run(LIFE, folder, "last")
    assert done.returncode == 0, done.stderr
    outcomes: dict[str, list[str]] = json.loads(done.stdout)
    return outcomes


def asyncio_differs(writer: str, reader: str) -> bool:
    """Whether several `wait_for` side by side make other calls in one version than in the other."""
    return (writer == "3.11") is not (reader == "3.11")


@pytest.mark.parametrize("reader", VERSIONS)
@pytest.mark.parametrize("writer", VERSIONS)
def test_another_version_goes_on_with_every_flow(
    tmp_path: Path, python: FindPython, left: Callable[[str, Path], None], writer: str, reader: str
) -> None:
    reading, writing = python(reader), python(writer)
    left(writer, tmp_path)
    ended = ended_in(tmp_path, tmp_path / "scratch")
    before = len(ledger_in(tmp_path).lines())
    outcomes = last_life(reading, tmp_path)
    expected = dict(OUTCOMES)
    if asyncio_differs(writer, reader):
        del expected["waits_for_two"]
        (parked,) = outcomes.pop("waits_for_two")
        assert parked.startswith("parked: flow waits_for_two")
        assert f"was started on Python {writer}, this is Python {reader}" in parked
        assert "a timer" in parked
        assert "StatesFlow.work" in parked
    assert outcomes == expected
    again = [line for line in ledger_in(tmp_path).lines()[before:] if " ".join(line.split()[:2]) in ended]
    assert again == []
    if asyncio_differs(writer, reader):
        # Its own version has it again: the code is another there, so it is tried without being asked.
        assert last_life(writing, tmp_path)["waits_for_two"] == OUTCOMES["waits_for_two"]


@pytest.mark.parametrize(
    ("first", "between", "last"), [("3.11", "3.12", "3.13"), ("3.13", "3.11", "3.12"), ("3.12", "3.13", "3.11")]
)
def test_a_log_is_handed_on_through_three_versions_each_killed_in_the_middle_of_steps(
    tmp_path: Path, python: FindPython, left: Callable[[str, Path], None], first: str, between: str, last: str
) -> None:
    begun, going_on = python(between), python(last)
    left(first, tmp_path)
    ended = ended_in(tmp_path, tmp_path / "scratch")
    before = len(ledger_in(tmp_path).lines())
    killed = begun.run(LIFE, tmp_path, "between")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    outcomes = last_life(going_on, tmp_path)
    expected = dict(OUTCOMES)
    if asyncio_differs(first, last):
        (parked,) = outcomes.pop("waits_for_two")
        assert f"was started on Python {first}, this is Python {last}" in parked
        del expected["waits_for_two"]
    assert outcomes == expected
    again = [line for line in ledger_in(tmp_path).lines()[before:] if " ".join(line.split()[:2]) in ended]
    assert again == []
