"""The functions of a project's files as Python's own trees, found by where they stand."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from persistc.model import Module
from persistc.project import Owned


@dataclass(frozen=True, slots=True)
class Source:
    """The functions of one file, by the line of their `def`."""

    module: Module
    functions: Mapping[int, ast.FunctionDef | ast.AsyncFunctionDef]
    by_name: Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]
    """Those at the top of the module."""


@dataclass
class Sources:
    """The parsed files of a project, each parsed when it is first asked for."""

    texts: Mapping[str, str]
    _known: dict[str, Source] = field(default_factory=dict)

    def of(self, module: Module) -> Source:
        if module.file not in self._known:
            tree = ast.parse(self.texts.get(module.file, ""))
            found = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            top = [each for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
            self._known[module.file] = Source(
                module, {each.lineno: each for each in found}, {each.name: each for each in top}
            )
        return self._known[module.file]

    def function(self, owned: Owned) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
        return self.of(owned.module).functions.get(owned.method.span.start.line)
