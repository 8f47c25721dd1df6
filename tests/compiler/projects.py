"""Small projects in a temporary folder, and the `persistc` command run on them as a user would."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

from persistc.__main__ import main

REPOSITORY = Path(__file__).resolve().parents[2]
IMPORT_PATH = os.pathsep.join(str(REPOSITORY / folder) for folder in ("compiler", "runtime", "templates"))

FLOWS = '''\
"""A flow class as small as one can be."""

from persistasaurus import flow, step


class GreetingFlow:
    @flow
    async def greet(self, name: str) -> str:
        """Greet somebody."""
        return await self.say(name)

    @step
    async def say(self, name: str) -> str:
        return f"hello {name}"
'''


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Project:
    """A folder with source files."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file; the text may be indented."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def files(self) -> dict[str, bytes]:
        """Every file below the folder with its contents."""
        return contents(self.root)

    def persistc(self, *arguments: str) -> Ended:
        """Run the command in the folder, within this process: a tenth of the time of a new one."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.chdir(self.root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            exit_code = main(arguments)
        return Ended(exit_code, out.getvalue(), err.getvalue())

    def persistc_process(self, *arguments: str, inside: str = ".", **environment: str) -> Ended:
        """Run the command as a process of its own in the folder, or in one inside it."""
        return run_module("persistc", *arguments, cwd=self.root / inside, **environment)

    def python(self, code: str) -> Ended:
        """Run Python code in the folder."""
        return run(sys.executable, "-c", textwrap.dedent(code), cwd=self.root)


def contents(root: Path) -> dict[str, bytes]:
    """Every file below a folder with its contents, caches aside."""
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not any(part.endswith(("cache__", "_cache")) for part in path.parts)
    }


def run_module(module: str, *arguments: str, cwd: Path, **environment: str) -> Ended:
    """Run `python -m module`."""
    # `-P`: modules of the folder must not shadow the standard library, as they do not for an installed command.
    return run(sys.executable, "-P", "-m", module, *arguments, cwd=cwd, **environment)


def run(*command: str, cwd: Path, **environment: str) -> Ended:
    """Run a command with this repository's packages importable."""
    process = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": IMPORT_PATH, "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return Ended(process.returncode, process.stdout, process.stderr)
