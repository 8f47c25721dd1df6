"""Run the programs beside this module."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"


def run(program: str, *arguments: object) -> str:
    """Run a program to its end; what it printed."""
    done = subprocess.run(_command(program, arguments), stdout=subprocess.PIPE, text=True, timeout=60, check=True)
    return done.stdout


@contextmanager
def running(program: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A program while it runs, its output piped; killed at the end."""
    with subprocess.Popen(_command(program, arguments), stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    """The next line a program prints."""
    assert process.stdout is not None
    text = process.stdout.readline()
    assert text, "the program ended without a word"
    return text.strip()


def _command(program: str, arguments: tuple[object, ...]) -> list[str]:
    return [sys.executable, str(PROGRAMS / f"{program}.py"), *map(str, arguments)]
