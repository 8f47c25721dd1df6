"""What annotations of the project say of values: which class, which package, mere data."""

from __future__ import annotations

from dataclasses import dataclass

from persistc.checks.effects.things import (
    Container,
    OfPackage,
    OfProject,
    Outside,
    Plain,
    Things,
)
from persistc.checks.type_tables import ANNOTATED, LITERAL, NEW_TYPE, OPTIONAL, UNION, VARIABLES
from persistc.flow_tree import (
    Attribute,
    Call,
    Expression,
    Name,
    Operation,
    Quoted,
    Subscript,
)
from persistc.model import BindingKind, Class, Module
from persistc.project import Project

_TYPING = ("typing", "typing_extensions")
_WRAPPERS = ANNOTATED | frozenset(
    f"{module}.{name}" for module in _TYPING for name in ("ClassVar", "Final", "Required", "NotRequired", "ReadOnly")
)
_AWAITED = frozenset(
    f"{module}.{name}" for module in (*_TYPING, "collections.abc") for name in ("Awaitable", "Coroutine")
)
_FUNCTIONS = frozenset(f"{module}.Callable" for module in (*_TYPING, "collections.abc"))
_ANYTHING = frozenset({"builtins.object", *(f"{module}.{name}" for module in _TYPING for name in ("Any", "Self"))})
_FIRST = frozenset({"Iterator", "Iterable", "AsyncIterator", "AsyncIterable", "Generator", "AsyncGenerator"})
_CLASSES = frozenset({"builtins.type", "typing.Type"})
_OPEN_FILES = frozenset(f"typing.{name}" for name in ("IO", "TextIO", "BinaryIO"))


@dataclass(frozen=True)
class Annotations:
    """Reads the annotations of a project."""

    project: Project

    def is_proxied(self, on: OfProject) -> bool:
        """A flow class or its proxy: what becomes of calls on those is told by other checks."""
        return on.module.name.endswith("_durable") or self.project.is_flow_class(on.cls, on.module)

    def declared(
        self, annotation: Expression, module: Module, inside: Class | None = None, is_held: bool = False, depth: int = 0
    ) -> Things:
        """What an annotation says; a function handed to `__init__`, which is held, comes from outside."""
        match annotation:
            case _ if depth > 8:
                return ()
            case Quoted(inner=inner):
                return self.declared(inner, module, inside, is_held, depth + 1)
            case Operation(operator="|", left=left, right=right):
                sides = (self.declared(side, module, inside, is_held, depth + 1) for side in (left, right))
                return tuple(dict.fromkeys(each for side in sides for each in side))
            case Subscript(value=value, items=items):
                return self._generic(self._origin(value, module, inside), value, items, module, inside, is_held, depth)
            case Name() | Attribute():
                origin = self._origin(annotation, module, inside)
                return () if origin is None else self._by_origin(origin, is_held, depth)
            case _:
                return ()

    def _generic(
        self,
        origin: str | None,
        value: Expression,
        items: tuple[Expression, ...],
        module: Module,
        inside: Class | None,
        is_held: bool,
        depth: int,
    ) -> Things:
        def inner(index: int) -> Things:
            return self.declared(items[index], module, inside, is_held, depth + 1)

        if origin is None:
            return ()
        name = origin.rpartition(".")[2]
        if origin in UNION or origin in OPTIONAL:
            return tuple(dict.fromkeys(each for index in range(len(items)) for each in inner(index)))
        if origin in _WRAPPERS:
            return inner(0)
        if origin in LITERAL:
            return (Plain(),)
        if origin in _AWAITED:
            return inner(-1)
        if origin in _FUNCTIONS:
            return (Outside(is_function=True),) if is_held else ()
        if origin in _CLASSES:
            return ()
        if origin.partition(".")[0] in {"builtins", "typing", "collections", "typing_extensions"}:
            if name in {"tuple", "Tuple"}:
                return (Container(tuple(each for index in range(len(items)) for each in inner(index)) or (Plain(),)),)
            return (Container(inner(0 if name in _FIRST else -1) or (Plain(),)),)
        return self.declared(value, module, inside, is_held, depth + 1)

    def _by_origin(self, origin: str, is_held: bool, depth: int) -> Things:
        if origin.rpartition(".")[0].endswith("_durable"):
            return (Plain(),)
        if (found := self.project.find_class(origin)) is not None:
            on = OfProject(*found)
            return (Plain(),) if self.is_proxied(on) else (on,)
        if origin.startswith("."):
            return self._alias(origin, is_held, depth)
        if origin in _ANYTHING or origin in VARIABLES or origin in _CLASSES:
            return ()
        if origin in _FUNCTIONS:
            return (Outside(is_function=True),) if is_held else ()
        top = origin.partition(".")[0]
        is_plain = top in {"builtins", "collections"} or (top in _TYPING and origin not in _OPEN_FILES)
        return (Plain(),) if is_plain else (OfPackage(origin),)

    def _alias(self, origin: str, is_held: bool, depth: int) -> Things:
        """A name of the project that is assigned: another name of a type, or a new one."""
        found = self.project.binding(origin)
        if found is None or found[0].kind is not BindingKind.ASSIGNMENT or found[0].value is None:
            return ()
        value, home = found[0].value.expression, found[1]
        if isinstance(value, Call):
            made_by = self.project.origin_of(value.function, home)
            if made_by not in NEW_TYPE or len(value.arguments) < 2:
                return ()
            value = value.arguments[1].value
        return self.declared(value, home, None, is_held, depth + 1)

    def _origin(self, expression: Expression, module: Module, inside: Class | None) -> str | None:
        return self.project.origin_of(expression, module, inside)

    def assigned(self, origin: str) -> tuple[tuple[Expression, Module], ...]:
        """What a name at the top of a module may be assigned, with that module; nothing for what is defined there."""
        home, _, name = origin.rpartition(".")
        module = self.project.modules.get(home) if home.startswith(".") else None
        bound = module.scope.by_name.get(name, ()) if module is not None else ()
        if module is None or any(each.kind is not BindingKind.ASSIGNMENT for each in bound):
            return ()
        return tuple((each.value.expression, module) for each in bound if each.value is not None)
