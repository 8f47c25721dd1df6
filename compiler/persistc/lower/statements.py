"""Statements: from the body of a function to a block of `flow_tree`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from persistc.flow_tree import (
    Assign,
    Block,
    Branch,
    Case,
    Do,
    Expression,
    ForLoop,
    Handler,
    LocalImport,
    Match,
    NestedClass,
    NestedFunction,
    Other,
    Raise,
    Return,
    Statement,
    Try,
    WhileLoop,
    With,
    WithItem,
)
from persistc.lower.expressions import Expressions, parameter_names
from persistc.model import Import
from persistc.spans import Span


@dataclass(frozen=True)
class Statements:
    """Lowers the statements of one module."""

    expressions: Expressions
    imports: Sequence[Import]
    """Those of the module, for the ones that stand in bodies."""

    def block(self, body: cst.BaseSuite | cst.Else | cst.Finally | None) -> Block:
        match body:
            case None:
                return ()
            case cst.Else(body=inner) | cst.Finally(body=inner):
                return self.block(inner)
            case _:
                return tuple(each for statement in body.body for each in self._statement(statement))

    def _statement(self, node: cst.CSTNode) -> Iterator[Statement]:
        match node:
            case cst.SimpleStatementLine(body=parts):
                for part in parts:
                    yield from self._statement(part)
            case cst.Expr(value=value):
                yield Do(self._span(node), self._lower(value))
            case cst.Import() | cst.ImportFrom():
                yield self._local_import(node)
            case cst.BaseSmallStatement():
                yield self._small(node)
            case _:
                yield self._compound(node)

    def _small(self, node: cst.BaseSmallStatement) -> Statement:
        span = self._span(node)
        match node:
            case cst.Assign(targets=targets, value=value):
                return Assign(span, tuple(self._lower(each.target) for each in targets), self._lower(value))
            case cst.AnnAssign(target=target, annotation=annotation, value=value):
                declared = self.expressions.lower_type(annotation.annotation)
                return Assign(span, (self._lower(target),), self._optional(value), declared)
            case cst.AugAssign(target=target, operator=operator, value=value):
                sign = self.expressions.tree.text(operator)
                return Assign(span, (self._lower(target),), self._lower(value), operator=sign)
            case cst.Return(value=value):
                return Return(span, self._optional(value))
            case cst.Raise(exc=exc, cause=cause):
                return Raise(span, self._optional(exc), self._lower(cause.item) if cause is not None else None)
            case cst.Del(target=target):
                return Other(span, "del", (self._lower(target),))
            case cst.Assert(test=test, msg=message):
                parts = (self._lower(test), *([self._lower(message)] if message is not None else []))
                return Other(span, "assert", parts)
            case _:
                return Other(span, type(node).__name__.lower())

    def _compound(self, node: cst.CSTNode) -> Statement:
        span = self._span(node)
        match node:
            case cst.If(test=test, body=body, orelse=orelse):
                other = (self._compound(orelse),) if isinstance(orelse, cst.If) else self.block(orelse)
                return Branch(span, self._lower(test), self.block(body), other)
            case cst.For(target=target, iter=over, body=body, orelse=orelse, asynchronous=asynchronous):
                return ForLoop(
                    span,
                    self._lower(target),
                    self._lower(over),
                    self.block(body),
                    self.block(orelse),
                    asynchronous is not None,
                )
            case cst.While(test=test, body=body, orelse=orelse):
                return WhileLoop(span, self._lower(test), self.block(body), self.block(orelse))
            case cst.Try() | cst.TryStar():
                return Try(
                    span,
                    self.block(node.body),
                    tuple(self._handler(handler) for handler in node.handlers),
                    self.block(node.orelse),
                    self.block(node.finalbody),
                    isinstance(node, cst.TryStar),
                )
            case cst.With(items=items, body=body, asynchronous=asynchronous):
                entered = tuple(
                    WithItem(
                        self._span(item), self._lower(item.item), self._lower(item.asname.name) if item.asname else None
                    )
                    for item in items
                )
                return With(span, entered, self.block(body), asynchronous is not None)
            case cst.Match(subject=subject, cases=cases):
                return Match(span, self._lower(subject), tuple(self._case(case) for case in cases))
            case cst.FunctionDef():
                return NestedFunction(
                    self._span(node.name),
                    node.name.value,
                    parameter_names(node.params),
                    self._decorators(node),
                    self.block(node.body),
                    node.asynchronous is not None,
                    self.expressions.defaults(node.params),
                )
            case cst.ClassDef():
                return NestedClass(
                    self._span(node.name), node.name.value, self._decorators(node), self.block(node.body)
                )
            case _:
                return Other(span, type(node).__name__.lower())

    def _handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> Handler:
        name = node.name.name if node.name is not None else None
        return Handler(
            self._span(node),
            self._alternatives(node.type),
            name.value if isinstance(name, cst.Name) else None,
            self.block(node.body),
        )

    def _alternatives(self, node: cst.BaseExpression | None) -> tuple[Expression, ...]:
        match node:
            case None:
                return ()
            case cst.Tuple(elements=elements):
                return tuple(self._lower(element.value) for element in elements)
            case _:
                return (self._lower(node),)

    def _case(self, node: cst.MatchCase) -> Case:
        names = tuple(
            found.name.value
            for found in _descendants(node.pattern)
            if isinstance(found, cst.MatchAs | cst.MatchStar) and found.name is not None
        )
        pattern = self.expressions.tree.text(node.pattern)
        return Case(self._span(node), pattern, self._optional(node.guard), self.block(node.body), names)

    def _decorators(self, node: cst.FunctionDef | cst.ClassDef) -> tuple[Expression, ...]:
        return tuple(self._lower(decorator.decorator) for decorator in node.decorators)

    def _local_import(self, node: cst.Import | cst.ImportFrom) -> LocalImport:
        span = self._span(node)
        bound = tuple((each.bound, each.origin) for each in self.imports if span.start <= each.span.start <= span.end)
        return LocalImport(span, bound)

    def _optional(self, node: cst.BaseExpression | None) -> Expression | None:
        return None if node is None else self._lower(node)

    def _lower(self, node: cst.BaseExpression) -> Expression:
        return self.expressions.lower(node)

    def _span(self, node: cst.CSTNode) -> Span:
        return self.expressions.place(node)


def _descendants(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    yield node
    for child in node.children:
        yield from _descendants(child)
