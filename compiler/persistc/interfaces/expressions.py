"""Expressions of `ast`, as far as names, types and bases are written with them."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass

from persistc.flow_tree import (
    Argument,
    Attribute,
    Call,
    Compound,
    Constant,
    Display,
    Expression,
    Name,
    Operation,
    Quoted,
    Starred,
    Subscript,
)
from persistc.model import Text
from persistc.spans import Position, Span


@dataclass(frozen=True)
class AstExpressions:
    """Lowers the expressions of one module, whose text it has line by line."""

    lines: Sequence[str]

    @classmethod
    def of(cls, text: str) -> AstExpressions:
        return cls(re.split(r"\r\n|\r|\n", text.removeprefix("\ufeff")))

    def text(self, node: ast.expr, is_type: bool = False) -> Text:
        return Text(self._source(node), self.span(node), self.lower(node, is_type))

    def lower(self, node: ast.expr, is_type: bool = False) -> Expression:
        """The forms a name, a type or a base is written in; everything else is a `Compound`."""
        span = self.span(node)
        match node:
            case ast.Name(id=name):
                return Name(span, name)
            case ast.Attribute(value=value, attr=name):
                return Attribute(span, self.lower(value), name)
            case ast.Constant(value=str(value)) if is_type:
                return self._quoted(span, value)
            case ast.Constant(value=value):
                return Constant(span, value, self._source(node))
            case ast.Subscript(value=value, slice=ast.Tuple(elts=items)):
                return Subscript(span, self.lower(value), tuple(self.lower(item, is_type) for item in items))
            case ast.Subscript(value=value, slice=item):
                return Subscript(span, self.lower(value), (self.lower(item, is_type),))
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                return Operation(span, "|", self.lower(left, is_type), self.lower(right, is_type))
            case ast.Tuple(elts=items):
                return Display(span, "tuple", tuple(self.lower(item) for item in items))
            case ast.List(elts=items):
                return Display(span, "list", tuple(self.lower(item) for item in items))
            case ast.Starred(value=value):
                return Starred(span, self.lower(value))
            case ast.Call(func=func, args=args, keywords=keywords):
                positional = (Argument(self.span(each), self.lower(each)) for each in args)
                named = (Argument(self.span(each), self.lower(each.value), each.arg) for each in keywords)
                return Call(span, self.lower(func), (*positional, *named))
            case _:
                return Compound(span, self._source(node), ())

    def _quoted(self, span: Span, value: str) -> Expression:
        try:
            inner = ast.parse(value.strip(), mode="eval").body
        except SyntaxError:
            return Constant(span, value, repr(value))
        return Quoted(span, AstExpressions(value.strip().split("\n")).lower(inner, True))

    def span(self, node: ast.expr | ast.stmt | ast.alias | ast.arg | ast.keyword) -> Span:
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
        """`ast` counts columns in bytes of UTF-8, we in characters."""
        text = self.lines[line - 1]
        return Position(line, offset if text.isascii() else len(text.encode()[:offset].decode()))

    def _source(self, node: ast.expr) -> str:
        span = self.span(node)
        lines = list(self.lines[span.start.line - 1 : span.end.line])
        lines[-1] = lines[-1][: span.end.column]
        lines[0] = lines[0][span.start.column :]
        return "\n".join(lines)
