"""The generated files under the tools their readers use: mypy, pyright, stubtest, ruff and black."""

from __future__ import annotations

import ast
import json
import re
import shutil
import sys
from pathlib import Path

import black
import pytest

from tests.compiler.projects import IMPORT_PATH, REPOSITORY, Ended, Project, run, run_module
from tests.compiler.test_golden import CLEAN

OUTPUTS = [path for case in CLEAN for path in sorted(case.rglob("*_durable.py*"))]
SWITCHES = re.compile(r"^# (?:fmt: off|ruff: noqa)\n", re.MULTILINE)


def without_switches(path: Path) -> str:
    """A generated file without the comments that keep formatters and linters away from it."""
    return SWITCHES.sub("", path.read_text(encoding="utf-8"))


def mypy(*files: Path, cwd: Path) -> Ended:
    arguments = ("--strict", "--python-version", "3.11", "--explicit-package-bases", "--namespace-packages")
    return run_module("mypy", *arguments, *map(str, files), cwd=cwd, MYPYPATH=f"{cwd}:{IMPORT_PATH}")


@pytest.mark.parametrize("ending", [".py", ".pyi"])
def test_mypy_strict_accepts_each_of_the_two_files_by_itself(ending: str) -> None:
    """A `.pyi` beside a `.py` hides the `.py` from mypy, so each is checked on its own."""
    files = [path for path in OUTPUTS if path.suffix == ending]
    ended = mypy(*files, cwd=REPOSITORY)
    assert ended.exit_code == 0, ended.stdout
    assert f"no issues found in {len(files)} source files" in ended.stdout


def test_pyright_strict_accepts_both_files(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "tests" / "golden", tmp_path / "tests" / "golden")
    settings = {
        "include": ["tests/golden"],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
        "extraPaths": IMPORT_PATH.split(":"),
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings), encoding="utf-8")
    ended = run_module("pyright", "--pythonpath", sys.executable, "--outputjson", cwd=tmp_path)
    if not ended.stdout.startswith("{"):
        pytest.skip(f"pyright does not run here: {ended.stderr[-200:]}")
    report = json.loads(ended.stdout)
    assert [each for each in report["generalDiagnostics"] if "_durable.py" in each["file"]] == []
    assert report["summary"]["filesAnalyzed"] >= len(OUTPUTS)


def test_stubtest_finds_both_files_in_agreement() -> None:
    modules = [
        path.relative_to(REPOSITORY).with_suffix("").as_posix().replace("/", ".")
        for path in OUTPUTS
        if path.suffix == ".py"
    ]
    ended = run_module(
        "mypy.stubtest",
        *modules,
        "--mypy-config-file",
        str(REPOSITORY / "pyproject.toml"),
        cwd=REPOSITORY,
        MYPYPATH=f"{REPOSITORY}:{IMPORT_PATH}",
        PYTHONPATH=f"{REPOSITORY}:{IMPORT_PATH}",
    )
    assert ended.exit_code == 0, ended.stdout


@pytest.mark.parametrize("path", OUTPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_black_would_change_nothing(path: Path) -> None:
    text = without_switches(path)
    assert black.format_str(text, mode=black.Mode(is_pyi=path.suffix == ".pyi")) == text


def test_ruff_has_nothing_to_say_even_without_the_switch(tmp_path: Path) -> None:
    for path in OUTPUTS:
        copy = tmp_path / path.relative_to(REPOSITORY / "tests" / "golden")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(without_switches(path), encoding="utf-8")
    # `Optional[...]` and the like are the user's own words, carried as they are.
    selected = "E4,E7,E9,F,I,UP,B,C4,RET,SIM"
    carried = "UP007,UP045"
    ended = run_module(
        "ruff", "check", "--isolated", "--no-cache", "--select", selected, "--ignore", carried, ".", cwd=tmp_path
    )
    assert ended.exit_code == 0, ended.stdout


@pytest.mark.parametrize("path", OUTPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_one_module_of_the_runtime_is_imported_besides_what_the_user_imports(path: Path) -> None:
    written = ast.parse((path.parent / "flows.py").read_text(encoding="utf-8"))
    users = {alias.name for node in ast.walk(written) if isinstance(node, ast.ImportFrom) for alias in node.names}
    imported = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.Import)]
    taken = [node for node in ast.parse(path.read_text(encoding="utf-8")).body if isinstance(node, ast.ImportFrom)]
    ours = [alias.name for node in imported for alias in node.names if alias.name.startswith("persistasaurus")]
    assert ours == ["persistasaurus.generated"]
    assert all(alias.name in users for node in taken if node.module == "persistasaurus" for alias in node.names)


