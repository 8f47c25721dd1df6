"""The public surface: what a user may import, and what stands at each name."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import persistasaurus
import persistasaurus.generated
from tests.architecture.imports import COMPILER, ROOT, RUNTIME, TEMPLATES


@pytest.mark.parametrize("module", [persistasaurus, persistasaurus.generated], ids=lambda module: module.__name__)
def test_the_public_names_are_those_of_all_in_order(module: types.ModuleType) -> None:
    public = {
        name
        for name, value in vars(module).items()
        if not isinstance(value, types.ModuleType) and not name.startswith("_") and name != "annotations"
    }
    assert module.__all__ == sorted(public | ({"__version__"} & vars(module).keys()))


def test_the_public_names_do_not_change_by_accident() -> None:
    """Whoever adds a name adds it here; whoever removes one breaks programs."""
    assert persistasaurus.__all__ == (ROOT / "tests/architecture/public_names.txt").read_text("utf-8").split()


def test_every_public_object_and_method_is_documented() -> None:
    assert [name for name, public in _public_objects() if not inspect.getdoc(public)] == []


def _public_objects() -> Iterator[tuple[str, object]]:
    for name in persistasaurus.__all__:
        public = getattr(persistasaurus, name)
        if inspect.isclass(public):
            yield name, public
            members = {member: value for member, value in vars(public).items() if not member.startswith("_")}
            yield from ((f"{name}.{member}", value) for member, value in members.items() if inspect.isroutine(value))
        elif inspect.isroutine(public):
            yield name, public


def test_every_module_says_what_it_is() -> None:
    files = [*RUNTIME.rglob("*.py"), *COMPILER.rglob("*.py"), *TEMPLATES.rglob("*.py")]
    assert [str(file) for file in files if not ast.get_docstring(ast.parse(file.read_text("utf-8")))] == []


def test_every_function_and_class_that_modules_of_the_runtime_share_says_what_it_does() -> None:
    assert [f"{file.relative_to(ROOT)}:{what}" for file in RUNTIME.rglob("*.py") for what in _undocumented(file)] == []


def _undocumented(file: Path) -> Iterator[str]:
    for node in ast.parse(file.read_text("utf-8")).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef() if not node.name.startswith("_"):
                is_overload = "overload" in {ast.unparse(decorator) for decorator in node.decorator_list}
                if not is_overload and not ast.get_docstring(node):
                    yield f"{node.lineno}: {node.name}"
