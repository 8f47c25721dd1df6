"""The README is true: its files compile, type-check and run, and its commands print what it says."""

from __future__ import annotations

import os
import pydoc
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from persistasaurus import BlockingEngine, Engine, EngineOptions
from persistasaurus.settings import settings_of
from tests.examples.program import wait_until_recorded
from tests.readme.blocks import README, Command, codes, excerpts, files, sessions, tables

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


def test_the_flow_with_signals_and_failures_does_what_the_table_of_operations_says(project: Path) -> None:
    only(project, "payouts")
    operations = [code for cell, _ in tables()["operation"] for code in codes(cell)]
    (project / "payouts" / "main.py").write_text(program_of(operations), encoding="utf-8")
    run("persistc generate", project)
    assert run("mypy --strict payouts", project).startswith("Success")
    assert run("mypy --strict payouts/flows_durable.py", project).startswith("Success")
    assert run("python -m payouts.main", project).splitlines() == [
        "reserve 1999 once for payout-7/3/reserve/0",
        "transfer 1999 to DE02",
        "receipt for 1999",
        "flow payout-7 is COMPLETE, only a PARKED flow is resumed",
    ]


def program_of(operations: list[str]) -> str:
    """A program of these operations in their order; it prints what `run` gives, and that nothing is parked."""
    get_flow, *awaited, resume = operations
    lines = [f"print(await {line})" if ".run(" in line else f"await {line}" for line in awaited]
    body = "\n        ".join([get_flow, *lines, "try:", f"    await {resume}", "except FlowConflict as error:"])
    return f"""
import asyncio
from datetime import timedelta

from payouts.flows_durable import DurablePayoutFlow
from persistasaurus import Engine, FlowConflict, FlowStatus


async def main() -> None:
    async with Engine("payouts.db", flows=[DurablePayoutFlow()]) as engine:
        {body}
            print(error)


asyncio.run(main())
"""


def test_the_exceptions_of_that_flow_come_back_as_their_own_classes(project: Path) -> None:
    only(project, "payouts")
    run("persistc generate", project)
    generated = (project / "payouts" / "flows_durable.py").read_text(encoding="utf-8")
    assert "@_p.proxy(raises=(AccountClosed, LimitReached))" in generated


def test_the_test_of_a_flow_passes_and_is_typed(project: Path) -> None:
    only(project, "app", "tests")
    run("persistc generate", project)
    assert run("mypy --strict tests", project).startswith("Success")
    assert "2 passed" in run("python -m pytest -p no:cacheprovider -q tests", project)


def test_the_options_of_engines_are_those_of_the_table_with_their_defaults() -> None:
    settings = settings_of()
    defaults = {name: shown(getattr(settings, name)) for name in EngineOptions.__annotations__}
    assert {codes(name)[0]: codes(default)[0] for name, default, _ in tables()["option of both engines"]} == defaults


def shown(default: object) -> str:
    """A default as the README writes it."""
    match default:
        case str():
            return f'"{default}"'
        case float():
            return f"{default:g} s"
        case int() | None:
            return str(default)
        case timedelta():
            return f"{default.total_seconds():g} s"
        case Callable():
            return "random.random"
        case _:
            return f"{type(default).__name__}()"


@pytest.mark.parametrize("engine", [Engine, BlockingEngine], ids=lambda engine: engine.__name__)
def test_help_names_every_option(engine: type) -> None:
    text = pydoc.plain(pydoc.render_doc(engine))
    assert [name for name in EngineOptions.__annotations__ if name not in text.split("Raises:")[0]] == []


def test_every_kind_of_line_that_flows_log_is_explained() -> None:
    runtime = README.parent / "runtime" / "persistasaurus"
    logged = {kind for file in runtime.glob("*.py") for kind in LINE.findall(file.read_text(encoding="utf-8"))}
    assert set(re.findall(r"`\[([A-Z]+)\]`", README.read_text(encoding="utf-8"))) == logged


LINE = re.compile(r'"\[([A-Z]+)\] ')


def test_the_compiler_says_what_the_readme_says(project: Path) -> None:
    (command,) = sessions()[1]
    assert run(command.line, project) == command.output


def test_the_readme_speaks_of_every_promise_in_order() -> None:
    promises = re.findall(r"^- \*\*G(\d+) ", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert promises == [str(number) for number in range(1, 15)]


def only(project: Path, *packages: str) -> None:
    """Leave these packages in the project."""
    for folder in {Path(path).parts[0] for path in files()} - {*packages}:
        for file in (project / folder).iterdir():
            file.unlink()
        (project / folder).rmdir()
