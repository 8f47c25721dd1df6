"""The README is true: its files compile, type-check and run, and its commands print what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.examples.program import wait_until_recorded
from tests.readme.blocks import README, Command, excerpts, files, sessions

ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MYPYPATH"}},
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
    "PYTHONUNBUFFERED": "1",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with the files of the README, each in a package."""
    for path, text in files().items():
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        (file.parent / "__init__.py").touch()
        file.write_text(text, encoding="utf-8")
    return tmp_path


def run(line: str, project: Path) -> str:
    done = subprocess.run(
        line.split(), cwd=project, env=ENVIRONMENT, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, timeout=60,
    )  # fmt: skip
    return done.stdout


def run_and_kill(command: Command, project: Path) -> str:
    """What a command prints until its first step is durable, and the shell's word for its end."""
    with subprocess.Popen(
        command.line.split(), cwd=project, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        assert process.stdout is not None
        output = "".join(process.stdout.readline() for _ in command.output.splitlines()[:-1])
        wait_until_recorded(project / "execution_log.db", step=2)
        process.kill()
    return f"{output}Killed\n"


def test_the_first_flow_survives_its_process_as_shown(project: Path) -> None:
    only(project, "app")
    for command in sessions()[0]:
        is_killed = command.output.endswith("Killed\n")
        assert (run_and_kill(command, project) if is_killed else run(command.line, project)) == command.output
    for path, text in excerpts().items():
        assert text in (project / path).read_text(encoding="utf-8")


def test_the_plain_flow_runs_and_is_typed(project: Path) -> None:
    only(project, "shop")
    run("persistc generate", project)
    assert run("mypy --strict shop", project).startswith("Success")
    assert run("mypy --strict shop/flows_durable.py", project).startswith("Success")
    assert run("python -m shop.main", project) == "1 teapot\n"


def test_the_compiler_says_what_the_readme_says(project: Path) -> None:
    (command,) = sessions()[1]
    assert run(command.line, project) == command.output


def test_the_readme_speaks_of_every_promise_in_order() -> None:
    promises = re.findall(r"^- \*\*G(\d+) ", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert promises == [str(number) for number in range(1, 15)]


def only(project: Path, package: str) -> None:
    """Leave one package in the project."""
    for folder in {Path(path).parts[0] for path in files()} - {package}:
        for file in (project / folder).iterdir():
            file.unlink()
        (project / folder).rmdir()
