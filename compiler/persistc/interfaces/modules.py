"""Modules and classes, read with `ast` without their bodies."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from persistc.flow_tree import bound_names
from persistc.import_paths import ImportPaths
from persistc.interfaces.definitions import AstDefinitions, type_parameters
from persistc.interfaces.expressions import AstExpressions
from persistc.model import (
    Base,
    Binding,
    BindingKind,
    Class,
    ClassAttribute,
    DecoratorArgument,
    Import,
    Method,
    Module,
    Scope,
    Stray,
    Text,
)
from persistc.sources import SourceFile


def read_interface(text: str, source: SourceFile, paths: ImportPaths) -> Module | SyntaxError:
    """The interface of a module, or why this Python cannot read it."""
    tree = parsed(text)
    if isinstance(tree, SyntaxError):
        return tree
    expressions = AstExpressions.of(text)
    return _Interface(source, paths, expressions, AstDefinitions(expressions)).module(tree)


def parsed(text: str) -> ast.Module | SyntaxError:
    """The tree of a module, or why this Python cannot read it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error))


@dataclass(frozen=True)
class _Interface:
    source: SourceFile
    paths: ImportPaths
    lowered: AstExpressions
    definitions: AstDefinitions

    def module(self, tree: ast.Module) -> Module:
        imports = tuple(self._imports(tree.body, False))
        shell = Module(
            file=self.source.file,
            path=self.source.path,
            name=self.source.name,
            import_name=self.source.import_name,
            in_package=self.source.in_package,
            imports=imports,
            scope=self._scope(tree.body, self.source.name, imports),
            classes=(),
            interface_only=True,
        )
        found = tuple(
            self._class(node, shell, imports) for node in statements_of(tree.body) if isinstance(node, ast.ClassDef)
        )
        strays = (
            Stray(
                node.name, self.lowered.name_span(node), tuple(self.definitions.decorators(node, shell, None)), "module"
            )
            for node in statements_of(tree.body)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.decorator_list
        )
        return replace(shell, classes=found, strays=tuple(strays))

    # --- names ------------------------------------------------------------------------------------------------------

    def _imports(self, body: Sequence[ast.stmt], type_checking: bool) -> Iterator[Import]:
        for node in body:
            match node:
                case ast.Import(names=names):
                    for each in names:
                        top = each.name.partition(".")[0]
                        origin = self.paths.name_of(each.name if each.asname else top, self.source)
                        yield Import(each.name, origin, None, each.asname, self.lowered.span(each), type_checking)
                case ast.ImportFrom(names=names, level=level):
                    written = "." * level + (node.module or "")
                    for each in names:
                        origin = self.paths.origin_of(written, each.name, self.source)
                        yield Import(written, origin, each.name, each.asname, self.lowered.span(each), type_checking)
                case ast.If(test=ast.Name(id="TYPE_CHECKING") | ast.Attribute(attr="TYPE_CHECKING")):
                    yield from self._imports(node.body, True)
                    yield from self._imports(node.orelse, type_checking)
                case _:
                    for block in blocks(node):
                        yield from self._imports(block, type_checking)

    def _scope(self, body: Sequence[ast.stmt], qualified: str, imports: Sequence[Import]) -> Scope:
        return Scope(tuple(self._bindings(body, qualified, imports)))

    def _bindings(self, body: Sequence[ast.stmt], qualified: str, imports: Sequence[Import]) -> Iterator[Binding]:
        for node in statements_of(body):
            match node:
                case ast.Import() | ast.ImportFrom():
                    span = self.lowered.span(node)
                    for each in imports:
                        if span.start <= each.span.start <= span.end:
                            kind = BindingKind.STAR_IMPORT if each.name == "*" else BindingKind.IMPORT
                            yield Binding(each.bound, kind, each.span, each.origin, imported=each)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                    yield Binding(name, BindingKind.FUNCTION, self.lowered.name_span(node), f"{qualified}.{name}")
                case ast.ClassDef(name=name):
                    yield Binding(name, BindingKind.CLASS, self.lowered.name_span(node), f"{qualified}.{name}")
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        yield from self._assigned(target, qualified, self.lowered.text(value))
                case ast.AnnAssign(target=target, value=value):
                    yield from self._assigned(
                        target, qualified, None if value is None else self.lowered.text(value, True)
                    )
                case _ if type(node).__name__ == "TypeAlias":  # `ast.TypeAlias` exists from Python 3.12 on
                    target, value = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
                    yield from self._assigned(target, qualified, self.lowered.text(value, True))

    def _assigned(self, target: ast.expr, qualified: str, value: Text | None) -> Iterator[Binding]:
        if isinstance(target, ast.Name | ast.Tuple | ast.List):
            known = value if isinstance(target, ast.Name) else None
            for name in bound_names(self.lowered.lower(target)):
                yield Binding(name, BindingKind.ASSIGNMENT, self.lowered.span(target), f"{qualified}.{name}", known)

    # --- classes ----------------------------------------------------------------------------------------------------

    def _class(self, node: ast.ClassDef, module: Module, imports: Sequence[Import]) -> Class:
        qualified = f"{module.name}.{node.name}"
        shell = Class(
            name=node.name,
            qualified=qualified,
            span=self.lowered.name_span(node),
            bases=tuple(self._base(base, module) for base in node.bases),
            keywords=tuple(DecoratorArgument(each.arg, self.lowered.text(each.value)) for each in node.keywords),
            decorators=tuple(self.definitions.decorators(node, module, None)),
            type_parameters=type_parameters(node),
            docstring=None,
            methods=(),
            attributes=(),
            scope=self._scope(node.body, qualified, imports),
        )
        return replace(
            shell,
            methods=tuple(self._methods(node.body, module, shell, False)),
            attributes=tuple(self._attributes(node.body)),
        )

    def _base(self, node: ast.expr, module: Module) -> Base:
        text = self.lowered.text(node)
        plain = node.value if isinstance(node, ast.Subscript) else node
        return Base(text, module.origin_of(self.lowered.lower(plain)))

    def _methods(self, body: Sequence[ast.stmt], module: Module, inside: Class, conditional: bool) -> Iterator[Method]:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield self.definitions.function(node, module, inside, conditional=conditional)
            elif not isinstance(node, ast.ClassDef):
                for block in blocks(node):
                    yield from self._methods(block, module, inside, True)

    def _attributes(self, body: Sequence[ast.stmt]) -> Iterator[ClassAttribute]:
        for node in statements_of(body):
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=value):
                    text = None if value is None else self.lowered.text(value)
                    yield ClassAttribute(
                        name, self.lowered.span(node.target), self.lowered.text(annotation, True), text, None
                    )
                case ast.Assign(targets=[ast.Name(id=name) as target], value=value):
                    yield ClassAttribute(name, self.lowered.span(target), None, self.lowered.text(value), None)


def statements_of(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a scope, those below `if`, `try` and the like too."""
    for node in body:
        yield node
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            for block in blocks(node):
                yield from statements_of(block)


def blocks(node: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    match node:
        case ast.If() | ast.For() | ast.While():
            yield from (node.body, node.orelse)
        case ast.With():
            yield node.body
        case ast.Try() | ast.TryStar():
            yield node.body
            yield from (handler.body for handler in node.handlers)
            yield from (node.orelse, node.finalbody)
        case ast.Match():
            yield from (case.body for case in node.cases)
        case _:
            return
