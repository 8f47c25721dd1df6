"""Reads which module imports which, from the source, wherever in a module the import stands."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPILER = ROOT / "compiler" / "persistc"
RUNTIME = ROOT / "runtime" / "persistasaurus"
TEMPLATES = ROOT / "templates" / "persistc_templates"


@dataclass(frozen=True)
class Imports:
    """What one module imports: dotted names, of modules where that is known, else of what is in them."""

    names: frozenset[str]
    """All, also those that only type checkers see."""
    at_run_time: frozenset[str]

    @property
    def packages(self) -> frozenset[str]:
        return frozenset(name.partition(".")[0] for name in self.names)


def imports_of_package(package: Path) -> Mapping[str, Imports]:
    """The imports of each module of a package, by the module's dotted name."""
    files = {_module_name(file, package): file for file in sorted(package.rglob("*.py"))}
    return {name: imports_of_file(file, frozenset(files)) for name, file in files.items()}


def imports_of_file(file: Path, modules: frozenset[str] = frozenset()) -> Imports:
    """The imports of one file; `from package import module` gives the module when it is one of `modules`."""
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    checked_only = {
        id(node)
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and ast.unparse(branch.test).endswith("TYPE_CHECKING")
        for statement in branch.body
        for node in ast.walk(statement)
    }
    found = [(name, id(node) in checked_only) for node in ast.walk(tree) for name in _names(node, modules)]
    return Imports(frozenset(name for name, _ in found), frozenset(name for name, checked in found if not checked))


def _names(node: ast.AST, modules: frozenset[str]) -> Iterator[str]:
    match node:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(module=str(module), names=aliases, level=0):
            for alias in aliases:
                name = f"{module}.{alias.name}"
                yield name if name in modules else module


def _module_name(file: Path, package: Path) -> str:
    parts = (package.name, *file.relative_to(package).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
