"""What the runtime may know of the outside, and what others may know of the runtime."""

from __future__ import annotations

import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from tests.architecture.imports import COMPILER, ROOT, RUNTIME, TEMPLATES, imports_of_file, imports_of_package

IMPORTS = imports_of_package(RUNTIME)
GENERATED = sorted(
    path for folder in ("examples", "tests") for path in (ROOT / folder).rglob("*_durable.py*") if path.suffix != ".pyc"
)


def test_the_runtime_needs_msgspec_and_greenlet_and_nothing_else() -> None:
    imported = {name for module in IMPORTS if not _is_for_tests(module) for name in IMPORTS[module].at_run_time}
    packages = {name.partition(".")[0] for name in imported}
    assert packages - sys.stdlib_module_names - {"persistasaurus"} == {"msgspec", "greenlet"}


def test_only_the_contract_tests_for_other_logs_need_pytest() -> None:
    needing = {name for name in IMPORTS if "pytest" in IMPORTS[name].packages}
    assert {name for name in needing if not name.startswith("persistasaurus.testing.contract")} == set()


def test_nothing_but_tests_uses_what_is_there_for_tests() -> None:
    users = {name for name in IMPORTS if any(map(_is_for_tests, IMPORTS[name].names))}
    assert {name for name in users if not _is_for_tests(name)} == set()


def _is_for_tests(name: str) -> bool:
    return _package(name) == "persistasaurus.testing"


def test_the_runtime_never_imports_the_compiler() -> None:
    compiler = {COMPILER.name, TEMPLATES.name}
    assert {name for name in IMPORTS if IMPORTS[name].packages & compiler} == set()


def test_only_the_sqlite_log_touches_sqlite() -> None:
    touching = {name for name in IMPORTS if "sqlite3" in IMPORTS[name].packages}
    assert touching
    assert {name for name in touching if not name.startswith("persistasaurus.sqlite_log.")} == set()


def test_the_execution_of_a_flow_knows_no_log_but_the_protocol() -> None:
    logs = {"persistasaurus.sqlite_log", "persistasaurus.memory_log"}
    knowing = {name for name in IMPORTS if {other for other in IMPORTS[name].names if _package(other) in logs}}
    runs_no_flows = {*logs, "persistasaurus.testing", "persistasaurus.offline"}
    assert {name for name in knowing if _package(name) not in runs_no_flows} == {"persistasaurus.engine"}


def _package(name: str) -> str:
    return ".".join(name.split(".")[:2])


def test_modules_of_the_runtime_do_not_import_each_other_in_circles() -> None:
    graph = {name: {other for other in imports.at_run_time if other in IMPORTS} for name, imports in IMPORTS.items()}
    TopologicalSorter(graph).prepare()


def test_generated_code_knows_one_module_of_the_runtime() -> None:
    # A flow class may use public names in its annotations, which are carried over as they are written.
    allowed = {"persistasaurus", "persistasaurus.generated"}
    for file in GENERATED:
        imported = {name for name in imports_of_file(file).names if name.partition(".")[0] == "persistasaurus"}
        assert imported <= allowed, file


def test_there_is_generated_code_to_look_at() -> None:
    assert {file.suffix for file in GENERATED} == {".py", ".pyi"}


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_persistc_answers_a_simple_question_without_its_dependencies(option: str) -> None:
    program = (
        "import sys\n"
        "from persistc.__main__ import main\n"
        f"try:\n    main([{option!r}])\n"
        "except SystemExit:\n    pass\n"
        "print(sorted({'libcst', 'jinja2', 'persistasaurus'} & sys.modules.keys()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_importing_the_runtime_opens_neither_sqlite_nor_the_compiler() -> None:
    program = (
        "import sys, persistasaurus\nprint(sorted({'sqlite3', 'persistc', 'libcst', 'jinja2'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"
