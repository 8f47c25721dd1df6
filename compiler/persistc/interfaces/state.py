"""What a module keeps between calls and what its functions change of it, read with `ast`."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from persistc.interfaces.changes import ChangeScan
from persistc.interfaces.containers import containers_of
from persistc.interfaces.expressions import AstExpressions
from persistc.interfaces.modules import parsed, statements_of
from persistc.interfaces.scopes import Function, bound_by, parameters_of, receiver_of
from persistc.interfaces.setup import called_at_import, is_decorator, setup_of
from persistc.kept_state import Change, KeptState


def read_state(text: str) -> KeptState:
    """What a module keeps and changes; nothing when this Python cannot read it."""
    tree = parsed(text)
    if isinstance(tree, SyntaxError):
        return KeptState()
    top = list(statements_of(tree.body))
    called = frozenset(called_at_import(tree.body))
    changes = sorted(_changes(top, called, AstExpressions.of(text)), key=lambda change: change.span)
    return KeptState(tuple(changes), frozenset(_containers(top)))


def _changes(top: Sequence[ast.stmt], called: frozenset[str], lowered: AstExpressions) -> Iterator[Change]:
    names = frozenset(name for node in top for name in bound_by(node))
    for node in top:
        if isinstance(node, Function):
            at_setup = node.name in called or is_decorator(node)
            yield from ChangeScan(lowered, names, node.name, None, None, at_setup).function(node)
        elif isinstance(node, ast.ClassDef):
            setup = setup_of(node)
            for method in statements_of(node.body):
                if isinstance(method, Function):
                    _, myself = receiver_of(method)
                    name = f"{node.name}.{method.name}"
                    yield from ChangeScan(lowered, names, name, myself, node.name, method.name in setup).function(
                        method
                    )


def _containers(top: Sequence[ast.stmt]) -> Iterator[str]:
    for node in top:
        yield from containers_of(node)
        if isinstance(node, ast.ClassDef):
            for each in statements_of(node.body):
                yield from (f"{node.name}.{name}" for name in containers_of(each))
                if isinstance(each, Function):
                    yield from (f"{node.name}.{name}" for name in _kept_by(each))


def _kept_by(method: Function) -> Iterator[str]:
    """The attributes that a method makes containers."""
    myself, _ = receiver_of(method)
    if myself is None:
        return
    given = {argument.arg: argument.annotation for argument in parameters_of(method.args)}
    for node in statements_of(method.body):
        yield from containers_of(node, f"{myself}.", given)
