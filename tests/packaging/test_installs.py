"""What is installed works, from the wheel and from the source tree, and type checkers see its types."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.packaging.conftest import ROOT, Environment

PACKAGES = ("compiler/persistc", "runtime/persistasaurus", "templates/persistc_templates")
FLOWS = '''\
from persistasaurus import flow, step


class GreetingFlow:
    @flow
    async def greet(self, name: str) -> int:
        """Greet somebody; returns how long the greeting was."""
        return len(await self.say(f"Hello, {name}!"))

    @step
    async def say(self, text: str) -> str:
        return text
'''
PROGRAM = """\
import asyncio

from persistasaurus import BlockingEngine, Engine

from .flows_durable import DurableGreetingFlow


async def main() -> None:
    async with Engine("execution_log.db", flows=[DurableGreetingFlow()]) as engine:
        length: int = await engine.get_flow(DurableGreetingFlow, "greet-ada").greet.run("Ada")
        print(length)


asyncio.run(main())
with BlockingEngine("execution_log.db", flows=[DurableGreetingFlow()]) as engine:
    length: int = engine.get_flow(DurableGreetingFlow, "greet-ada").greet.run("Ada")
    print(length)
"""
MISTAKES = """\
from persistasaurus import Engine

from .flows_durable import DurableGreetingFlow


async def main(engine: Engine) -> None:
    greeting = engine.get_flow(DurableGreetingFlow, "greet-ada")
    await greeting.greet.run(1)
    await greeting.greet.run()
    text: str = await greeting.greet.run("Ada")
    await greeting.great.run("Ada")
"""


@pytest.fixture(params=["from_wheel", "from_source_tree"])
def installed(request: pytest.FixtureRequest) -> Environment:
    environment: Environment = request.getfixturevalue(request.param)
    return environment


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A program of somebody else."""
    (tmp_path / "app").mkdir()
    for name, text in {"__init__": "", "flows": FLOWS, "main": PROGRAM}.items():
        (tmp_path / "app" / f"{name}.py").write_text(text, encoding="utf-8")
    return tmp_path


def test_a_third_party_program_is_compiled_checked_strictly_and_run(installed: Environment, project: Path) -> None:
    generated = installed.run("persistc", "generate", cwd=project)
    assert generated.stdout == "wrote app/flows_durable.py\nwrote app/flows_durable.pyi\n"
    assert installed.run("persistc", "check", cwd=project).returncode == 0

    for what in ("app", "app/flows_durable.py"):
        checked = installed.mypy(what, cwd=project)
        assert checked.returncode == 0, checked.stdout

    (project / "app" / "mistakes.py").write_text(MISTAKES, encoding="utf-8")
    mistakes = installed.mypy("app", cwd=project).stdout
    found = [line.partition(": error: ") for line in mistakes.splitlines() if ": error: " in line]
    assert [(place.rpartition(":")[2], error.rpartition("[")[2]) for place, _, error in found] == [
        ("8", "arg-type]"),
        ("9", "call-arg]"),
        ("10", "assignment]"),
        ("11", "attr-defined]"),
    ], mistakes

    done = installed.run("python", "-m", "app.main", cwd=project)
    assert done.stdout == "11\n11\n"


def test_explanations_come_along(installed: Environment, tmp_path: Path) -> None:
    explained = installed.run("persistc", "explain", "PST104", cwd=tmp_path)
    assert explained.returncode == 0
    assert explained.stdout.startswith("# PST104")


def test_persistc_without_its_extra_says_what_to_install(from_wheel_alone: Environment, project: Path) -> None:
    for command in ("generate", "check"):
        done = from_wheel_alone.run("persistc", command, cwd=project)
        assert done.returncode == 2
        assert done.stdout.startswith("persistc needs libcst and jinja2")
        assert 'pip install "persistasaurus[compiler]"' in done.stdout
    assert from_wheel_alone.run("persistc", "--version", cwd=project).stdout.startswith("persistc ")


def test_the_wheel_holds_every_file_of_the_three_packages_and_nothing_else(wheel: Path) -> None:
    expected = {
        str(file.relative_to((ROOT / package).parent))
        for package in PACKAGES
        for file in (ROOT / package).rglob("*")
        if file.is_file() and not any(part.startswith((".", "__pycache__")) for part in file.parts)
    }
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == expected


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_may_read_each_package(wheel: Path, package: str) -> None:
    assert f"{Path(package).name}/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_the_wheel_says_under_which_license_it_comes(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (license_file,) = [name for name in archive.namelist() if name.endswith("/LICENSE")]
        assert archive.read(license_file) == (ROOT / "LICENSE").read_bytes()


def test_a_program_of_the_wheel_sees_nothing_of_the_source_tree(from_wheel: Environment, tmp_path: Path) -> None:
    program = (
        "import persistasaurus as a, persistc as b, persistc_templates as c; print(a.__file__, b.__file__, c.__file__)"
    )
    found = from_wheel.run("python", "-c", program, cwd=tmp_path).stdout.split()
    assert [Path(file).parent.parent for file in found] == [from_wheel.site_packages] * 3
