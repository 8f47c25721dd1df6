"""Definitions of functions and methods, read with `ast`: their signatures and decorators, with a body where asked."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass

from persistc.flow_tree import Block, dotted
from persistc.interfaces.expressions import AstExpressions
from persistc.model import Class, Decorator, DecoratorArgument, Kind, Method, Module, Parameter, ParameterKind


@dataclass(frozen=True)
class AstDefinitions:
    """Lowers the definitions of one module."""

    expressions: AstExpressions

    def function(
        self,
        node: ast.FunctionDef | ast.AsyncFunctionDef,
        module: Module,
        inside: Class | None,
        body: Block = (),
        is_generator: bool = False,
        conditional: bool = False,
    ) -> Method:
        """A function of a module, or of a class of it."""
        decorators = tuple(self.decorators(node, module, inside))
        docstring = ast.get_docstring(node, clean=False)
        return Method(
            name=node.name,
            span=self.expressions.name_span(node),
            kind=next((each.mark for each in decorators if each.mark), Kind.OTHER),
            is_async=isinstance(node, ast.AsyncFunctionDef),
            is_generator=is_generator,
            parameters=tuple(self._parameters(node.args)),
            returns=None if node.returns is None else self.expressions.text(node.returns, True),
            decorators=decorators,
            type_parameters=type_parameters(node),
            docstring=None if docstring is None else inspect.cleandoc(docstring),
            body=body,
            conditional=conditional,
        )

    def decorators(
        self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, module: Module, inside: Class | None
    ) -> Iterator[Decorator]:
        for each in node.decorator_list:
            called = each if isinstance(each, ast.Call) else None
            name = dotted(self.expressions.lower(called.func if called is not None else each))
            arguments = () if called is None else self._arguments(called)
            yield Decorator(
                span=self.expressions.span(each),
                expression=self.expressions.lower(each),
                name=name,
                origin=None if name is None else module.origin(name, inside),
                arguments=tuple(arguments),
            )

    def _arguments(self, call: ast.Call) -> Iterator[DecoratorArgument]:
        for value in call.args:
            yield DecoratorArgument(None, self.expressions.text(value))
        for keyword in call.keywords:
            yield DecoratorArgument(keyword.arg, self.expressions.text(keyword.value), "" if keyword.arg else "**")

    def _parameters(self, node: ast.arguments) -> Iterator[Parameter]:
        positional = [*node.posonlyargs, *node.args]
        missing: list[ast.expr | None] = [None] * (len(positional) - len(node.defaults))
        for number, (each, default) in enumerate(zip(positional, [*missing, *node.defaults], strict=True)):
            only = number < len(node.posonlyargs)
            yield self._parameter(each, ParameterKind.POSITIONAL_ONLY if only else ParameterKind.POSITIONAL, default)
        if node.vararg is not None:
            yield self._parameter(node.vararg, ParameterKind.VARIADIC, None)
        for each, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            yield self._parameter(each, ParameterKind.KEYWORD_ONLY, default)
        if node.kwarg is not None:
            yield self._parameter(node.kwarg, ParameterKind.VARIADIC_KEYWORD, None)

    def _parameter(self, node: ast.arg, kind: ParameterKind, default: ast.expr | None) -> Parameter:
        return Parameter(
            name=node.arg,
            span=self.expressions.span(node),
            kind=kind,
            annotation=None if node.annotation is None else self.expressions.text(node.annotation, True),
            default=None if default is None else self.expressions.text(default),
        )


def type_parameters(node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> tuple[str, ...]:
    """Of `def step[T](...)`, which Python has from 3.12 on."""
    return tuple(each.name for each in getattr(node, "type_params", ()))
