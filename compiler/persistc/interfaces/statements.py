"""Statements: from the body of a function, as `ast` has it, to a block of `flow_tree`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from persistc.flow_tree import (
    Assign,
    Block,
    Branch,
    Case,
    Display,
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
from persistc.import_paths import ImportPaths
from persistc.interfaces.expressions import SIGNS, AstExpressions, parameter_names
from persistc.sources import SourceFile
from persistc.spans import Span


@dataclass(frozen=True)
class AstStatements:
    """Lowers the statements of one module."""

    expressions: AstExpressions
    source: SourceFile
    paths: ImportPaths

    def block(self, body: Sequence[ast.stmt]) -> Block:
        return tuple(self._statement(node) for node in body)

    def _statement(self, node: ast.stmt) -> Statement:
        span = self.expressions.span(node)
        match node:
            case ast.Expr(value=value):
                return Do(span, self._lower(value))
            case ast.Assign(targets=targets, value=value):
                return Assign(span, tuple(self._lower(target) for target in targets), self._lower(value))
            case ast.AnnAssign(target=target, annotation=annotation, value=value):
                declared = self.expressions.lower(annotation, True)
                return Assign(span, (self._lower(target),), self._optional(value), declared)
            case ast.AugAssign(target=target, op=sign, value=value):
                return Assign(span, (self._lower(target),), self._lower(value), operator=f"{SIGNS[type(sign)]}=")
            case ast.Return(value=value):
                return Return(span, self._optional(value))
            case ast.Raise(exc=exc, cause=cause):
                return Raise(span, self._optional(exc), self._optional(cause))
            case ast.Import() | ast.ImportFrom():
                return LocalImport(span, tuple(self._imported(node)))
            case ast.Delete(targets=[target]):
                return Other(span, "del", (self._lower(target),))
            case ast.Delete(targets=targets):
                several = tuple(self._lower(target) for target in targets)
                return Other(
                    span, "del", (Display(Span(several[0].span.start, several[-1].span.end), "tuple", several),)
                )
            case ast.Assert(test=test, msg=message):
                return Other(span, "assert", (self._lower(test), *([] if message is None else [self._lower(message)])))
            case _:
                return self._compound(node, span)

    def _compound(self, node: ast.stmt, span: Span) -> Statement:
        match node:
            case ast.If(test=test, body=body, orelse=orelse):
                return Branch(span, self._lower(test), self.block(body), self.block(orelse))
            case ast.For() | ast.AsyncFor():
                return ForLoop(
                    span,
                    self._lower(node.target),
                    self._lower(node.iter),
                    self.block(node.body),
                    self.block(node.orelse),
                    isinstance(node, ast.AsyncFor),
                )
            case ast.While(test=test, body=body, orelse=orelse):
                return WhileLoop(span, self._lower(test), self.block(body), self.block(orelse))
            case ast.Try() | ast.TryStar():
                return Try(
                    span,
                    self.block(node.body),
                    tuple(self._handler(handler) for handler in node.handlers),
                    self.block(node.orelse),
                    self.block(node.finalbody),
                    isinstance(node, ast.TryStar),
                )
            case ast.With() | ast.AsyncWith():
                items = tuple(
                    WithItem(
                        self.expressions.span(item.context_expr),
                        self._lower(item.context_expr),
                        self._optional(item.optional_vars),
                    )
                    for item in node.items
                )
                return With(span, items, self.block(node.body), isinstance(node, ast.AsyncWith))
            case ast.Match(subject=subject, cases=cases):
                return Match(span, self._lower(subject), tuple(self._case(case) for case in cases))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                return NestedFunction(
                    self.expressions.name_span(node),
                    node.name,
                    parameter_names(node.args),
                    tuple(self._lower(decorator) for decorator in node.decorator_list),
                    self.block(node.body),
                    isinstance(node, ast.AsyncFunctionDef),
                    self.expressions.defaults(node.args),
                )
            case ast.ClassDef(name=name, body=body, decorator_list=decorators):
                lowered = tuple(self._lower(decorator) for decorator in decorators)
                return NestedClass(self.expressions.name_span(node), name, lowered, self.block(body))
            case _:
                return Other(span, type(node).__name__.lower())

    def _handler(self, node: ast.ExceptHandler) -> Handler:
        types = node.type.elts if isinstance(node.type, ast.Tuple) else [] if node.type is None else [node.type]
        caught = tuple(self._lower(each) for each in types)
        return Handler(self.expressions.span(node), caught, node.name, self.block(node.body))

    def _case(self, node: ast.match_case) -> Case:
        names = [found.name for found in ast.walk(node.pattern) if isinstance(found, ast.MatchAs | ast.MatchStar)]
        return Case(
            self.expressions.span(node.pattern),
            self.expressions.source(node.pattern),
            self._optional(node.guard),
            self.block(node.body),
            tuple(name for name in names if name is not None),
        )

    def _imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.Import):
            for each in node.names:
                top = each.name.partition(".")[0]
                yield each.asname or top, self.paths.name_of(each.name if each.asname else top, self.source)
            return
        written = "." * node.level + (node.module or "")
        for each in node.names:
            yield each.asname or each.name, self.paths.origin_of(written, each.name, self.source)

    def _optional(self, node: ast.expr | None) -> Expression | None:
        return None if node is None else self._lower(node)

    def _lower(self, node: ast.expr) -> Expression:
        return self.expressions.lower(node)
