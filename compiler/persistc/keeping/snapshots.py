"""A source file at one time: its bytes, its model, and its functions as Python's own trees."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from persistc.keeping.code_shapes import Function
from persistc.model import Class, Module


@dataclass(frozen=True)
class Snapshot:
    """A file as it is, or as it was, with the flow class that is looked at."""

    data: bytes
    module: Module
    cls: Class

    @cached_property
    def definitions(self) -> Mapping[str, ast.stmt]:
        """The functions, classes and assignments at the top of the file, by name; the last one counts."""
        return {name: statement for statement in _statements(self._tree.body) for name in _defined(statement)}

    @cached_property
    def methods(self) -> Mapping[str, Function]:
        """The functions of the class, by name."""
        found = self.definitions[self.cls.name]
        body = found.body if isinstance(found, ast.ClassDef) else []
        return {each.name: each for each in _statements(body) if isinstance(each, Function)}

    @cached_property
    def _tree(self) -> ast.Module:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(self.data)


def _statements(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a scope, those below `if`, `try` and the like too."""
    for statement in body:
        yield statement
        if not isinstance(statement, Function | ast.ClassDef):
            yield from _statements(each for each in ast.iter_child_nodes(statement) if isinstance(each, ast.stmt))
            for handler in getattr(statement, "handlers", ()):
                yield from _statements(handler.body)


def _defined(statement: ast.stmt) -> Iterator[str]:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.Assign() | ast.AnnAssign():
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            for target in targets:
                yield from (each.id for each in ast.walk(target) if isinstance(each, ast.Name))
        case _ if type(statement).__name__ == "TypeAlias":  # `ast.TypeAlias` exists from Python 3.12 on
            yield next(each.id for each in ast.walk(statement) if isinstance(each, ast.Name))