def test_every_golden_proxy_is_imported_and_found_up_to_date() -> None:
    modules = [f"tests.golden.{path.parent.name}.flows_durable" for path in OUTPUTS if path.suffix == ".py"]
    code = "import importlib\n" + "".join(f"importlib.import_module({module!r})\n" for module in modules)
    ended = run(sys.executable, "-c", code, cwd=REPOSITORY, PYTHONPATH=f"{REPOSITORY}:{IMPORT_PATH}")
    assert ended.exit_code == 0, ended.stderr


WRONG_USES = """\
from typing import Any

from app.flows_durable import DurableSignupFlow, SignupFlowInstance
from persistasaurus.generated import Async, Blocking


async def uses(instance: SignupFlowInstance[Async], blocking: SignupFlowInstance[Blocking]) -> None:
    reveal_type(await instance.sign_up.run("alice", email="alice@example.com"))
    reveal_type(blocking.sign_up.run("alice", "alice@example.com"))
    await instance.sign_up.run("alice")
    await instance.sign_up.run("alice", 7)
    blocking.confirm_email_address.send("today")
    text: str = blocking.sign_up.result()
    instance.sign_off


class Derived(DurableSignupFlow): ...
"""


def test_a_wrong_use_of_a_flow_instance_is_an_error_of_mypy(project: Project) -> None:
    shutil.copytree(REPOSITORY / "tests" / "golden" / "signup", project.root / "app")
    program = project.write("program.py", WRONG_USES)
    found = re.findall(
        r"^program.py:(\d+): (?:error|note): .*?(int\"|\[[\w-]+\])$",
        mypy(program, cwd=project.root).stdout,
        re.MULTILINE,
    )
    assert found == [
        ("8", 'int"'),
        ("9", 'int"'),
        ("10", "[call-arg]"),
        ("11", "[arg-type]"),
        ("12", "[arg-type]"),
        ("13", "[assignment]"),
        ("14", "[attr-defined]"),
        ("17", "[misc]"),
    ]


NOT_STORABLE = """\
from collections.abc import Iterator as Iterator

from persistasaurus import flow, step


class Plain:
    pass


class PlainFlow:
    @flow
    async def run(self) -> None:
        await self.keep(3)

    @step
    async def keep(self, number: int) -> None: ...
"""


NOT_STORED = ("Plain", "list[Plain]", "Plain | None", "dict[str, tuple[Plain, ...]]", "Iterator[int]", "object")


def test_mypy_finds_a_type_that_cannot_be_stored_in_the_stub(project: Project) -> None:
    """What persistc itself does not see, because a type may be hidden anywhere, the bound of `Codec` shows."""
    project.write("app/__init__.py", "")
    project.write("app/flows.py", NOT_STORABLE)
    assert project.persistc("generate").exit_code == 0
    stub = project.root / "app/flows_durable.pyi"
    stored = "".join(f"    _p.Codec[{written}],\n" for written in NOT_STORED)
    text = stub.read_text(encoding="utf-8").replace("tuple[_p.Codec[int]]", f"tuple[\n{stored}]")
    text = text.replace("import PlainFlow", "import Iterator, Plain, PlainFlow")
    stub.write_text(text, encoding="utf-8")
    ended = mypy(stub, cwd=project.root)
    assert ended.stdout.count('of "Codec" must be a subtype of') == len(NOT_STORED), ended.stdout
