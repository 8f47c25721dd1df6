"""Classes and their methods: from class statements to the `Class` and `Method` of the model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import libcst as cst

from persistc.flow_tree import (
    Assign,
    Attribute,
    Block,
    Expression,
    Lambda,
    Name,
    NestedClass,
    NestedFunction,
    Node,
    Yield,
    children,
    dotted,
)
from persistc.lower.scopes import scope_of
from persistc.lower.statements import Statements
from persistc.model import (
    Base,
    Class,
    ClassAttribute,
    Decorator,
    DecoratorArgument,
    Kind,
    Method,
    Module,
    Parameter,
    ParameterKind,
    Scope,
    Text,
)
from persistc.names import blocks


@dataclass(frozen=True)
class Classes:
    """Lowers the classes of one module; `module` is it without its classes, which is enough to resolve names."""

    module: Module
    statements: Statements
    canonical: Callable[[str], str]

    def lower(self, node: cst.ClassDef) -> Class:
        """One class statement."""
        qualified = f"{self.module.name}.{node.name.value}"
        expressions = self.statements.expressions
        shell = Class(
            name=node.name.value,
            qualified=qualified,
            span=expressions.place(node.name),
            bases=tuple(self._base(arg) for arg in node.bases if not arg.star),
            keywords=tuple(
                DecoratorArgument(arg.keyword.value, expressions.text(arg.value))
                for arg in node.keywords
                if arg.keyword is not None
            ),
            decorators=tuple(self.decorator(each, None) for each in node.decorators),
            type_parameters=_type_parameters(node),
            docstring=node.get_docstring(),
            methods=(),
            attributes=(),
            scope=scope_of(node.body.body, qualified, expressions, self.statements.imports),
        )
        methods = tuple(self._methods(node.body.body, shell, False))
        attributes = (*self._declared(shell.scope, node.body.body), *self._assigned(methods))
        return replace(shell, methods=methods, attributes=attributes)

    def decorator(self, node: cst.Decorator, inside: Class | None) -> Decorator:
        """A decorator, resolved in the body of the class it stands in."""
        expressions = self.statements.expressions
        called = node.decorator if isinstance(node.decorator, cst.Call) else None
        name = dotted(expressions.lower(called.func if called is not None else node.decorator))
        origin = self.module.origin(name, inside) if name is not None else None
        return Decorator(
            span=expressions.place(node.decorator),
            expression=expressions.lower(node.decorator),
            name=name,
            origin=None if origin is None else self.canonical(origin),
            arguments=tuple(
                DecoratorArgument(arg.keyword.value if arg.keyword else None, expressions.text(arg.value), arg.star)
                for arg in (called.args if called is not None else ())
            ),
        )

    def _base(self, arg: cst.Arg) -> Base:
        text = self.statements.expressions.text(arg.value)
        plain = arg.value.value if isinstance(arg.value, cst.Subscript) else arg.value
        origin = self.module.origin_of(self.statements.expressions.lower(plain))
        return Base(text, None if origin is None else self.canonical(origin))

    def _methods(self, body: Sequence[cst.CSTNode], inside: Class, conditional: bool) -> Iterator[Method]:
        for statement in body:
            if isinstance(statement, cst.FunctionDef):
                yield self._method(statement, inside, conditional)
            elif not isinstance(statement, cst.ClassDef):
                for block in blocks(statement):
                    yield from self._methods(block, inside, True)

    def _method(self, node: cst.FunctionDef, inside: Class, conditional: bool) -> Method:
        decorators = tuple(self.decorator(each, inside) for each in node.decorators)
        block = self.statements.block(node.body)
        return Method(
            name=node.name.value,
            span=self.statements.expressions.place(node.name),
            kind=next((decorator.mark for decorator in decorators if decorator.mark), Kind.OTHER),
            is_async=node.asynchronous is not None,
            is_generator=any(isinstance(each, Yield) for each in _own_nodes(block)),
            parameters=tuple(self._parameters(node.params)),
            returns=None if node.returns is None else self._type(node.returns),
            decorators=decorators,
            type_parameters=_type_parameters(node),
            docstring=node.get_docstring(),
            body=block,
            conditional=conditional,
        )

    def _parameters(self, node: cst.Parameters) -> Iterator[Parameter]:
        listed: list[tuple[object, ParameterKind]] = [
            *((each, ParameterKind.POSITIONAL_ONLY) for each in node.posonly_params),
            *((each, ParameterKind.POSITIONAL) for each in node.params),
            (node.star_arg, ParameterKind.VARIADIC),
            *((each, ParameterKind.KEYWORD_ONLY) for each in node.kwonly_params),
            (node.star_kwarg, ParameterKind.VARIADIC_KEYWORD),
        ]
        for each, kind in listed:
            if isinstance(each, cst.Param):
                yield Parameter(
                    name=each.name.value,
                    span=self.statements.expressions.place(each.name),
                    kind=kind,
                    annotation=None if each.annotation is None else self._type(each.annotation),
                    default=None if each.default is None else self.statements.expressions.text(each.default),
                )

    def _type(self, node: cst.Annotation) -> Text:
        return self.statements.expressions.type_text(node.annotation)

    def _declared(self, scope: Scope, body: Sequence[cst.CSTNode]) -> Iterator[ClassAttribute]:
        annotations = {
            part.target.value: self._type(part.annotation)
            for statement in body
            if isinstance(statement, cst.SimpleStatementLine)
            for part in statement.body
            if isinstance(part, cst.AnnAssign) and isinstance(part.target, cst.Name)
        }
        for binding in scope.bindings:
            if binding.kind == "assignment":
                annotation = annotations.get(binding.name)
                yield ClassAttribute(binding.name, binding.span, annotation, binding.value, None)

    def _assigned(self, methods: Sequence[Method]) -> Iterator[ClassAttribute]:
        for method in methods:
            myself = method.parameters[0].name if method.parameters else None
            for node in _own_nodes(method.body):
                if not isinstance(node, Assign):
                    continue
                for target in node.targets:
                    match target:
                        case Attribute(value=Name(name=owner), name=name) if owner == myself:
                            yield ClassAttribute(
                                name,
                                target.span,
                                self._written(node.annotation),
                                self._written(node.value),
                                method.name,
                            )

    def _written(self, expression: Expression | None) -> Text | None:
        if expression is None:
            return None
        return Text(self.statements.expressions.tree.source(expression.span), expression.span, expression)


def _own_nodes(block: Block) -> Iterator[Node]:
    """The nodes that belong to a function itself and not to one nested in it."""
    nodes: list[Node] = list(reversed(block))
    while nodes:
        node = nodes.pop()
        yield node
        if not isinstance(node, NestedFunction | NestedClass | Lambda):
            nodes.extend(reversed(list(children(node))))


def _type_parameters(node: cst.ClassDef | cst.FunctionDef) -> tuple[str, ...]:
    if node.type_parameters is None:
        return ()
    return tuple(each.param.name.value for each in node.type_parameters.params)
