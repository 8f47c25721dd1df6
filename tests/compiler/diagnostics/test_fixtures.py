"""Every rejected construct gets its exact message, and good code gets none."""

import os
from pathlib import Path

import pytest

from persistc.diagnostics import Code
from tests.compiler.diagnostics.fixtures import Fixture, diagnose, fixtures, write_output

FIXTURES = tuple(fixtures())
# Made by the stages before and after the checks; their own tests prove them.
OF_OTHER_STAGES = {Code.UNREADABLE_SOURCE, Code.OUTPUT_COLLISION, Code.TYPE_ERROR}


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_persistc_says_exactly_this(fixture: Fixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    verdict = diagnose(fixture.files, tmp_path)
    if os.environ.get("PERSISTC_FIXTURES") == "write" and verdict.text != fixture.output:
        write_output(fixture, verdict.text)
    assert verdict.text == fixture.output


def test_every_code_has_a_fixture() -> None:
    outputs = "".join(fixture.output for fixture in FIXTURES)
    assert [code for code in Code if f"[{code}]" not in outputs and code not in OF_OTHER_STAGES] == []


def test_no_two_fixtures_have_one_name() -> None:
    names = [fixture.name for fixture in FIXTURES]
    assert sorted(set(names)) == sorted(names)
