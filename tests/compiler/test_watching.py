"""`persistc generate --watch`: a real process, told of changes by the files alone, and heard on its stdout."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.compiler.projects import FLOWS, IMPORT_PATH, Project

RENAMED = FLOWS.replace("name", "person")
WROTE = ["wrote flows_durable.py", "wrote flows_durable.pyi"]


@dataclass(frozen=True)
class Watching:
    """A process that watches."""

    process: subprocess.Popen[str]

    def says(self, *lines: str) -> None:
        """Wait for its next lines, which have to be these."""
        assert self.process.stdout is not None
        for line in lines:
            assert self.process.stdout.readline() == f"{line}\n"

    def says_until(self, last: str) -> list[str]:
        """Wait for a line that begins like this; returns the lines before it."""
        assert self.process.stdout is not None
        lines: list[str] = []
        for line in self.process.stdout:
            if line.startswith(last):
                return lines
            lines.append(line)
        raise AssertionError(f"it ended without {last!r}: {lines}")

    def ends(self) -> tuple[int, str]:
        """Press Ctrl-C; returns the exit code and what it had said since."""
        self.process.send_signal(signal.SIGINT)
        said, _ = self.process.communicate()
        return self.process.returncode, said


def save(project: Project, name: str, text: str) -> None:
    """Write a file in one step, so that it is never seen empty."""
    project.write("new.txt", text).replace(project.root / name)


@contextmanager
def watching(project: Project, *arguments: str) -> Iterator[Watching]:
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "persistc", "generate", "--watch", *arguments],
        cwd=project.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8",
        env={**os.environ, "PYTHONPATH": IMPORT_PATH, "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    try:
        yield Watching(process)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def test_it_generates_at_start_and_after_every_change(greeting: Project) -> None:
    with watching(greeting) as watch:
        watch.says(*WROTE)
        assert "name: str" in greeting.read("flows_durable.py")
        save(greeting, "flows.py", RENAMED)
        watch.says(*WROTE)
        assert "person: str" in greeting.read("flows_durable.py")
        (greeting.root / "app").mkdir()
        save(greeting, "app/more.py", FLOWS)
        watch.says("wrote app/more_durable.py", "wrote app/more_durable.pyi", "2 unchanged")
        (greeting.root / "flows.py").unlink()
        watch.says("removed flows_durable.py", "removed flows_durable.pyi", "2 unchanged")
        assert watch.ends() == (0, "")


def test_it_says_what_is_wrong_and_goes_on(greeting: Project) -> None:
    with watching(greeting, "--output-format", "concise") as watch:
        watch.says(*WROTE)
        save(greeting, "flows.py", FLOWS[: FLOWS.index("(self, name: str) -> str")])  # saved half-way
        watch.says_until("Found 1 error.")
        save(greeting, "flows.py", FLOWS.replace("name: str", "name"))
        assert all("error[PST040]" in line for line in watch.says_until("Found 2 errors."))
        save(greeting, "flows.py", FLOWS)
        watch.says("2 unchanged")
        assert watch.ends() == (0, "")


def test_a_configuration_that_is_wrong_for_a_while_does_not_end_it(greeting: Project) -> None:
    save(greeting, "pyproject.toml", "[tool.persistc]\nsource = [")
    with watching(greeting) as watch:
        watch.says_until(f"persistc: {greeting.root}/pyproject.toml cannot be read")
        save(greeting, "pyproject.toml", "[tool.persistc]\nsource = ['elsewhere']\n")
        watch.says_until(f"persistc: {greeting.root}/pyproject.toml: `source`")
        (greeting.root / "elsewhere").mkdir()
        save(greeting, "elsewhere/flows.py", FLOWS)
        watch.says("wrote elsewhere/flows_durable.py", "wrote elsewhere/flows_durable.pyi")
        assert watch.ends() == (0, "")


def test_it_is_silent_about_its_own_files_and_about_changes_that_change_nothing(greeting: Project) -> None:
    """Only the last change is news: what it says of that comes right after what it said of the first."""
    with watching(greeting) as watch:
        watch.says(*WROTE)
        save(greeting, "flows.py", "# A comment.\n" + FLOWS)
        save(greeting, "notes.py", "NOTE = 1\n")
        save(greeting, "readme.txt", "nothing of ours\n")
        save(greeting, "flows.py", RENAMED)
        watch.says(*WROTE)
        assert watch.ends() == (0, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.unlink(),
        lambda path: path.replace(path.with_name("flows_durable.bak")),
        lambda path: path.write_text(path.read_text().replace("person", "nome")),
    ],
)
def test_what_somebody_else_does_to_a_generated_file_is_noticed(
    greeting: Project, change: Callable[[Path], object]
) -> None:
    with watching(greeting, "--force") as watch:
        watch.says(*WROTE)
        save(greeting, "flows.py", RENAMED)
        watch.says(*WROTE)
        change(greeting.root / "flows_durable.py")
        watch.says("wrote flows_durable.py", "1 unchanged")
        assert "person: str" in greeting.read("flows_durable.py")
        assert watch.ends() == (0, "")
