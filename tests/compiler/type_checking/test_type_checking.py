"""`persistc check --types` puts what the user's mypy finds at the lines the user wrote."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest

from persistc.diagnostics import Code
from persistc.explanations import explain
from tests.compiler.diagnostics.fixtures import Fixture, fixtures, write_output
from tests.compiler.projects import Project

FIXTURES = tuple(fixtures(Path(__file__).parent))

BROKEN = """\
from email.message import Message

from persistasaurus import flow


class MailFlow:
    @flow
    async def send(self, mail: Message) -> int:
        return "sent"
"""


@pytest.fixture(autouse=True)
def one_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What mypy knows of libraries is kept from test to test."""
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "mypy"))


@pytest.mark.parametrize("fixture", FIXTURES, ids=lambda fixture: fixture.name)
def test_persistc_says_exactly_this_of_types(fixture: Fixture, project: Project) -> None:
    for name, text in fixture.files.items():
        project.write(name, text)
    generated = project.persistc("generate")
    assert (generated.exit_code, generated.stderr) == (0, "")

    checked = project.persistc("check", "--types")

    if os.environ.get("PERSISTC_FIXTURES") == "write" and checked.stdout != fixture.output:
        write_output(fixture, checked.stdout)
    assert checked.stdout == fixture.output
    assert (checked.exit_code, checked.stderr) == (1 if fixture.output else 0, "")


@pytest.mark.parametrize("code", [Code.TYPE_ERROR])
def test_the_bad_example_of_the_page_is_found_and_the_good_one_is_not(code: Code, project: Project) -> None:
    bad, good = re.findall(r"^```py\n(.*?)^```$", explain(code), re.MULTILINE | re.DOTALL)
    for example, codes in ((bad, {str(code)}), (good, set())):
        project.write("flows.py", example)
        project.persistc("generate")
        found = json.loads(project.persistc("check", "--types", "--output-format", "json").stdout)
        assert {each["code"] for each in found} == codes


def test_every_output_format_shows_them(project: Project) -> None:
    project.write("flows.py", BROKEN)
    project.persistc("generate")

    concise = project.persistc("check", "--types", "--output-format", "concise").stdout
    found = json.loads(project.persistc("check", "--types", "--output-format", "json").stdout)
    github = project.persistc("check", "--types", "--output-format", "github").stdout

    assert concise.splitlines() == [
        'flows.py:8:32: error[PST050] Type argument "Message[str, str]" of "Codec" must be a subtype of "Storable" '
        "[type-var]",
        'flows.py:9:16: error[PST050] Incompatible return value type (got "str", expected "int") [return-value]',
        "Found 2 errors. `persistc explain PST050` says more.",
    ]
    assert [(each["code"], each["name"], each["span"]["start"]["line"]) for each in found] == [
        ("PST050", "type-error", 8),
        ("PST050", "type-error", 9),
    ]
    assert [line.partition("::flows")[0] for line in github.splitlines()] == [
        "::error title=persistc (PST050),file=flows.py,line=8,col=32,endLine=8,endColumn=39",
        "::error title=persistc (PST050),file=flows.py,line=9,col=16,endLine=9,endColumn=22",
    ]


COMMENTED = """\
from persistasaurus import flow
from tags import book


class TagFlow:
    @flow
    async def tag(self) -> None:
        for tag in book.tags():  # persistc: allow[PST206] they are printed, nothing else
            print(tag)
        for name in book.names():  # persistc: allow[PST206] they are not, either
            print(name)
"""


def test_a_comment_allows_what_types_tell_and_is_unused_where_they_tell_nothing(project: Project) -> None:
    project.write(
        "tags.py",
        "class Book:\n    def tags(self) -> set[str]: return set()\n    def names(self) -> list[str]: return []\n\n\n"
        "book = Book()\n",
    )
    project.write("flows.py", COMMENTED)
    assert project.persistc("generate").exit_code == 0

    assert project.persistc("check").stdout == ""
    typed = project.persistc("check", "--types", "--output-format", "concise")
    assert typed.stdout.splitlines()[:-1] == [
        "flows.py:10:54: warning[PST005] there is no `PST206` (set-order) on line 10 that had to be allowed"
    ]
    assert typed.exit_code == 0


def test_without_the_option_mypy_is_not_asked(project: Project) -> None:
    project.write("flows.py", BROKEN)
    project.persistc("generate")
    assert project.persistc("check", "--python", "nowhere").exit_code == 0


def test_the_configuration_of_the_project_applies(project: Project) -> None:
    project.write("app/__init__.py", "")
    project.write("app/flows.py", BROKEN)
    project.write("pyproject.toml", '[tool.mypy]\ndisable_error_code = ["return-value", "type-var"]\n')
    project.persistc("generate")
    assert project.persistc_process("check", "--types", inside="app").stdout == ""


