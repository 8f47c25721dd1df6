"""The command line: what each call prints and which exit code it ends with, in real processes."""

from __future__ import annotations

import json
import sys
import tomllib

import pytest

from tests.compiler.projects import Project, run

BROKEN = """\
from persistasaurus import flow, step


class BrokenFlow:
    @flow
    async def run(self) -> int:
        return await self.count()

    @step
    async def count(self):
        return 1
"""
WITHOUT_EXTRA = """
import sys
sys.modules["libcst"] = sys.modules["jinja2"] = None
from persistc.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def test_generate_names_what_it_wrote_and_check_is_clean_then(greeting: Project) -> None:
    ended = greeting.persistc_process("generate")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (
        0,
        "wrote flows_durable.py\nwrote flows_durable.pyi\n",
        "",
    )
    ended = greeting.persistc_process("check")
    assert (ended.exit_code, ended.stdout, ended.stderr) == (0, "", "")


def test_generate_without_flow_classes_says_so(project: Project) -> None:
    project.write("app.py", "print('hello')\n")
    ended = project.persistc_process("generate")
    assert (ended.exit_code, ended.stdout) == (0, "no flow classes found\n")


def test_findings_end_with_exit_code_1_and_a_frame(project: Project) -> None:
    project.write("flows.py", BROKEN)
    ended = project.persistc_process("check")
    assert ended.exit_code == 1
    assert "error[PST040]" in ended.stdout
    assert "flows.py:10:" in ended.stdout
    assert "^^^^^" in ended.stdout


@pytest.mark.parametrize("command", ["generate", "check"])
def test_json_is_one_document_whatever_happened(project: Project, command: str) -> None:
    project.write("flows.py", BROKEN)
    found = json.loads(project.persistc_process(command, "--output-format", "json").stdout)
    assert [each["code"] for each in found] == ["PST040"]


def test_json_of_stale_files_is_one_document(greeting: Project) -> None:
    found = json.loads(greeting.persistc_process("check", "--output-format", "json").stdout)
    assert [(each["file"], each["state"]) for each in found] == [
        ("flows_durable.py", "missing"),
        ("flows_durable.pyi", "missing"),
    ]
    assert json.loads(greeting.persistc_process("generate", "--output-format", "json").stdout) == []
    assert json.loads(greeting.persistc_process("check", "--output-format", "json").stdout) == []


def test_github_gets_workflow_commands(greeting: Project) -> None:
    ended = greeting.persistc_process("check", "--output-format", "github")
    assert ended.stdout.splitlines()[0] == (
        "::error title=persistc (missing),file=flows_durable.py::missing: run `persistc generate`"
    )


def test_concise_is_a_line_each(project: Project) -> None:
    project.write("flows.py", BROKEN)
    lines = project.persistc_process("check", "--output-format", "concise").stdout.splitlines()
    assert lines[0].startswith("flows.py:10:15: error[PST040] ")


def test_help_and_version_need_no_dependency_of_the_compiler(project: Project) -> None:
    ended = run(sys.executable, "-c", WITHOUT_EXTRA, "--help", cwd=project.root)
    assert ended.exit_code == 0
    assert "usage: persistc" in ended.stdout
    ended = run(sys.executable, "-c", WITHOUT_EXTRA, "explain", "PST001", cwd=project.root)
    assert ended.exit_code == 0
    assert "PST001" in ended.stdout


@pytest.mark.parametrize("command", ["generate", "check"])
def test_without_the_extra_the_pip_line_is_shown(greeting: Project, command: str) -> None:
    ended = run(sys.executable, "-c", WITHOUT_EXTRA, command, cwd=greeting.root)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert 'pip install "persistasaurus[compiler]"' in ended.stderr
    assert 'of a clone: pip install "<path of the clone>[compiler]"' in ended.stderr


@pytest.mark.parametrize("arguments", [[], ["compile"], ["check", "--output-format", "xml"], ["generate", "--fast"]])
def test_a_call_that_is_not_understood_could_not_run(project: Project, arguments: list[str]) -> None:
    ended = project.persistc_process(*arguments)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "usage: persistc" in ended.stderr


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere", "nowhere does not exist"),
        ("notes.txt", "notes.txt is not a Python source file"),
        ("flows_durable.py", "flows_durable.py has the name of a generated file"),
    ],
)
def test_a_path_that_cannot_be_compiled_could_not_run(greeting: Project, path: str, message: str) -> None:
    greeting.write("notes.txt", "")
    greeting.write("flows_durable.py", "")
    ended = greeting.persistc_process("check", path)
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"persistc: {message}")


def test_explain_prints_the_page_of_a_code(project: Project) -> None:
    ended = project.persistc_process("explain", "pst040")
    assert ended.exit_code == 0
    assert "PST040" in ended.stdout
    ended = project.persistc_process("explain", "PST999")
    assert ended.exit_code == 2
    assert "PST999" in ended.stderr


# --- configuration --------------------------------------------------------------------------------------------------


def test_source_names_the_folders_to_search(greeting: Project) -> None:
    greeting.write("elsewhere/flows.py", greeting.read("flows.py"))
    greeting.write("pyproject.toml", '[tool.persistc]\nsource = ["elsewhere"]\n')
    assert greeting.persistc("generate").stdout == (
        "wrote elsewhere/flows_durable.py\nwrote elsewhere/flows_durable.pyi\n"
    )


def test_paths_on_the_command_line_win_over_source(greeting: Project) -> None:
    greeting.write("elsewhere/flows.py", greeting.read("flows.py"))
    greeting.write("pyproject.toml", '[tool.persistc]\nsource = ["elsewhere"]\n')
    assert greeting.persistc("generate", "flows.py").stdout == "wrote flows_durable.py\nwrote flows_durable.pyi\n"


def test_the_configuration_is_found_from_a_folder_below(greeting: Project) -> None:
    greeting.write("elsewhere/flows.py", greeting.read("flows.py"))
    greeting.write("pyproject.toml", '[tool.persistc]\nsource = ["elsewhere"]\n')
    greeting.write("docs/readme.txt", "")
    ended = greeting.persistc_process("generate", inside="docs")
    assert ended.exit_code == 0
    assert (greeting.root / "elsewhere/flows_durable.py").exists()


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('sources = ["app"]', "unknown key `sources` in `[tool.persistc]`: did you mean `source`?"),
        ('target = "3.12"', "unknown key `target` in `[tool.persistc]`; known: `source`"),
        ('source = "app"', "`source` in `[tool.persistc]` must be a list of paths"),
        ('source = ["app"]', "`source` in `[tool.persistc]` names `app`"),
        ("source = [", "cannot be read"),
    ],
)
def test_a_wrong_configuration_could_not_run(greeting: Project, table: str, message: str) -> None:
    greeting.write("pyproject.toml", f"[tool.persistc]\n{table}\n")
    ended = greeting.persistc("generate")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert message in ended.stderr
    assert not (greeting.root / "flows_durable.py").exists()


def test_virtual_environments_hidden_folders_and_builds_are_passed_by(greeting: Project) -> None:
    for folder in ("venv/lib", ".tox", "node_modules", "build/lib"):
        greeting.write(f"{folder}/flows.py", greeting.read("flows.py"))
    greeting.write("venv/pyvenv.cfg", "")
    assert greeting.persistc("generate").stdout == "wrote flows_durable.py\nwrote flows_durable.pyi\n"


# --- init -----------------------------------------------------------------------------------------------------------


def test_init_keeps_everything_that_is_there(project: Project) -> None:
    before = '# our project\n[project]\nname   =  "shop" # the name\n'
    project.write("pyproject.toml", before)
    project.write(".gitattributes", "*.png binary\n")
    project.write(".gitignore", ".venv/")
    assert project.persistc("init").exit_code == 0
    after = project.read("pyproject.toml")
    assert after == f'{before}\n[tool.persistc]\nsource = ["."]\n'
    assert project.read(".gitattributes") == "*.png binary\n*_durable.py* linguist-generated=true\n"
    assert "entry: persistc check" in project.read(".pre-commit-config.yaml")
    assert project.read(".gitignore") == ".venv/\n.persistc_cache/\n"


def test_init_a_second_time_changes_nothing(project: Project) -> None:
    assert project.persistc("init").exit_code == 0
    before = project.files()
    assert project.persistc("init").exit_code == 0
    assert project.files() == before
    assert tomllib.loads(project.read("pyproject.toml")) == {"tool": {"persistc": {"source": ["."]}}}


def test_init_knows_the_src_layout_and_other_line_ends(project: Project) -> None:
    (project.root / "src").mkdir()
    (project.root / "pyproject.toml").write_bytes(b'[project]\r\nname = "shop"')
    assert project.persistc("init").exit_code == 0
    assert (project.root / "pyproject.toml").read_bytes() == (
        b'[project]\r\nname = "shop"\r\n\r\n[tool.persistc]\r\nsource = ["src"]\r\n'
    )


def test_init_shows_the_hook_when_there_is_a_pre_commit_configuration(project: Project) -> None:
    project.write(".pre-commit-config.yaml", "repos: []\n")
    ended = project.persistc("init")
    assert "in place of the empty `repos:`\n\nrepos:\n  - repo: local\n    hooks:\n" in ended.stdout
    assert project.read(".pre-commit-config.yaml") == "repos: []\n"


@pytest.mark.parametrize("indent", ["", "  ", "    "])
def test_init_shows_the_hook_as_far_in_as_those_that_are_there(project: Project, indent: str) -> None:
    project.write(
        ".pre-commit-config.yaml", f"fail_fast: true\nrepos:  # all\n\n{indent}- repo: meta\n{indent}  hooks: []\n"
    )
    ended = project.persistc("init")
    assert (
        f"at the end of `repos:`\n\n{indent}- repo: local\n{indent}  hooks:\n{indent}    - id: persistc-check\n"
        in ended.stdout
    )


def test_init_shows_a_whole_hook_where_no_repos_are(project: Project) -> None:
    project.write(".pre-commit-config.yaml", "fail_fast: true\n")
    assert "add this\n\nrepos:\n  - repo: local\n" in project.persistc("init").stdout


def test_init_says_when_pyproject_cannot_be_extended(project: Project) -> None:
    project.write("pyproject.toml", "tool = { ruff = {} }\n")
    ended = project.persistc("init")
    assert ended.exit_code == 2
    assert "add a table [tool.persistc] by hand" in ended.stderr
    assert project.read("pyproject.toml") == "tool = { ruff = {} }\n"
