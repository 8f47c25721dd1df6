"""What one function changes that outlives the call: names of its module, attributes of its instance or class."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from persistc.interfaces.expressions import AstExpressions
from persistc.interfaces.scopes import Function, Locals, parts_of
from persistc.kept_state import Change

MUTATORS = frozenset(
    {
        *("add", "append", "appendleft", "clear", "difference_update", "discard", "extend", "extendleft", "insert"),
        *("intersection_update", "move_to_end", "pop", "popitem", "popleft", "remove", "reverse", "rotate"),
        *("setdefault", "sort", "subtract", "symmetric_difference_update", "update"),
    }
)
_OF_LISTS = frozenset({"append", "appendleft", "extend", "insert", "setdefault"})
"""Those of which an item of a container, whose class is not known, has no other of the same name."""
MUTATING_FUNCTIONS = frozenset(
    {"heapify", "heappop", "heappush", "heappushpop", "heapreplace", "insort", "insort_left", "insort_right", "shuffle"}
)
"""Functions that change the container they are given first, by the last part of their name."""


@dataclass(frozen=True)
class ChangeScan:
    """Looks for changes in one function and those within it."""

    lowered: AstExpressions
    names: frozenset[str]
    """Those at the top of the module."""
    name: str
    myself: str | None
    """What the instance, or the class, is called in it."""
    cls: str | None
    at_setup: bool
    shared: frozenset[str] = frozenset()
    """The names it declares `global`."""

    def function(self, node: Function, around: frozenset[str] = frozenset()) -> Iterator[Change]:
        """The changes in a function; `around` holds the local names of those it is defined in."""
        own = Locals.of(node)
        inner = replace(self, shared=own.shared)
        if around and self.myself in own.parameters:
            inner = replace(inner, myself=None)
        yield from inner._block(node.body, (around | own.bound) - own.shared)

    def _block(self, nodes: Iterable[ast.AST], local: frozenset[str]) -> Iterator[Change]:
        for node in nodes:
            if isinstance(node, Function):
                yield from self.function(node, local)
            elif not isinstance(node, ast.ClassDef):
                yield from self._of(node, local)
                yield from self._block(parts_of(node), local)

    def _of(self, node: ast.AST, local: frozenset[str]) -> Iterator[Change]:
        match node:
            case ast.Assign(targets=targets) | ast.Delete(targets=targets):
                for target in targets:
                    yield from self._target(target, local)
            case ast.AnnAssign(target=target, value=ast.expr()):
                yield from self._target(target, local)
            case ast.AugAssign(target=target) | ast.For(target=target) | ast.AsyncFor(target=target):
                yield from self._target(target, local)
            case ast.NamedExpr(target=target):
                yield from self._target(target, local)
            case ast.withitem(optional_vars=ast.expr() as target):
                yield from self._target(target, local)
            case ast.Call():
                yield from self._call(node, local)

    def _target(self, target: ast.expr, local: frozenset[str]) -> Iterator[Change]:
        match target:
            case ast.Tuple(elts=items) | ast.List(elts=items):
                for item in items:
                    yield from self._target(item, local)
            case ast.Starred(value=value):
                yield from self._target(value, local)
            case ast.Name(id=name):
                if name in self.shared:
                    yield self._change(name, target, rebinds=True)
            case ast.Attribute() | ast.Subscript():
                path = self._path(target, local)
                if path is not None and path != self.cls:
                    yield self._change(path, target, rebinds=isinstance(target, ast.Attribute))

    def _call(self, node: ast.Call, local: frozenset[str]) -> Iterator[Change]:
        match node:
            case ast.Call(func=ast.Attribute(value=value, attr=name)) if name in MUTATORS:
                path = self._path(value, local)
                if path is not None and (name in _OF_LISTS or not _is_item(value)):
                    yield self._change(path, node.func, name)
                return
        path = self._path(node.args[0], local) if node.args else None
        called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if path is None:
            return
        if called in {"setattr", "delattr", "__setattr__", "__delattr__"}:
            match node.args[1:]:
                case [ast.Constant(value=str(name)), *_]:
                    yield self._change(f"{path}.{name}", node)
                case _:
                    yield self._change(f"{path}.*", node)
        elif called in MUTATING_FUNCTIONS:
            yield self._change(path, node, called)
        elif called == "next" and path != self.cls:
            yield self._change(path, node)

    def _change(self, path: str, node: ast.expr, mutator: str | None = None, rebinds: bool = False) -> Change:
        return Change(path, self.lowered.span(node), self.name, mutator, rebinds, self.at_setup)

    def _path(self, node: ast.expr, local: frozenset[str]) -> str | None:
        """What outlives the call and is named here, seen from the top of the module."""
        match node:
            case ast.Name(id=name) if name == self.myself:
                return self.cls
            case ast.Name(id=name):
                return name if name in self.names and name not in local else None
            case ast.Attribute(value=ast.Name(id=name), attr="__class__") if name == self.myself:
                return self.cls
            case ast.Attribute(value=value, attr=name):
                owner = self._path(value, local)
                return owner if owner is None or _is_item(value) else f"{owner}.{name}"
            case ast.Subscript(value=value):
                return self._path(value, local)
            case ast.Call(func=ast.Name(id="type"), args=[ast.Name(id=name)]) if name == self.myself:
                return self.cls
            case _:
                return None


def _is_item(node: ast.expr) -> bool:
    """Whether it is an item of something, or an attribute of such an item: what changes it changes the whole."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Subscript)
