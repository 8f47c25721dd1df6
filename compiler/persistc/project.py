"""The project: all modules that were read, and the questions about classes that need more than one of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from persistc.flow_tree import Expression, dotted
from persistc.kept_state import Change, KeptState
from persistc.model import Base, Binding, BindingKind, Class, Method, Module

ABSTRACT = frozenset({"abc.ABC", "typing.Protocol", "typing_extensions.Protocol"})
"""Bases by which a class calls itself abstract."""


@dataclass(frozen=True, slots=True)
class Owned:
    """A method with the class and module that define it: what a class has, inherited or its own."""

    method: Method
    owner: Class
    module: Module


@dataclass(frozen=True)
class Project:
    """The modules of a run."""

    modules: Mapping[str, Module] = field(default_factory=dict)
    """By name."""
    functions: Mapping[str, Method] = field(default_factory=dict)
    """The functions and methods of all modules, with their bodies, by where they are defined: `.refs.token`,
    `.shop.Order.total`."""
    states: Mapping[str, KeptState] = field(default_factory=dict)
    """What each module keeps between calls, by its name."""

    @cached_property
    def changes(self) -> Mapping[str, tuple[tuple[Change, Module], ...]]:
        """All changes that functions of the modules read with their bodies make, by the origin of what they change."""
        found: dict[str, list[tuple[Change, Module]]] = {}
        for module in self.modules.values():
            for change in self.states[module.name].changes:
                origin = module.origin(change.path)
                if origin is not None:
                    found.setdefault(self.canonical(origin), []).append((change, module))
        return {origin: tuple(changes) for origin, changes in found.items()}

    def home(self, origin: str) -> tuple[Module, str] | None:
        """The module of the project that an origin leads into, and the rest of it."""
        return self._split(origin)

    def canonical(self, origin: str) -> str:
        """Where a thing is defined: follows re-exports through the modules of the project."""
        seen: set[str] = set()
        while origin not in seen:
            seen.add(origin)
            found = self._split(origin)
            if found is None:
                return origin
            module, rest = found
            target = module.scope.origin(rest) or self._starred(module, rest)
            if target is None or target == origin:
                return f"{module.name}.{rest}"
            origin = target
        return origin

    def _starred(self, module: Module, name: str) -> str | None:
        """What a star import of a module of the project makes known under a name that is not bound otherwise."""
        first = name.partition(".")[0]
        stars = [each.origin for each in module.scope.bindings if each.kind is BindingKind.STAR_IMPORT]
        if first in module.scope:
            return None
        for star in reversed(stars):
            starred = self.modules.get(star)
            if starred is not None and starred is not module and first in starred.scope:
                return f"{star}.{name}"
        return None

    def find_class(self, origin: str | None) -> tuple[Class, Module] | None:
        """The class an origin stands for, with its module; None when it is not a class of the project."""
        if origin is None:
            return None
        found = self._split(self.canonical(origin))
        if found is None or "." in found[1]:
            return None
        module, name = found
        defined = module.find(name)
        return None if defined is None else (defined, module)

    def origin_of(self, expression: Expression, module: Module, inside: Class | None = None) -> str | None:
        """What a dotted name in a module stands for, where it is defined; None for anything else."""
        origin = module.origin_of(expression, inside)
        return None if origin is None else self.canonical(origin)

    def binding(self, origin: str) -> tuple[Binding, Module] | None:
        """The one binding of a name at the top of a module of the project."""
        home, _, name = origin.rpartition(".")
        module = self.modules.get(home)
        found = module.scope.by_name.get(name, ()) if module is not None else ()
        return (found[0], module) if module is not None and len(found) == 1 else None

    def base_class(self, base: Base, module: Module) -> tuple[Class, Module] | None:
        """The class a base of a class in `module` stands for; a name that is not bound there may be starred in."""
        if base.origin is not None:
            return self.find_class(base.origin)
        stars = [each.origin for each in module.scope.bindings if each.kind is BindingKind.STAR_IMPORT]
        name = dotted(base.text.expression)
        found = (self.find_class(f"{star}.{name}") for star in reversed(stars))
        return next((each for each in found if each is not None), None)

    def lineage(self, cls: Class, module: Module) -> tuple[tuple[Class, Module], ...]:
        """The class and its bases within the project, in the order Python looks them up (C3)."""
        return self._lineage(cls, module, ())

    def _lineage(self, cls: Class, module: Module, below: tuple[str, ...]) -> tuple[tuple[Class, Module], ...]:
        parents = [
            self._lineage(*found, (*below, cls.qualified))
            for base in cls.bases
            if (found := self.base_class(base, module)) and found[0].qualified not in (*below, cls.qualified)
        ]
        return ((cls, module), *_merge([*parents, tuple(line[0] for line in parents)]))

    def members(self, cls: Class, module: Module) -> Mapping[str, Owned]:
        """Every method the class has, by name: its own in order, then the inherited ones."""
        found: dict[str, Owned] = {}
        for owner, home in self.lineage(cls, module):
            for method in owner.by_name.values():
                found.setdefault(method.name, Owned(method, owner, home))
        return found

    def is_flow_class(self, cls: Class, module: Module) -> bool:
        """Whether it has a flow, step or signal, its own or inherited."""
        return any(owner.has_marks for owner, _ in self.lineage(cls, module))

    def is_abstract(self, cls: Class, module: Module) -> bool:
        """Whether no proxy is written: an abstract method is left open, or the class calls itself abstract."""
        if any(base.origin in ABSTRACT for base in cls.bases):
            return True
        if any(each.keyword == "metaclass" and each.value.text.endswith("ABCMeta") for each in cls.keywords):
            return True
        return any(owned.method.is_abstract for owned in self.members(cls, module).values())

    def flow_classes(self, module: Module) -> Iterator[Class]:
        """The flow classes a module defines, the abstract ones too."""
        return (cls for cls in module.classes if self.is_flow_class(cls, module))

    def _split(self, origin: str) -> tuple[Module, str] | None:
        """The longest prefix that is a module of the project, and the rest."""
        name, rest = origin, ""
        while "." in name:
            name, _, last = name.rpartition(".")
            rest = f"{last}.{rest}" if rest else last
            if (module := self.modules.get(name)) is not None:
                return module, rest
        return None


def _merge(lines: list[tuple[tuple[Class, Module], ...]]) -> tuple[tuple[Class, Module], ...]:
    """The C3 merge; an order that Python would refuse is read from left to right, Python itself reports it."""
    merged: list[tuple[Class, Module]] = []
    while lines := [line for line in lines if line]:
        head = next(
            (line[0] for line in lines if not any(_holds(other[1:], line[0]) for other in lines)),
            lines[0][0],
        )
        merged.append(head)
        lines = [tuple(each for each in line if each[0].qualified != head[0].qualified) for line in lines]
    return tuple(merged)


def _holds(line: tuple[tuple[Class, Module], ...], head: tuple[Class, Module]) -> bool:
    return any(each[0].qualified == head[0].qualified for each in line)
