"""The two ways to install: a wheel and the source tree, each in an environment of its own without a network."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Environment:
    """A virtual environment with this project in it."""

    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def run(self, *command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment."""
        program, *arguments = command
        return subprocess.run(
            [str(self.folder / "bin" / program), *arguments], cwd=cwd, env=_clean(), check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def mypy(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the mypy of the tests on a program that lives in the environment."""
        command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(self.python), *arguments]
        return subprocess.run(
            command, cwd=cwd, env=_clean(), check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree."""
    folder = tmp_path_factory.mktemp("wheel")
    _pip("wheel", "--no-build-isolation", "--no-deps", "--wheel-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="session")
def from_wheel(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel with all that the project depends on."""
    environment = _environment(tmp_path_factory.mktemp("from_wheel"))
    _lend_dependencies(environment)
    _pip("--python", str(environment.python), "install", "--no-deps", str(wheel))
    return environment


@pytest.fixture(scope="session")
def from_wheel_alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel and nothing else."""
    environment = _environment(tmp_path_factory.mktemp("from_wheel_alone"))
    _pip("--python", str(environment.python), "install", "--no-deps", str(wheel))
    return environment


@pytest.fixture(scope="session")
def from_source_tree(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The editable install with all that the project depends on."""
    environment = _environment(tmp_path_factory.mktemp("from_source_tree"))
    _lend_dependencies(environment)
    _pip("--python", str(environment.python), "install", "--no-build-isolation", "--no-deps", "--editable", str(ROOT))
    return environment


def _environment(folder: Path) -> Environment:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    return Environment(folder)


def _lend_dependencies(environment: Environment) -> None:
    """Let the environment import what the tests' own one has installed.

    Lines of a `.pth` file are folders to import from; the `.pth` file of the editable install in there is not read.
    """
    (environment.site_packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    subprocess.run(command, env=_clean(), check=True)


def _clean() -> Mapping[str, str]:
    """The environment variables without those that would let Python or mypy find the source tree by another way."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "MYPYPATH"}}
