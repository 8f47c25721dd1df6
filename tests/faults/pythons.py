"""The other Python versions of this machine, each with what the runtime depends on."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

VERSIONS: Final = ("3.11", "3.12", "3.13")
VARIABLE: Final = "PYTHONS"
"""Names further interpreters, with colons between them; those on the PATH and those of pyenv are found without it."""

_HERE: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
_ROOT: Final = Path(__file__).parents[2]
_WHO: Final = "import sys; print(sys.implementation.name, '%d.%d' % sys.version_info[:2])"


class Python:
    """An interpreter that can import the runtime and the tests.

    Args:
        program: It.
    """

    def __init__(self, program: str) -> None:
        self._program = program

    def run(self, module: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run a module to its end."""
        paths = os.pathsep.join([str(_ROOT / "runtime"), str(_ROOT)])
        return subprocess.run(
            [self._program, "-m", module, *map(str, arguments)], cwd=_ROOT, check=False, timeout=120, text=True,
            env={**os.environ, "PYTHONPATH": paths}, capture_output=True,
        )  # fmt: skip


def prepare(folder: Path) -> Mapping[str, Python | str]:
    """For each version an interpreter, or why there is none.

    Args:
        folder: Where environments are made, once, whoever else asks for it at the same time.
    """
    told = folder / "pythons.json"
    with (folder / "pythons.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            told.write_text(json.dumps({version: _prepared(version, folder) for version in VERSIONS}))
    found: dict[str, list[str]] = json.loads(told.read_text())
    return {version: Python(program) if program else problem for version, (program, problem) in found.items()}


def _prepared(version: str, folder: Path) -> tuple[str, str]:
    """The program, or why there is none."""
    if version == _HERE:
        return sys.executable, ""
    found = next((program for program in _candidates(version) if _is(program, version)), None)
    if found is None:
        return "", f"no Python {version} on the PATH; name one in the variable {VARIABLE}"
    environment = folder / version
    subprocess.run([found, "-m", "venv", "--without-pip", str(environment)], check=True)
    program = str(environment / "bin" / "python")
    installed = subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", program, "--quiet", "--disable-pip-version-check", "--retries=1",
            "--timeout=10", "install", "--only-binary=:all:", "msgspec>=0.19", "greenlet>=3.1",
        ],
        check=False, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    if installed.returncode:
        last = (installed.stderr.strip().splitlines() or ["pip failed"])[-1]
        return "", f"what the runtime depends on cannot be installed for Python {version}: {last}"
    return program, ""


def _candidates(version: str) -> Iterator[str]:
    yield from filter(None, os.environ.get(VARIABLE, "").split(os.pathsep))
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path
    yield from map(str, sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")))


def _is(program: str, version: str) -> bool:
    try:
        told = subprocess.run([program, "-c", _WHO], check=False, capture_output=True, text=True, timeout=30)
    except OSError:
        return False
    return told.stdout.split() == ["cpython", version]
