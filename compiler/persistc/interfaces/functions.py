"""The functions and methods of a module with their bodies, each lowered when it is asked for."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from persistc.import_paths import ImportPaths
from persistc.interfaces.definitions import AstDefinitions
from persistc.interfaces.expressions import AstExpressions
from persistc.interfaces.modules import parsed, statements_of
from persistc.interfaces.statements import AstStatements
from persistc.model import Method, Module
from persistc.sources import SourceFile


@dataclass
class FunctionsOfModule(Mapping[str, Method]):
    """By name within the module: `token`, `Order.total`; of two with one name the last, as in Python."""

    module: Module
    source: SourceFile
    paths: ImportPaths
    text: str
    _lowered: dict[str, Method] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Method:
        if name not in self._lowered:
            try:
                self._lowered[name] = self._lower(name, self._nodes[name])
            except RecursionError:
                raise KeyError(name) from None  # too deep to be looked into
        return self._lowered[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def __len__(self) -> int:
        return len(self._nodes)

    @cached_property
    def _nodes(self) -> Mapping[str, ast.FunctionDef | ast.AsyncFunctionDef]:
        tree = parsed(self.text)
        # Newer than this Python, or too deep: `reading` has said so where it matters.
        return {} if isinstance(tree, SyntaxError) else dict(_functions(tree.body))

    @cached_property
    def _statements(self) -> AstStatements:
        return AstStatements(AstExpressions.of(self.text), self.source, self.paths)

    def _lower(self, name: str, node: ast.FunctionDef | ast.AsyncFunctionDef) -> Method:
        owner = self.module.find(name.partition(".")[0]) if "." in name else None
        definitions = AstDefinitions(self._statements.expressions)
        body = self._statements.block(node.body)
        return definitions.function(node, self.module, owner, body, _yields(node))


def _functions(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in statements_of(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{name}", method) for name, method in _functions(node.body))


def _yields(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    nodes: list[ast.AST] = list(function.body)
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            nodes.extend(ast.iter_child_nodes(node))
    return False
