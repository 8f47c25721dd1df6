"""What a statement makes a container for certain: a list, dict, set or one of their kin."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from types import MappingProxyType

_CONTAINERS = frozenset(
    {
        *("Counter", "DefaultDict", "Deque", "Dict", "List", "MutableMapping", "MutableSequence", "MutableSet"),
        *("OrderedDict", "Set", "bytearray", "defaultdict", "deque", "dict", "list", "set"),
    }
)


def containers_of(
    node: ast.stmt, prefix: str = "", given: Mapping[str, ast.expr | None] = MappingProxyType({})
) -> Iterator[str]:
    """The names that a statement makes containers, or, with the prefix `self.`, the attributes of the instance.

    `given` holds the parameters of the function it stands in with their annotations.
    """
    match node:
        case ast.Assign(targets=targets, value=value) if _is_container(value, given):
            for target in targets:
                yield from _named(target, prefix)
        case ast.AnnAssign(target=target, annotation=annotation, value=value):
            if _is_container_type(annotation) or (value is not None and _is_container(value, given)):
                yield from _named(target, prefix)


def _named(target: ast.expr, prefix: str) -> Iterator[str]:
    if isinstance(target, ast.Name | ast.Attribute):
        written = ast.unparse(target)
        if written.startswith(prefix) and "." not in written.removeprefix(prefix):
            yield written.removeprefix(prefix)


def _is_container(value: ast.expr, given: Mapping[str, ast.expr | None]) -> bool:
    match value:
        case ast.List() | ast.Dict() | ast.Set() | ast.ListComp() | ast.DictComp() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id="field"), keywords=keywords):
            return any(
                each.arg == "default_factory" and isinstance(each.value, ast.Name) and each.value.id in _CONTAINERS
                for each in keywords
            )
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in _CONTAINERS
        case ast.Call(func=ast.Subscript() as made):
            return _is_container_type(made)
        case ast.BoolOp(values=values):
            return any(_is_container(each, given) for each in values)
        case ast.Name(id=name):
            annotation = given.get(name)
            return annotation is not None and _is_container_type(annotation)
        case _:
            return False


def _is_container_type(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in _CONTAINERS
        case ast.Subscript(value=ast.Name(id="Final" | "ClassVar" | "Optional"), slice=inner):
            return _is_container_type(inner)
        case ast.Subscript(value=value):
            return _is_container_type(value)
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _is_container_type(left) or _is_container_type(right)
        case ast.Constant(value=str(text)):
            return text.partition("[")[0].rpartition(".")[2] in _CONTAINERS
        case _:
            return False
