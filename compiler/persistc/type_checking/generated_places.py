"""What of the user's source each part of a generated file stands for."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from persistc.model import Class, Kind, Module, Parameter, Text
from persistc.project import Owned, Project
from persistc.proxies import instance_name, proxied_classes, proxy_name
from persistc.spans import Position, Span

STORED = "_Stored"
"""The line of a stub that names the types that are stored."""


@dataclass(frozen=True, slots=True)
class UserPlace:
    """A place in the user's source."""

    file: str
    span: Span


@dataclass(frozen=True, slots=True)
class GeneratedPlace:
    """A piece of a generated file, and what it was made from."""

    span: Span
    made_from: tuple[UserPlace, ...]
    """Several for a type that several parameters and results have."""
    proxy: str = ""
    """The proxy or flow instance it is a part of."""
    is_codec: bool = False
    """It says that a type can be stored."""


def generated_places(project: Project, module: Module, text: str) -> tuple[GeneratedPlace, ...]:
    """The places of a file generated from this module, `.py` or `.pyi`, the larger ones before those within them."""
    return tuple(_Places(project, module).of_file(ast.parse(text)))


def place_at(places: tuple[GeneratedPlace, ...], position: Position) -> GeneratedPlace | None:
    """The smallest place a position is in."""
    around = [place for place in places if place.span.start <= position < place.span.end]
    return around[-1] if around else None


class _Places:
    def __init__(self, project: Project, module: Module) -> None:
        self._project = project
        self._module = module
        self._proxies = {proxy_name(cls): cls for cls in proxied_classes(project, module)}
        self._instances = {instance_name(cls): cls for cls in self._proxies.values()}
        self._typed: dict[str, list[UserPlace]] = {}
        """Where each stored type, as the generated file writes it, stands in the user's signatures."""

    def of_file(self, tree: ast.Module) -> Iterator[GeneratedPlace]:
        for node in tree.body:
            match node:
                case ast.Import() | ast.ImportFrom():
                    yield from self._imports(node)
                case ast.ClassDef(name=name) if name in self._proxies:
                    yield from self._proxy(node, self._proxies[name])
                case ast.ClassDef(name=name) if name in self._instances:
                    yield from self._instance(node, self._instances[name])
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript(slice=types)) if name == STORED:
                    yield from self._codecs(types)

    def _imports(self, node: ast.Import | ast.ImportFrom) -> Iterator[GeneratedPlace]:
        for alias in node.names:
            bound = self._module.scope.by_name.get(alias.asname or alias.name.partition(".")[0], ())
            if bound:
                yield GeneratedPlace(_span(node), (UserPlace(self._module.file, bound[0].span),))

    def _proxy(self, node: ast.ClassDef, cls: Class) -> Iterator[GeneratedPlace]:
        members = self._project.members(cls, self._module)
        yield self._class(node, cls)
        for override in node.body:
            if isinstance(override, ast.FunctionDef | ast.AsyncFunctionDef) and override.name in members:
                yield from self._override(override, members[override.name], node.name)

    def _override(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef, owned: Owned, proxy: str
    ) -> Iterator[GeneratedPlace]:
        file = owned.module.file
        yield GeneratedPlace(_span(node), (UserPlace(file, owned.method.span),), proxy)
        parameters = {each.name: each for each in owned.method.values}
        given = node.args
        defaults = [*_defaults(given)]
        for argument in (*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg):
            if argument is not None and (parameter := parameters.get(argument.arg)) is not None:
                place = UserPlace(file, _typed_span(parameter))
                yield GeneratedPlace(_span(argument), (place,), proxy)
                self._keep(argument.annotation, parameter.annotation, file)
        for name, default in defaults:
            written = parameters[name].default if name in parameters else None
            if written is not None:
                yield GeneratedPlace(_span(default), (UserPlace(file, written.span),), proxy)
        if node.returns is not None and owned.method.returns is not None:
            yield GeneratedPlace(_span(node.returns), (UserPlace(file, owned.method.returns.span),), proxy)
            self._keep(node.returns, owned.method.returns, file)

    def _keep(self, generated: ast.expr | None, written: Text | None, file: str) -> None:
        if generated is not None and written is not None:
            self._typed.setdefault(ast.unparse(generated), []).append(UserPlace(file, written.span))

    def _instance(self, node: ast.ClassDef, cls: Class) -> Iterator[GeneratedPlace]:
        members = self._project.members(cls, self._module)
        yield self._class(node, cls)
        for statement in node.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)]) if (owned := members.get(name)) is not None:
                    if owned.method.kind is not Kind.OTHER:
                        place = UserPlace(owned.module.file, owned.method.span)
                        yield GeneratedPlace(_span(statement), (place,), node.name)

    def _class(self, node: ast.ClassDef, cls: Class) -> GeneratedPlace:
        return GeneratedPlace(_span(node), (UserPlace(self._module.file, cls.span),), node.name)

    def _codecs(self, types: ast.expr) -> Iterator[GeneratedPlace]:
        for codec in types.elts if isinstance(types, ast.Tuple) else (types,):
            if isinstance(codec, ast.Subscript) and (found := self._typed.get(ast.unparse(codec.slice))):
                yield GeneratedPlace(_span(codec), tuple(dict.fromkeys(found)), is_codec=True)


def _typed_span(parameter: Parameter) -> Span:
    return parameter.span if parameter.annotation is None else Span(parameter.span.start, parameter.annotation.span.end)


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    positional = [*arguments.posonlyargs, *arguments.args]
    with_default = positional[len(positional) - len(arguments.defaults) :]
    yield from ((each.arg, default) for each, default in zip(with_default, arguments.defaults, strict=True))
    for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if value is not None:
            yield each.arg, value


def _span(node: ast.stmt | ast.expr | ast.arg) -> Span:
    """Of the whole node, decorators included. Columns count bytes, as those of `ast` do."""
    decorators = getattr(node, "decorator_list", ())
    line, column = min([(each.lineno, 0) for each in decorators], default=(node.lineno, node.col_offset))
    assert node.end_lineno is not None
    assert node.end_col_offset is not None
    return Span(Position(line, column), Position(node.end_lineno, node.end_col_offset))
