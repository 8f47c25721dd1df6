"""Expressions: from libcst's nodes, of which there are many, to the few of `flow_tree`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import libcst as cst

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
    dotted,
)
from persistc.model import Text
from persistc.parse import Tree
from persistc.spans import Span

_KEYWORDS = {"None": None, "True": True, "False": False}


@dataclass(frozen=True)
class Expressions:
    """Lowers the expressions of one module; `place` tells where a node stands."""

    tree: Tree
    place: Callable[[cst.CSTNode], Span]

    @classmethod
    def of(cls, tree: Tree) -> Expressions:
        return cls(tree, tree.span)

    def text(self, node: cst.BaseExpression) -> Text:
        """An expression with its source text."""
        return Text(self.tree.text(node), self.place(node), self.lower(node))

    def type_text(self, node: cst.BaseExpression) -> Text:
        """An annotation with its source text: strings in it are read as types."""
        return Text(self.tree.text(node), self.place(node), self.lower_type(node))

    def lower(self, node: cst.BaseExpression) -> Expression:
        span = self.place(node)
        match node:
            case cst.Name(value=name):
                return Constant(span, _KEYWORDS[name], name) if name in _KEYWORDS else Name(span, name)
            case cst.Attribute(value=value, attr=attr):
                return Attribute(span, self.lower(value), attr.value)
            case cst.SimpleString() | cst.Integer() | cst.Float() | cst.Imaginary():
                return Constant(span, node.evaluated_value, node.value)
            case cst.ConcatenatedString() if isinstance(node.evaluated_value, str | bytes):
                return Constant(span, node.evaluated_value, self.tree.text(node))
            case cst.Ellipsis():
                return Constant(span, ..., "...")
            case cst.Call(func=func, args=args):
                return Call(span, self.lower(func), tuple(self._argument(arg) for arg in args))
            case cst.Await(expression=value):
                return Await(span, self.lower(value))
            case cst.Subscript(value=value, slice=items):
                return Subscript(span, self.lower(value), tuple(self._item(item, self.lower) for item in items))
            case cst.UnaryOperation(operator=sign, expression=value):
                return Unary(span, self._operator(sign), self.lower(value))
            case cst.BinaryOperation(left=left, operator=sign, right=right):
                return Operation(span, self._operator(sign), self.lower(left), self.lower(right))
            case cst.BooleanOperation(left=left, operator=word, right=right):
                return Operation(span, self._operator(word), self.lower(left), self.lower(right))
            case cst.Comparison(left=left, comparisons=[only]):
                return Operation(span, self._operator(only.operator), self.lower(left), self.lower(only.comparator))
            case cst.Tuple(elements=elements):
                return Display(span, "tuple", tuple(self._element(each) for each in elements))
            case cst.List(elements=elements):
                return Display(span, "list", tuple(self._element(each) for each in elements))
            case cst.Set(elements=elements):
                return Display(span, "set", tuple(self._element(each) for each in elements))
            case cst.Dict(elements=elements):
                return Display(span, "dict", tuple(part for each in elements for part in self._entry(each)))
            case cst.IfExp(test=test, body=body, orelse=orelse):
                return Conditional(span, self.lower(test), self.lower(body), self.lower(orelse))
            case cst.ListComp(elt=elt, for_in=for_in):
                return self._comprehension(span, "list", (elt,), for_in)
            case cst.SetComp(elt=elt, for_in=for_in):
                return self._comprehension(span, "set", (elt,), for_in)
            case cst.GeneratorExp(elt=elt, for_in=for_in):
                return self._comprehension(span, "generator", (elt,), for_in)
            case cst.DictComp(key=key, value=value, for_in=for_in):
                return self._comprehension(span, "dict", (key, value), for_in)
            case cst.Lambda(params=params, body=body):
                return Lambda(
                    span, self.tree.text(node), parameter_names(params), self.lower(body), self.defaults(params)
                )
            case cst.NamedExpr(target=cst.Name(value=name), value=value):
                return Assigned(span, name, self.lower(value))
            case cst.Yield(value=cst.From(item=value)):
                return Yield(span, self.lower(value), True)
            case cst.Yield(value=None):
                return Yield(span, None, False)
            case cst.Yield(value=cst.BaseExpression() as value):
                return Yield(span, self.lower(value), False)
            case _:
                return Compound(span, self.tree.text(node), tuple(self._parts(node)))

    def defaults(self, parameters: cst.Parameters) -> tuple[Expression, ...]:
        listed = (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params)
        return tuple(self.lower(each.default) for each in listed if each.default is not None)

    def lower_type(self, node: cst.BaseExpression) -> Expression:
        """An expression in the place of a type; the strings of `Literal` and behind a type in `Annotated` stay."""
        span = self.place(node)
        match node:
            case cst.SimpleString() | cst.ConcatenatedString() if isinstance(node.evaluated_value, str):
                return self._quoted(node, node.evaluated_value)
            case cst.BinaryOperation(left=left, operator=sign, right=right):
                return Operation(span, self._operator(sign), self.lower_type(left), self.lower_type(right))
            case cst.List(elements=elements):
                return Display(span, "list", tuple(self.lower_type(each.value) for each in elements))
            case cst.Subscript(value=value, slice=items):
                generic = self.lower(value)
                last = (dotted(generic) or "").rpartition(".")[2]
                rest = self.lower if last in {"Literal", "Annotated"} else self.lower_type
                first = self.lower if last == "Literal" else self.lower_type
                head, *tail = items
                return Subscript(span, generic, (self._item(head, first), *(self._item(item, rest) for item in tail)))
            case _:
                return self.lower(node)

    def _quoted(self, node: cst.BaseExpression, value: str) -> Expression:
        span = self.place(node)
        try:
            inner = cst.parse_expression(value.strip())
        except cst.ParserSyntaxError:
            return Constant(span, value, self.tree.text(node))
        return Quoted(span, Expressions(self.tree, lambda _: span).lower_type(inner))

    def _operator(self, node: cst.CSTNode) -> str:
        """An operator without line breaks, comments and other space in and around it: `not in`."""
        return " ".join(re.sub(r"#.*|\\", " ", self.tree.text(node)).split())

    def _argument(self, arg: cst.Arg) -> Argument:
        star: Literal["", "*", "**"] = "**" if arg.star == "**" else "*" if arg.star == "*" else ""
        keyword = arg.keyword.value if arg.keyword is not None else None
        return Argument(self.place(arg), self.lower(arg.value), keyword, star)

    def _item(self, item: cst.SubscriptElement, lower: Callable[[cst.BaseExpression], Expression]) -> Expression:
        if isinstance(item.slice, cst.Index):
            value = lower(item.slice.value)
            return value if item.slice.star is None else Starred(self.place(item), value)
        return Compound(self.place(item), self.tree.text(item.slice), tuple(self._parts(item.slice)))

    def _element(self, element: cst.BaseElement) -> Expression:
        value = self.lower(element.value)
        return Starred(self.place(element), value) if isinstance(element, cst.StarredElement) else value

    def _entry(self, element: cst.BaseDictElement) -> Iterator[Expression]:
        if isinstance(element, cst.DictElement):
            yield self.lower(element.key)
            yield self.lower(element.value)
        else:
            yield Starred(self.place(element), self.lower(element.value))

    def _comprehension(
        self,
        span: Span,
        kind: Literal["list", "set", "dict", "generator"],
        elements: tuple[cst.BaseExpression, ...],
        for_in: cst.CompFor,
    ) -> Comprehension:
        clauses: list[Clause] = []
        clause: cst.CompFor | None = for_in
        while clause is not None:
            clauses.append(
                Clause(
                    span=self.place(clause),
                    target=self.lower(clause.target),
                    over=self.lower(clause.iter),
                    conditions=tuple(self.lower(each.test) for each in clause.ifs),
                    is_async=clause.asynchronous is not None,
                )
            )
            clause = clause.inner_for_in
        return Comprehension(span, kind, tuple(self.lower(each) for each in elements), tuple(clauses))

    def _parts(self, node: cst.CSTNode) -> Iterator[Expression]:
        """The expressions nearest below a node that has no form of its own here."""
        for child in node.children:
            if isinstance(child, cst.BaseExpression):
                yield self.lower(child)
            else:
                yield from self._parts(child)


def parameter_names(parameters: cst.Parameters) -> tuple[str, ...]:
    """The names that a function's parameters bind."""
    listed = (*parameters.posonly_params, *parameters.params, *parameters.kwonly_params)
    starred = (parameters.star_arg, parameters.star_kwarg)
    return tuple(each.name.value for each in (*listed, *starred) if isinstance(each, cst.Param))
