"""What runs before any flow does: while a module is imported, and while an object is made."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from persistc.interfaces.modules import statements_of
from persistc.interfaces.scopes import Function, parameters_of, parts_of, receiver_of

_SETUP = frozenset(
    {
        *("__aenter__", "__attrs_post_init__", "__enter__", "__init__", "__init_subclass__", "__new__"),
        *("__post_init__", "__set_name__", "__setstate__"),
    }
)


def called_at_import(nodes: Iterable[ast.AST]) -> Iterator[str]:
    """The functions that the statements of a module call while it is imported, or use as decorators."""
    for node in nodes:
        match node:
            case ast.FunctionDef(decorator_list=decorators) | ast.AsyncFunctionDef(decorator_list=decorators):
                yield from _named(decorators)
            case ast.ClassDef(decorator_list=decorators, body=body):
                yield from _named(decorators)
                yield from called_at_import(body)
            case ast.If(test=test) if "__name__" in _named([test]):
                pass
            case ast.Lambda():
                pass
            case _:
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                    yield node.func.id
                yield from called_at_import(parts_of(node))


def _named(expressions: Sequence[ast.expr]) -> Iterator[str]:
    for expression in expressions:
        yield from (node.id for node in ast.walk(expression) if isinstance(node, ast.Name))


def is_decorator(node: Function) -> bool:
    """Whether it gives back a function it was given, as what registers functions while a module is imported does."""
    given = {argument.arg for argument in parameters_of(node.args)}
    for statement in statements_of(node.body):
        match statement:
            case ast.Return(value=ast.Name(id=name)) if name in given:
                return True
            case ast.FunctionDef() | ast.AsyncFunctionDef() if is_decorator(statement):
                return True
    return False


def setup_of(node: ast.ClassDef) -> frozenset[str]:
    """The methods that run while an object is made: the special ones, and those only they call."""
    methods = {each.name: each for each in statements_of(node.body) if isinstance(each, Function)}
    setup = set(_SETUP)
    begun = {name: _called_on_self(methods[name]) & methods.keys() for name in methods.keys() & setup}
    if not any(begun.values()):
        return _SETUP
    calls = {name: _called_on_self(method) & methods.keys() for name, method in methods.items()}
    while True:
        at_setup = {called for name in setup for called in calls.get(name, ())}
        later = {called for name in calls.keys() - setup for called in calls[name]}
        if not (more := at_setup - later - setup):
            return frozenset(setup)
        setup |= more


def _called_on_self(node: Function) -> frozenset[str]:
    myself, _ = receiver_of(node)
    return frozenset(
        each.attr
        for each in ast.walk(node)
        if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name) and each.value.id == myself
    )
