"""`--output-format`: findings, warnings and files that are not as they should be, the same from every command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from persistc.compiling import Compiled
from persistc.diagnostics import Code, Diagnostic, Severity
from persistc.file_reports import render_run
from persistc.files import Difference, State
from persistc.project import Project as Model
from persistc.reporting import OutputFormat
from persistc.spans import Span
from tests.compiler.projects import FLOWS, Project

ODD = "50%,off"
WARNING = Diagnostic(
    Code.NOT_STORABLE, "100% of\nit", "a.py", Span.within_line(1, 0, 1), help="write\r\nthis", severity=Severity.WARNING
)


@pytest.fixture
def odd(greeting: Project) -> Project:
    """A project with a file of each state, one of them in a folder with a name that has to be escaped."""
    greeting.write(f"{ODD}/flows.py", FLOWS)
    for name in ("edited", "foreign", "orphan", "stale"):
        greeting.write(f"{name}.py", FLOWS)
    assert greeting.persistc("generate").exit_code == 0
    for name in ("flows_durable.py", "flows_durable.pyi"):
        (greeting.root / ODD / name).unlink()
    (greeting.root / "orphan.py").unlink()
    greeting.write("stale.py", FLOWS.replace("name", "person"))
    greeting.write("edited_durable.py", greeting.read("edited_durable.py") + "# mine\n")
    greeting.write("foreign_durable.py", "# mine\n")
    return greeting


STATES = {
    f"{ODD}/flows_durable.py": "missing",
    f"{ODD}/flows_durable.pyi": "missing",
    "edited_durable.py": "edited",
    "foreign_durable.py": "foreign",
    "orphan_durable.py": "orphan",
    "orphan_durable.pyi": "orphan",
    "stale_durable.py": "stale",
    "stale_durable.pyi": "stale",
}
KEPT = {name: state for name, state in STATES.items() if state in {"edited", "foreign"}}


@pytest.mark.parametrize(("command", "expected"), [("check", STATES), ("generate", KEPT)])
def test_json_names_every_file_with_its_state(odd: Project, command: str, expected: dict[str, str]) -> None:
    found = json.loads(odd.persistc(command, "--output-format", "json").stdout)
    assert {each["file"]: each["state"] for each in found} == expected
    assert all(each["help"] for each in found)


@pytest.mark.parametrize(("command", "expected"), [("check", STATES), ("generate", KEPT)])
def test_github_gets_a_command_for_every_file(odd: Project, command: str, expected: dict[str, str]) -> None:
    lines = odd.persistc(command, "--output-format", "github").stdout.splitlines()
    assert {line.partition("::error ")[2].partition("::")[0] for line in lines} == {
        f"title=persistc ({state}),file={name.replace('%', '%25').replace(',', '%2C')}"
        for name, state in expected.items()
    }


@pytest.mark.parametrize(("command", "expected"), [("check", STATES), ("generate", KEPT)])
def test_concise_has_a_line_for_every_file_and_no_diff(odd: Project, command: str, expected: dict[str, str]) -> None:
    lines = odd.persistc(command, "--output-format", "concise").stdout.splitlines()
    assert set(lines[: len(expected)]) == {f"{state}: {name}" for name, state in expected.items()}
    assert len(lines) == len(expected) + len(set(expected.values()))  # and what to do, once for each kind


def rendered(output_format: OutputFormat) -> str:
    """A warning, and a file that is stale."""
    compiled = Compiled((WARNING,), {"a.py": "x = 1\n"}, (), (), Model(), (), "", (), {})
    stale = Difference(str(Path.cwd() / "b_durable.py"), State.STALE, "old\n", "new\n")
    return render_run(compiled, [stale], output_format, show_diff=output_format is OutputFormat.TEXT)


def test_warnings_are_shown_beside_files_in_every_format() -> None:
    found = json.loads(rendered(OutputFormat.JSON))
    assert [(each["file"], each.get("severity"), each.get("state")) for each in found] == [
        ("a.py", "warning", None),
        ("b_durable.py", None, "stale"),
    ]
    text = rendered(OutputFormat.TEXT)
    assert text.startswith("warning[PST041]: 100% of\nit\n --> a.py:1:1\n")
    assert "Found 1 warning. `persistc explain PST041` says more.\nstale: b_durable.py\n--- b_durable.py\n" in text
    assert "Found 1 warning. `persistc explain PST041` says more.\nstale: b_durable.py\nstale: run" in rendered(
        OutputFormat.CONCISE
    )


def test_github_commands_are_a_line_each_whatever_the_message_holds() -> None:
    assert rendered(OutputFormat.GITHUB).splitlines() == [
        "::warning title=persistc (PST041),file=a.py,line=1,col=1,endLine=1,endColumn=2"
        "::a.py:1:1: warning[PST041] 100%25 of%0Ait%0Awrite%0D%0Athis",
        "::error title=persistc (stale),file=b_durable.py::stale: run `persistc generate`",
    ]
