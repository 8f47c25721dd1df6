"""Methods that operators, loops and built-in functions call: `total + 1` is `total.__add__(1)`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from persistc.flow_tree import (
    Argument,
    Assign,
    Attribute,
    Await,
    Branch,
    Call,
    Case,
    Clause,
    Compound,
    Conditional,
    Display,
    Expression,
    ForLoop,
    Name,
    Node,
    Operation,
    Other,
    Starred,
    Subscript,
    Unary,
    WhileLoop,
    Yield,
)

Special: TypeAlias = tuple[Expression, tuple[str, ...]]
"""An object, and the methods of which the first that its class has is called."""

_F_STRING = re.compile(r"[rR]?[fF][rR]?[\"']")
_ARITHMETIC = {
    "+": "add",
    "-": "sub",
    "*": "mul",
    "/": "truediv",
    "//": "floordiv",
    "%": "mod",
    "**": "pow",
    "@": "matmul",
    "&": "and",
    "|": "or",
    "^": "xor",
    "<<": "lshift",
    ">>": "rshift",
}
_COMPARED = {"<": ("lt", "gt"), "<=": ("le", "ge"), ">": ("gt", "lt"), ">=": ("ge", "le"), "==": ("eq", "eq")}
_UNARY = {"-": "__neg__", "+": "__pos__", "~": "__invert__"}
_TRUTH = ("__bool__", "__len__")
_ITER = ("__iter__", "__getitem__")
_NEXT = ("__next__",)
_TEXT = ("__str__", "__repr__")
_BUILTINS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    **dict.fromkeys(("list", "tuple", "set", "frozenset", "dict", "sorted", "sum", "min", "max"), (_ITER, _NEXT)),
    **dict.fromkeys(("any", "all", "enumerate"), (_ITER, _NEXT)),
    "iter": (_ITER,),
    "next": (_NEXT,),
    "reversed": (("__reversed__", "__getitem__"),),
    "str": (_TEXT,),
    "print": (_TEXT,),
    "repr": (("__repr__",),),
    "format": (("__format__", *_TEXT),),
    "bool": (_TRUTH,),
    "len": (("__len__",),),
    "int": (("__int__", "__index__"),),
    "float": (("__float__",),),
    "abs": (("__abs__",),),
    "round": (("__round__",),),
    "bytes": (("__bytes__",),),
}


def by_syntax(node: Node) -> Iterator[Special]:
    """What a node calls by itself, without the nodes below it; parts of targets are told by `by_target`."""
    match node:
        case Operation(operator=operator, left=left, right=right):
            yield from _of_operation(operator, left, right)
        case Unary(operator="not", value=value):
            yield value, _TRUTH
        case Unary(operator=operator, value=value) if operator in _UNARY:
            yield value, (_UNARY[operator],)
        case Branch(test=test) | WhileLoop(test=test) | Conditional(test=test) | Case(guard=test) if test is not None:
            yield test, _TRUTH
        case Other(keyword="assert", parts=(test, *_)):
            yield test, _TRUTH
        case Other(keyword="del", parts=parts):
            for part in parts:
                yield from _of_target(part, "__delitem__", "__delattr__")
        case ForLoop(over=over, is_async=is_async):
            yield from _gone_over(over, is_async)
        case Clause(over=over, conditions=conditions, is_async=is_async):
            yield from _gone_over(over, is_async)
            yield from ((condition, _TRUTH) for condition in conditions)
        case Starred(value=value) | Argument(value=value, star="*") | Yield(value=value, is_from=True):
            if value is not None:
                yield from _gone_over(value, False)
        case Compound(text=text, parts=parts) if _F_STRING.match(text):
            yield from ((part, ("__format__", *_TEXT)) for part in parts)
        case Subscript(value=value):
            yield value, ("__getitem__",)
        case Await(value=Name() | Attribute() as value):
            yield value, ("__await__",)
        case Assign():
            yield from _of_assignment(node)


def by_builtin(name: str, call: Call) -> Iterator[Special]:
    """What a built-in function calls of the object it is given first."""
    first = next((each.value for each in call.arguments if each.keyword is None and not each.star), None)
    if first is not None:
        yield from ((first, names) for names in _BUILTINS.get(name, ()))


def _of_operation(operator: str, left: Expression, right: Expression) -> Iterator[Special]:
    if operator in {"and", "or"}:
        yield left, _TRUTH
    elif operator in {"in", "not in"}:
        yield right, ("__contains__", *_ITER)
    elif operator == "!=":
        yield left, ("__ne__", "__eq__")
    elif operator in _COMPARED:
        here, there = _COMPARED[operator]
        yield left, (f"__{here}__",)
        yield right, (f"__{there}__",)
    elif operator in _ARITHMETIC:
        yield left, (f"__{_ARITHMETIC[operator]}__",)
        yield right, (f"__r{_ARITHMETIC[operator]}__",)


def _of_assignment(node: Assign) -> Iterator[Special]:
    name = _ARITHMETIC.get(node.operator.removesuffix("="))
    for target in node.targets:
        if name is not None:
            yield target, (f"__i{name}__", f"__{name}__")
            if isinstance(target, Subscript):
                yield target.value, ("__getitem__",)
        if isinstance(target, Display) and node.value is not None:
            yield from _gone_over(node.value, False)
        yield from _of_target(target, "__setitem__", "__setattr__")


def _of_target(target: Expression, of_item: str, of_attribute: str) -> Iterator[Special]:
    match target:
        case Display(items=items):
            for item in items:
                yield from _of_target(item, of_item, of_attribute)
        case Subscript(value=value):
            yield value, (of_item,)
        case Attribute(value=value):
            yield value, (of_attribute,)


def _gone_over(value: Expression, is_async: bool) -> Iterator[Special]:
    if is_async:
        yield value, ("__aiter__",)
        yield value, ("__anext__",)
    elif not isinstance(value, Display):
        yield value, _ITER
        yield value, _NEXT
