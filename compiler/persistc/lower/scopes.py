"""Scopes: every name that a module or a class body makes known, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from persistc.flow_tree import bound_names
from persistc.lower.expressions import Expressions
from persistc.model import Binding, BindingKind, Import, Scope, Text
from persistc.names import blocks
from persistc.spans import Span


def scope_of(body: Sequence[cst.CSTNode], qualified: str, expressions: Expressions, imports: Sequence[Import]) -> Scope:
    """The scope of a body; `qualified` is the name of the module or class it belongs to."""
    return Scope(tuple(_Bindings(qualified, expressions, imports).of(body)))


@dataclass(frozen=True)
class _Bindings:
    qualified: str
    expressions: Expressions
    imports: Sequence[Import]

    def of(self, body: Sequence[cst.CSTNode]) -> Iterator[Binding]:
        for statement in body:
            match statement:
                case cst.SimpleStatementLine(body=parts) | cst.SimpleStatementSuite(body=parts):
                    yield from self.of(parts)
                case cst.Import() | cst.ImportFrom():
                    yield from self._imported(self._span(statement))
                case cst.FunctionDef(name=name):
                    yield self._bound(name.value, BindingKind.FUNCTION, name)
                case cst.ClassDef(name=name):
                    yield self._bound(name.value, BindingKind.CLASS, name)
                case cst.Assign(targets=targets, value=value):
                    text = self.expressions.text(value)
                    for target in targets:
                        yield from self._assigned(target.target, text)
                case cst.AnnAssign(target=target, value=value):
                    yield from self._assigned(target, None if value is None else self.expressions.type_text(value))
                case cst.AugAssign(target=target):
                    yield from self._assigned(target, None)
                case cst.TypeAlias(name=name, value=value):
                    yield from self._assigned(name, self.expressions.type_text(value))
                case _:
                    yield from self._entered(statement)
                    for block in blocks(statement):
                        yield from self.of(block)

    def _entered(self, statement: cst.CSTNode) -> Iterator[Binding]:
        """The names that a compound statement itself binds."""
        match statement:
            case cst.For(target=target):
                yield from self._assigned(target, None)
            case cst.With(items=items):
                for item in items:
                    if item.asname is not None:
                        yield from self._assigned(item.asname.name, None)

    def _imported(self, span: Span) -> Iterator[Binding]:
        for each in self.imports:
            if span.start <= each.span.start <= span.end and not each.in_function:
                kind = BindingKind.STAR_IMPORT if each.name == "*" else BindingKind.IMPORT
                yield Binding(each.bound, kind, each.span, each.origin, imported=each)

    def _assigned(self, target: cst.BaseExpression, value: Text | None) -> Iterator[Binding]:
        if not isinstance(target, cst.Name | cst.Tuple | cst.List):
            return
        whole = isinstance(target, cst.Name)
        for name in bound_names(self.expressions.lower(target)):
            yield self._bound(name, BindingKind.ASSIGNMENT, target, value if whole else None)

    def _bound(self, name: str, kind: BindingKind, node: cst.CSTNode, value: Text | None = None) -> Binding:
        return Binding(name, kind, self._span(node), f"{self.qualified}.{name}", value)

    def _span(self, node: cst.CSTNode) -> Span:
        return self.expressions.place(node)
