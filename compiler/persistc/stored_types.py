"""Which types bring their own way of being stored, so that the bound of `Codec` says nothing about them."""

from __future__ import annotations

from persistc.flow_tree import Call, Expression, Name, dotted, walk
from persistc.model import PACKAGE, Module
from persistc.project import Project


def is_declared_storable(expression: Expression, module: Module, project: Project) -> bool:
    """Whether `Annotated[T, stored_as(...)]` stands in a type, written there or behind an alias."""
    return _holds(expression, module, project, frozenset())


def _holds(expression: Expression, module: Module, project: Project, seen: frozenset[str]) -> bool:
    for node in walk(expression):
        if isinstance(node, Call) and _origin(node.function, module, project) == f"{PACKAGE}.stored_as":
            return True
        origin = _origin(node, module, project) if isinstance(node, Name) else None
        if origin is not None and origin not in seen and _alias_holds(origin, project, seen | {origin}):
            return True
    return False


def _alias_holds(origin: str, project: Project, seen: frozenset[str]) -> bool:
    owner, _, name = origin.rpartition(".")
    home = project.modules.get(owner) if owner.startswith(".") else None
    if home is None:
        return False
    values = [binding.value for binding in home.scope.by_name.get(name, ()) if binding.value is not None]
    return any(_holds(value.expression, home, project, seen) for value in values)


def _origin(expression: Expression, module: Module, project: Project) -> str | None:
    name = dotted(expression)
    origin = module.origin(name) if name is not None else None
    return None if origin is None else project.canonical(origin)
