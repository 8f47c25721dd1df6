"""Whole projects: what persistc writes for them and says about them, compared file by file.

A folder of tests/golden is a project with its generated files, as a user would have committed it, and `run.toml` with
the command, its exit code and its output. `PERSISTC_UPDATE_GOLDEN=1` writes what comes out instead of comparing.
"""

import json
import os
import shutil
import tomllib
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.compiler.projects import REPOSITORY, Ended, Project, contents

GOLDEN = REPOSITORY / "tests" / "golden"
CASES = sorted(path.parent for path in GOLDEN.glob("*/run.toml"))
CLEAN = [case for case in CASES if tomllib.loads((case / "run.toml").read_text(encoding="utf-8"))["exit_code"] == 0]
UPDATE = os.environ.get("PERSISTC_UPDATE_GOLDEN") == "1"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_project_is_compiled_to_exactly_these_files(case: Path, tmp_path: Path) -> None:
    copy = tmp_path / case.name
    shutil.copytree(case, copy, ignore=shutil.ignore_patterns("*_durable.py*", "__pycache__"))
    expected = tomllib.loads((case / "run.toml").read_text(encoding="utf-8"))

    ended = Project(copy).persistc(*expected["command"])

    if UPDATE:
        _update(case, copy, expected["command"], ended)
    assert (ended.exit_code, ended.stdout, ended.stderr) == (
        expected["exit_code"],
        expected["stdout"],
        expected["stderr"],
    )
    assert contents(copy) == contents(case)


@pytest.mark.parametrize("case", CLEAN, ids=lambda case: case.name)
def test_a_compiled_project_is_clean(case: Path) -> None:
    ended = Project(case).persistc("check", "--output-format", "concise")
    assert (ended.exit_code, ended.stdout) == (0, "")


def test_generated_code_is_not_longer_than_its_source() -> None:
    """The bar: 180 lines of source give no more than about 160 lines of `.py` and 80 of `.pyi`."""
    source, proxies, stub = (
        len((GOLDEN / "orders" / name).read_text(encoding="utf-8").splitlines())
        for name in ("flows.py", "flows_durable.py", "flows_durable.pyi")
    )
    assert proxies <= source * 160 / 180
    assert stub <= source * 80 / 180


def _update(case: Path, copy: Path, command: list[str], ended: Ended) -> None:
    for old in case.rglob("*_durable.py*"):
        old.unlink()
    for new in copy.rglob("*_durable.py*"):
        shutil.copy(new, case / new.relative_to(copy))
    values = {"command": command, **asdict(ended)}
    text = "".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items())
    (case / "run.toml").write_text(text, encoding="utf-8")
    (copy / "run.toml").write_text(text, encoding="utf-8")
