"""What runs before any flow does: while a module is imported, and while an object is made."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from persistc.interfaces.modules import statements_of
from persistc.interfaces.scopes import Function, parameters_of, receiver_of

_SETUP = frozenset(
    {
        *("__aenter__", "__attrs_post_init__", "__enter__", "__init__", "__init_subclass__", "__new__"),
        *("__post_init__", "__set_name__", "__setstate__"),
    }
)


def called_at_import(top: Sequence[ast.stmt]) -> Iterator[str]:
    """The functions that statements at the top call, or use as decorators."""
    for node in top:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                for decorator in node.decorator_list:
                    yield from (each.id for each in ast.walk(decorator) if isinstance(each, ast.Name))
            case ast.If() | ast.Try() | ast.TryStar() | ast.With() | ast.For() | ast.While() | ast.Match():
                if isinstance(node, ast.If) and _is_main(node.test):
                    continue
                yield from _calls(list(ast.iter_child_nodes(node)))
            case _:
                yield from _calls([node])


def _calls(nodes: Sequence[ast.AST]) -> Iterator[str]:
    for node in nodes:
        if not isinstance(node, ast.stmt) or isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.AugAssign):
            for each in ast.walk(node):
                if isinstance(each, ast.Call) and isinstance(each.func, ast.Name):
                    yield each.func.id


def _is_main(test: ast.expr) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(test))


def is_decorator(node: Function) -> bool:
    """Whether it gives back a function it was given, as what registers functions while a module is imported does."""
    for each in ast.walk(node):
        if not isinstance(each, Function):
            continue
        given = {argument.arg for argument in parameters_of(each.args)}
        for statement in each.body:
            match statement:
                case ast.Return(value=ast.Name(id=name)) if name in given:
                    return True
    return False


def setup_of(node: ast.ClassDef) -> frozenset[str]:
    """The methods that run while an object is made: the special ones, and those only they call."""
    methods = {each.name: each for each in statements_of(node.body) if isinstance(each, Function)}
    calls = {name: frozenset(_called_on_self(method)) & methods.keys() for name, method in methods.items()}
    setup = set(_SETUP)
    while True:
        later = {called for name, found in calls.items() if name not in setup for called in found}
        more = {
            name for name in methods.keys() - setup - later if any(name in calls.get(caller, ()) for caller in setup)
        }
        if not more:
            return frozenset(setup)
        setup |= more


def _called_on_self(node: Function) -> Iterator[str]:
    myself, _ = receiver_of(node)
    for each in ast.walk(node):
        match each:
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == myself:
                yield name