def test_stale_files_are_reported_and_not_typed(project: Project) -> None:
    project.write("flows.py", BROKEN)
    ended = project.persistc("check", "--types", "--python", "nowhere")
    assert ended.exit_code == 1
    assert ended.stdout.startswith("missing: flows_durable.py\n")


def test_a_project_without_flows_needs_no_mypy(project: Project) -> None:
    project.write("app.py", "print('hello')\n")
    assert project.persistc("check", "--types", "--python", "nowhere").exit_code == 0


def test_a_source_in_another_encoding_keeps_it(project: Project) -> None:
    flows = (
        "# -*- coding: latin-1 -*-\n"
        "from persistasaurus import flow\n\n\n"
        "class TagFlow:\n"
        "    @flow\n"
        "    async def tag(self, tags: list[set[str]]) -> None:\n"
        "        for each in tags:\n"
        '            for tag in each: print("ä", tag)\n'
    )
    (project.root / "flows.py").write_bytes(flows.encode("latin-1"))
    project.persistc("generate")
    assert project.persistc("check", "--types", "--output-format", "concise").stdout.startswith(
        "flows.py:9:24: error[PST206]"
    )


# --- mypy that cannot run -------------------------------------------------------------------------------------------


@pytest.fixture
def typed(greeting: Project) -> Project:
    """A project that is up to date."""
    assert greeting.persistc("generate").exit_code == 0
    return greeting


def fake_python(project: Project, script: str) -> str:
    """An interpreter whose mypy does what a shell script says."""
    path = project.write("fake-python", f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def refused(project: Project, *arguments: str) -> str:
    """What the command says when it could not run."""
    ended = project.persistc("check", "--types", *arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    return ended.stderr


def test_a_python_that_is_not_there_could_not_run(typed: Project) -> None:
    assert refused(typed, "--python", "/no/python") == (
        "persistc: /no/python cannot be run: No such file or directory; name a Python with `--python`\n"
    )


def test_without_mypy_the_pip_line_is_shown(typed: Project) -> None:
    python = fake_python(typed, f'echo "{sys.executable}: No module named mypy" >&2; exit 1')
    assert refused(typed, "--python", python) == (
        f"persistc: `--types` runs mypy, which {python} has not: `{python} -m pip install mypy`, "
        "or name another `--python`\n"
    )


def test_an_old_mypy_is_told_from_a_crash(typed: Project) -> None:
    python = fake_python(typed, 'echo "mypy: error: unrecognized arguments: -O json flows.py" >&2; exit 2')
    assert refused(typed, "--python", python) == (
        f"persistc: `--types` needs mypy 1.11 or newer: `{python} -m pip install --upgrade mypy`\n"
    )


@pytest.mark.parametrize("code", ["1", "2"])
def test_a_crash_is_shown(typed: Project, code: str) -> None:
    python = fake_python(typed, f'echo "INTERNAL ERROR -- please report" >&2; exit {code}')
    assert refused(typed, "--python", python) == (
        "persistc: mypy could not check:\n  INTERNAL ERROR -- please report\n"
    )


def test_a_plugin_that_is_not_there_is_shown(typed: Project) -> None:
    typed.write("mypy.ini", "[mypy]\nplugins = nowhere\n")
    assert refused(typed) == (
        "persistc: mypy could not check:\n  mypy.ini:2: Error importing plugin \"nowhere\": No module named 'nowhere'\n"
    )


def test_a_file_mypy_cannot_parse_is_named(typed: Project) -> None:
    typed.write("broken.py", "def (\n")
    typed.write("flows.py", "import broken\n" + typed.read("flows.py"))
    typed.persistc("generate")
    assert refused(typed).startswith("persistc: mypy could not check:\n  broken.py:1: ")


def test_what_mypy_says_of_its_configuration_is_passed_on(typed: Project) -> None:
    typed.write("mypy.ini", "[mypy]\nstric = true\n")
    ended = typed.persistc("check", "--types")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (
        0,
        "",
        "mypy.ini: [mypy]: Unrecognized option: stric = true\n",
    )


def test_what_a_plugin_prints_is_no_finding(typed: Project) -> None:
    python = fake_python(typed, 'echo "hello from a plugin"')
    assert typed.persistc("check", "--types", "--python", python).stdout == ""


def test_a_mypy_that_reports_no_ends_is_enough(typed: Project) -> None:
    report = {"file": "flows.py", "line": 13, "column": 14, "message": "No", "hint": None, "code": "misc"}
    line = json.dumps({**report, "severity": "error"})
    note = json.dumps({**report, "message": "Because", "severity": "note"})
    python = fake_python(typed, f"cat <<'END'\n{line}\n{note}\nEND\nexit 1")
    found = json.loads(typed.persistc("check", "--types", "--python", python, "--output-format", "json").stdout)
    assert [(each["message"], each["help"], each["span"]) for each in found] == [
        (
            "No [misc]",
            "Because",
            {"start": {"line": 13, "column": 15}, "end": {"line": 13, "column": 18}},
        )
    ]
