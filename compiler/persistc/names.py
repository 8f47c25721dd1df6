"""From a tree to its import table: what each imported name stands for, wherever in the module it is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from persistc.import_paths import ImportPaths
from persistc.model import Import
from persistc.parse import Tree
from persistc.sources import SourceFile


def imports_of(
    tree: Tree, source: SourceFile, paths: ImportPaths, canonical: Callable[[str], str]
) -> tuple[Import, ...]:
    """All import statements of a module, one value a name; `canonical` follows re-exports of the project's modules."""
    return tuple(_Reader(tree, source, paths, canonical).statements(tree.module.body, False, False))


@dataclass(frozen=True)
class _Reader:
    tree: Tree
    source: SourceFile
    paths: ImportPaths
    canonical: Callable[[str], str]

    def statements(self, body: Sequence[cst.CSTNode], type_checking: bool, in_function: bool) -> Iterator[Import]:
        for statement in body:
            match statement:
                case cst.SimpleStatementLine(body=parts) | cst.SimpleStatementSuite(body=parts):
                    yield from self.statements(parts, type_checking, in_function)
                case cst.Import():
                    yield from self._import(statement, type_checking, in_function)
                case cst.ImportFrom():
                    yield from self._import_from(statement, type_checking, in_function)
                case cst.If(test=test):
                    only_checked = type_checking or is_type_checking(test)
                    yield from self.statements(statement.body.body, only_checked, in_function)
                    if statement.orelse is not None:
                        yield from self.statements([statement.orelse], type_checking, in_function)
                case cst.FunctionDef():
                    yield from self.statements(statement.body.body, type_checking, True)
                case _:
                    for block in blocks(statement):
                        yield from self.statements(block, type_checking, in_function)

    def _import(self, statement: cst.Import, type_checking: bool, in_function: bool) -> Iterator[Import]:
        for part in statement.names:
            module = part.evaluated_name
            bound = part.evaluated_alias or module.partition(".")[0]
            meant = module if part.evaluated_alias else bound
            yield Import(
                module=module,
                origin=self.paths.name_of(meant, self.source),
                name=None,
                alias=None if part.evaluated_alias == module else part.evaluated_alias,
                span=self.tree.span(part),
                type_checking=type_checking,
                in_function=in_function,
            )

    def _import_from(self, statement: cst.ImportFrom, type_checking: bool, in_function: bool) -> Iterator[Import]:
        written = "." * len(statement.relative)
        if statement.module is not None:
            written += self.tree.text(statement.module)
        if isinstance(statement.names, cst.ImportStar):
            origin = self.paths.origin_of(written, "*", self.source)
            yield Import(written, origin, "*", None, self.tree.span(statement), type_checking, in_function)
            return
        for part in statement.names:
            name = part.evaluated_name
            origin = self.paths.origin_of(written, name, self.source)
            yield Import(
                module=written,
                origin=self.canonical(origin),
                name=name,
                alias=part.evaluated_alias,
                span=self.tree.span(part),
                type_checking=type_checking,
                in_function=in_function,
            )


def is_type_checking(test: cst.BaseExpression) -> bool:
    """Whether a condition is `TYPE_CHECKING`, which only type checkers take for true."""
    match test:
        case cst.Name(value="TYPE_CHECKING") | cst.Attribute(attr=cst.Name(value="TYPE_CHECKING")):
            return True
        case _:
            return False


def blocks(statement: cst.CSTNode) -> Iterator[Sequence[cst.CSTNode]]:
    """The blocks of a compound statement, in order."""
    match statement:
        case cst.Try() | cst.TryStar():
            yield statement.body.body
            for handler in statement.handlers:
                yield handler.body.body
            if statement.orelse is not None:
                yield statement.orelse.body.body
            if statement.finalbody is not None:
                yield statement.finalbody.body.body
        case cst.For() | cst.While():
            yield statement.body.body
            if statement.orelse is not None:
                yield statement.orelse.body.body
        case cst.If():
            yield statement.body.body
            if isinstance(statement.orelse, cst.If):
                yield [statement.orelse]
            elif statement.orelse is not None:
                yield statement.orelse.body.body
        case cst.ClassDef() | cst.With() | cst.Else():
            yield statement.body.body
        case cst.Match():
            for case in statement.cases:
                yield case.body.body
        case _:
            return
