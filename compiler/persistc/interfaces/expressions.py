"""Expressions: from the nodes of `ast` to those of `flow_tree`."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from persistc.flow_tree import (
    Argument,
    Assigned,
    Attribute,
    Await,
    Call,
    Clause,
    Compound,
    Comprehension,
    Conditional,
    Constant,
    Display,
    Expression,
    Lambda,
    Name,
    Operation,
    Quoted,
    Starred,
    Subscript,
    Unary,
    Yield,
)
from persistc.model import Text
from persistc.spans import Position, Span

Placed: TypeAlias = ast.expr | ast.stmt | ast.alias | ast.arg | ast.keyword | ast.excepthandler | ast.pattern

SIGNS: Mapping[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.MatMult: "@",
    ast.Div: "/",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.LShift: "<<",
    ast.RShift: ">>",
    ast.BitOr: "|",
    ast.BitXor: "^",
    ast.BitAnd: "&",
    ast.FloorDiv: "//",
    ast.And: "and",
    ast.Or: "or",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Is: "is",
    ast.IsNot: "is not",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Invert: "~",
    ast.Not: "not",
    ast.UAdd: "+",
    ast.USub: "-",
}


@dataclass(frozen=True)
class AstExpressions:
    """Lowers the expressions of one module, whose text it has line by line."""

    lines: Sequence[str]
    at: Span | None = None
    """The one place that stands for all, of a type in quotes."""

    @classmethod
    def of(cls, text: str) -> AstExpressions:
        return cls(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")))

    def text(self, node: ast.expr, is_type: bool = False) -> Text:
        span, source = self.span(node), self.source(node)
        try:
            return Text(source, span, self.lower(node, is_type))
        except RecursionError:  # a sum of hundreds of terms, which nobody asks for its parts
            return Text(source, span, Compound(span, source, ()))

    def lower(self, node: ast.expr, is_type: bool = False) -> Expression:
        span = self.span(node)
        match node:
            case ast.Name(id=name):
                return Name(span, name)
            case ast.Attribute(value=value, attr=name):
                return Attribute(span, self.lower(value), name)
            case ast.Constant(value=str(value)) if is_type:
                return self._quoted(span, value)
            case ast.Constant(value=value):
                return Constant(span, value, self.source(node))
            case ast.Call(func=func, args=args, keywords=keywords):
                return Call(span, self.lower(func), (*map(self._positional, args), *map(self._named, keywords)))
            case ast.Subscript(value=value, slice=ast.Tuple(elts=items)):
                return Subscript(span, self.lower(value), tuple(self.lower(item, is_type) for item in items))
            case ast.Subscript(value=value, slice=item):
                return Subscript(span, self.lower(value), (self.lower(item, is_type),))
            case ast.Await(value=value):
                return Await(span, self.lower(value))
            case ast.BinOp(left=left, op=sign, right=right):
                return Operation(span, SIGNS[type(sign)], self.lower(left, is_type), self.lower(right, is_type))
            case ast.BoolOp(op=word, values=[first, *rest]):
                return self._chain(self.lower(first), SIGNS[type(word)], rest)
            case ast.Compare(left=left, ops=[only], comparators=[right]):
                return Operation(span, SIGNS[type(only)], self.lower(left), self.lower(right))
            case ast.UnaryOp(op=sign, operand=value):
                return Unary(span, SIGNS[type(sign)], self.lower(value))
            case ast.Tuple(elts=items):
                return Display(span, "tuple", self._all(items))
            case ast.List(elts=items):
                return Display(span, "list", self._all(items))
            case ast.Set(elts=items):
                return Display(span, "set", self._all(items))
            case ast.Dict(keys=keys, values=values):
                return Display(span, "dict", tuple(self._entries(keys, values)))
            case ast.Starred(value=value):
                return Starred(span, self.lower(value))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return Conditional(span, self.lower(test), self.lower(body), self.lower(orelse))
            case ast.ListComp(elt=element, generators=clauses):
                return Comprehension(span, "list", (self.lower(element),), self._clauses(clauses))
            case ast.SetComp(elt=element, generators=clauses):
                return Comprehension(span, "set", (self.lower(element),), self._clauses(clauses))
            case ast.GeneratorExp(elt=element, generators=clauses):
                return Comprehension(span, "generator", (self.lower(element),), self._clauses(clauses))
            case ast.DictComp(key=key, value=value, generators=clauses):
                return Comprehension(span, "dict", (self.lower(key), self.lower(value)), self._clauses(clauses))
            case ast.Lambda(args=parameters, body=body):
                return Lambda(
                    span, self.source(node), parameter_names(parameters), self.lower(body), self.defaults(parameters)
                )
            case ast.NamedExpr(target=ast.Name(id=name), value=value):
                return Assigned(span, name, self.lower(value))
            case ast.Yield(value=value):
                return Yield(span, None if value is None else self.lower(value), False)
            case ast.YieldFrom(value=value):
                return Yield(span, self.lower(value), True)
            case ast.JoinedStr():
                return Compound(span, self.source(node), tuple(self._interpolated(node)))
            case _:
                parts = (child for child in ast.iter_child_nodes(node) if isinstance(child, ast.expr))
                return Compound(span, self.source(node), self._all(parts))

    def defaults(self, parameters: ast.arguments) -> tuple[Expression, ...]:
        return self._all(each for each in (*parameters.defaults, *parameters.kw_defaults) if each is not None)

    def _all(self, nodes: Iterable[ast.expr]) -> tuple[Expression, ...]:
        return tuple(self.lower(node) for node in nodes)

    def _interpolated(self, node: ast.JoinedStr) -> Iterator[Expression]:
        """What stands in the braces of an f-string, those of formats too."""
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                yield self.lower(value.value)
                if isinstance(value.format_spec, ast.JoinedStr):
                    yield from self._interpolated(value.format_spec)

    def _positional(self, node: ast.expr) -> Argument:
        if isinstance(node, ast.Starred):
            return Argument(self.span(node), self.lower(node.value), star="*")
        return Argument(self.span(node), self.lower(node))

    def _named(self, node: ast.keyword) -> Argument:
        return Argument(self.span(node), self.lower(node.value), node.arg, "" if node.arg else "**")

    def _chain(self, left: Expression, word: str, rest: Sequence[ast.expr]) -> Expression:
        """`a and b and c` as `ast` has it, three in a row, to what it means."""
        for node in rest:
            right = self.lower(node)
            left = Operation(Span(left.span.start, right.span.end), word, left, right)
        return left

    def _entries(self, keys: Sequence[ast.expr | None], values: Sequence[ast.expr]) -> Iterator[Expression]:
        for key, value in zip(keys, values, strict=True):
            if key is None:
                yield Starred(self.span(value), self.lower(value))
            else:
                yield self.lower(key)
                yield self.lower(value)

    def _clauses(self, nodes: Sequence[ast.comprehension]) -> tuple[Clause, ...]:
        return tuple(
            Clause(
                span=Span(self.span(node.target).start, self.span(node.ifs[-1] if node.ifs else node.iter).end),
                target=self.lower(node.target),
                over=self.lower(node.iter),
                conditions=self._all(node.ifs),
                is_async=bool(node.is_async),
            )
            for node in nodes
        )

    def _quoted(self, span: Span, value: str) -> Expression:
        try:
            inner = ast.parse(value.strip(), mode="eval").body
        except SyntaxError:
            return Constant(span, value, repr(value))
        return Quoted(span, AstExpressions(value.strip().split("\n"), span).lower(inner, True))

    def span(self, node: Placed) -> Span:
        return self.at or self._place(node)

    def _place(self, node: Placed) -> Span:
        return Span(
            self._position(node.lineno, node.col_offset),
            self._position(node.end_lineno or node.lineno, node.end_col_offset or 0),
        )

    def name_span(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> Span:
        """The name in a definition; `ast` knows the place of the whole only."""
        start = self.span(node).start
        found = re.compile(rf"\b{re.escape(node.name)}\b").search(self.lines[start.line - 1], start.column)
        return Span.within_line(start.line, found.start(), found.end()) if found else self.span(node)

    def _position(self, line: int, offset: int) -> Position:
        """`ast` counts columns in bytes of UTF-8, we in characters; before Python 3.12 it counts wrong in f-strings."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return Position(line, offset if text.isascii() else len(text.encode()[:offset].decode(errors="ignore")))

    def source(self, node: ast.expr | ast.pattern) -> str:
        span = self._place(node)
        lines = list(self.lines[span.start.line - 1 : span.end.line]) or [""]
        lines[-1] = lines[-1][: span.end.column]
        lines[0] = lines[0][span.start.column :]
        return "\n".join(lines)


def parameter_names(parameters: ast.arguments) -> tuple[str, ...]:
    """The names that a function's parameters bind."""
    listed = (*parameters.posonlyargs, *parameters.args, *parameters.kwonlyargs)
    starred = (parameters.vararg, parameters.kwarg)
    return tuple(each.arg for each in (*listed, *starred) if each is not None)
