"""The build hook of hatch in real builds: what is not up to date is not shipped."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import Environment

PYPROJECT = """\
[build-system]
requires = ["hatchling", "persistasaurus[compiler]"]
build-backend = "hatchling.build"

[project]
name = "greetings"
version = "1.0"

[tool.hatch.build.hooks.persistc]
{options}
[tool.persistc]
source = ["greetings"]
"""
FLOWS = '''\
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
GENERATED = ("greetings/flows_durable.py", "greetings/flows_durable.pyi")


@pytest.fixture
def greetings(from_wheel: Environment, tmp_path: Path) -> Path:
    """A project with its generated files, that is built with hatchling."""
    (tmp_path / "greetings").mkdir()
    (tmp_path / "greetings" / "__init__.py").touch()
    write(tmp_path, "greetings/flows.py", FLOWS)
    write(tmp_path, "pyproject.toml", PYPROJECT.format(options=""))
    assert from_wheel.run("persistc", "generate", cwd=tmp_path).returncode == 0
    return tmp_path


def write(project: Path, name: str, text: str) -> None:
    (project / name).write_text(text, encoding="utf-8")


def build(environment: Environment, project: Path, target: str = "wheel") -> subprocess.CompletedProcess[str]:
    return environment.run("python", "-m", "hatchling", "build", "--target", target, cwd=project)


def in_wheel(project: Path) -> set[str]:
    (wheel,) = (project / "dist").glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_a_wheel_holds_the_generated_files(from_wheel: Environment, greetings: Path) -> None:
    built = build(from_wheel, greetings)
    assert built.returncode == 0, built.stdout
    assert in_wheel(greetings) >= {"greetings/flows.py", *GENERATED}


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_a_stale_file_ends_the_build_and_is_shown(from_wheel: Environment, greetings: Path, target: str) -> None:
    write(greetings, "greetings/flows.py", FLOWS.replace("name: str", "person: str"))
    built = build(from_wheel, greetings, target)
    assert built.returncode == 1
    assert "stale: greetings/flows_durable.py\n" in built.stdout
    assert "+    async def greet(self, person: str) -> str:\n" in built.stdout
    assert "stale: run `persistc generate`\n" in built.stdout
    assert "nothing was built: [tool.hatch.build.hooks.persistc] in pyproject.toml asks persistc first" in built.stdout
    assert "Traceback" not in built.stdout
    assert not list((greetings / "dist").glob("*"))


def test_a_finding_ends_the_build_and_is_shown(from_wheel: Environment, greetings: Path) -> None:
    write(greetings, "greetings/flows.py", FLOWS.replace("name: str", "name"))
    built = build(from_wheel, greetings)
    assert built.returncode == 1
    assert "error[PST040]" in built.stdout
    assert not list((greetings / "dist").glob("*"))


def test_with_generate_the_build_writes_them_also_when_git_ignores_them(
    from_wheel: Environment, greetings: Path
) -> None:
    write(greetings, "pyproject.toml", PYPROJECT.format(options="generate = true\n"))
    write(greetings, ".gitignore", "*_durable.py*\n")
    for name in GENERATED:
        (greetings / name).unlink()
    built = build(from_wheel, greetings)
    assert built.returncode == 0, built.stdout
    assert "wrote greetings/flows_durable.py\n" in built.stdout
    assert in_wheel(greetings) >= set(GENERATED)
    assert (greetings / GENERATED[0]).exists()


def test_with_generate_a_finding_ends_the_build_as_well(from_wheel: Environment, greetings: Path) -> None:
    write(greetings, "pyproject.toml", PYPROJECT.format(options="generate = true\n"))
    write(greetings, "greetings/flows.py", FLOWS.replace("name: str", "name"))
    built = build(from_wheel, greetings)
    assert built.returncode == 1
    assert "error[PST040]" in built.stdout


def test_an_option_of_the_wrong_type_is_named(from_wheel: Environment, greetings: Path) -> None:
    write(greetings, "pyproject.toml", PYPROJECT.format(options='generate = "yes"\n'))
    built = build(from_wheel, greetings)
    assert built.returncode == 1
    assert "`generate` in [tool.hatch.build.hooks.persistc] of pyproject.toml must be true or false" in built.stdout


def test_what_is_built_from_an_sdist_was_checked_before(from_wheel: Environment, greetings: Path) -> None:
    """Whoever installs it may have a persistc that would write something else."""
    assert build(from_wheel, greetings, "sdist").returncode == 0
    (sdist,) = (greetings / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(greetings / "elsewhere", filter="data")
    unpacked = greetings / "elsewhere" / "greetings-1.0"
    write(unpacked, "greetings/flows.py", FLOWS.replace("name: str", "person: str"))
    assert build(from_wheel, unpacked).returncode == 0


def test_an_editable_install_is_not_kept_from_anybody(from_wheel: Environment, greetings: Path) -> None:
    write(greetings, "greetings/flows.py", FLOWS.replace("name: str", "person: str"))
    assert build(from_wheel, greetings, "wheel:editable").returncode == 0
