"""Classes and functions of the project as flow code uses them: routines, and what attributes hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from persistc.checks.effects.annotations import Annotations
from persistc.checks.effects.things import (
    OfProject,
    Routine,
    Told,
    Written,
)
from persistc.checks.kept_names import is_certain
from persistc.flow_tree import (
    Assign,
    Attribute,
    Block,
    Display,
    Expression,
    NestedFunction,
    Return,
    Statement,
    dotted,
    walk,
)
from persistc.model import Class, Method, Module, Text
from persistc.project import Owned
from persistc.spans import Span

_TYPING = ("typing", "typing_extensions")
_ABSTRACT = frozenset({"abc.abstractmethod"})
_PROTOCOLS = frozenset(f"{module}.Protocol" for module in _TYPING)


@dataclass(frozen=True, slots=True)
class Kept:
    """One assignment that gives an attribute of instances its value, or a declaration of it."""

    annotation: Expression | None
    value: Expression | None
    setter: Method | None
    """The method in which it stands; None in the class body."""
    owner: Class
    module: Module


@dataclass(frozen=True)
class Classes(Annotations):
    """Looks things up in the project, each once."""

    told: Told = field(default_factory=dict)
    _kept: dict[str, Mapping[str, tuple[Kept, ...]]] = field(default_factory=dict)
    _members: dict[str, Mapping[str, Owned]] = field(default_factory=dict)
    _changes: dict[str, frozenset[Span]] = field(default_factory=dict)

    # --- routines ---------------------------------------------------------------------------------------------------

    def function(self, origin: str) -> Routine | None:
        """The function of a module, by where it is defined."""
        module = self.project.modules.get(origin.rpartition(".")[0])
        method = self.project.functions.get(origin) if module is not None else None
        return None if module is None or method is None else _routine(origin, method, module, None, None)

    def method(self, owned: Owned, on: OfProject) -> Routine:
        """A method, as it runs for an instance of a class."""
        origin = f"{owned.owner.qualified}.{owned.method.name}"
        method = owned.method if owned.method.body else self.project.functions.get(origin, owned.method)
        return _routine(f"{origin} on {on.cls.qualified}", method, owned.module, owned.owner, on)

    def wrappers(self, owned: Method, module: Module) -> Iterator[Routine]:
        """What the decorators of a function put around each call of it, for decorators of the project."""
        for decorator in owned.decorators:
            if decorator.origin is None:
                continue
            origin = self.project.canonical(decorator.origin)
            if (routine := self.function(origin)) is not None:
                inner = tuple(node for node in routine.body if isinstance(node, NestedFunction))
                yield Routine(
                    f"{origin} around calls", routine.module, None, None, routine.parameters, routine.body, inner, False
                )
            elif (found := self.project.find_class(origin)) is not None:
                on = OfProject(*found)
                if (called := self.members(on).get("__call__")) is not None:
                    yield self.method(called, on)

    @staticmethod
    def of_lambda(written: Written) -> Routine:
        block: Block = (Return(written.function.span, written.function.body),)
        name = f"{written.module.name} {written.function.span}"
        return Routine(name, written.module, None, None, (), block, block, False)

    @staticmethod
    def of_statement(name: str, module: Module, statement: Statement) -> Routine:
        """One statement, as a routine."""
        return Routine(name, module, None, None, (), (statement,), (statement,), False)

    def changes(self, module: Module) -> frozenset[Span]:
        """Where functions of a module change for certain what outlives their calls."""
        if module.name not in self._changes:
            self._changes[module.name] = frozenset(self._changes_in(module))
        return self._changes[module.name]

    def _changes_in(self, module: Module) -> Iterator[Span]:
        for change in self.project.states[module.name].changes:
            origin = module.origin(change.path)
            origins = () if origin is None else (self.project.canonical(origin),)
            if is_certain(self.project, change, origins):
                yield change.span

    # --- classes ----------------------------------------------------------------------------------------------------

    def members(self, on: OfProject) -> Mapping[str, Owned]:
        """Every method an instance has."""
        if on.cls.qualified not in self._members:
            self._members[on.cls.qualified] = self.project.members(on.cls, on.module)
        return self._members[on.cls.qualified]

    def above(self, on: OfProject, owner: Class, name: str) -> Owned | None:
        """What `super()` in a method of `owner` finds."""
        line = self.project.lineage(on.cls, on.module)
        position = next((index for index, (cls, _) in enumerate(line) if cls.qualified == owner.qualified), 0)
        for cls, module in line[position + 1 :]:
            if (method := cls.by_name.get(name)) is not None:
                return Owned(method, cls, module)
        return None

    def is_open(self, owned: Owned) -> bool:
        """Whether the method only says what others do: it is abstract, or one of a protocol."""
        if any(decorator.origin in _ABSTRACT for decorator in owned.method.decorators):
            return True
        return any(base.origin in _PROTOCOLS for base in owned.owner.bases)

    def outer_bases(self, on: OfProject) -> Iterator[str]:
        """The bases of a class that are not of the project, by origin."""
        for cls, module in self.project.lineage(on.cls, on.module):
            for base in cls.bases:
                if base.origin is not None and self.project.base_class(base, module) is None:
                    yield self.project.canonical(base.origin)

    def fields(self, on: OfProject) -> Iterator[tuple[str, Expression, Module]]:
        """The annotated names of the class body with what makes their value, in the order of `__init__`."""
        for cls, module in reversed(self.project.lineage(on.cls, on.module)):
            for attribute in cls.attributes:
                if attribute.annotation is not None and attribute.method is None:
                    made = (
                        attribute.value.expression if attribute.value is not None else attribute.annotation.expression
                    )
                    yield attribute.name, made, module

    def kept(self, on: OfProject, name: str) -> tuple[Kept, ...]:
        """What an attribute of instances holds: of the nearest class that says something of it."""
        for cls, module in self.project.lineage(on.cls, on.module):
            if cls.qualified not in self._kept:
                self._kept[cls.qualified] = self._attributes(cls, module)
            if (found := self._kept[cls.qualified].get(name)) is not None:
                return found
        return ()

    def _attributes(self, cls: Class, module: Module) -> Mapping[str, tuple[Kept, ...]]:
        found: dict[str, tuple[Kept, ...]] = {}
        for attribute in cls.attributes:
            if attribute.method is None:
                kept = Kept(_tree(attribute.annotation), _tree(attribute.value), None, cls, module)
                found[attribute.name] = (*found.get(attribute.name, ()), kept)
        for setter in self._setters(cls, module):
            myself = setter.parameters[0].name if setter.parameters else None
            for node in walk(*setter.body):
                if isinstance(node, Assign):
                    for target, value in _pairs(node):
                        if isinstance(target, Attribute) and dotted(target.value) == myself:
                            kept = Kept(node.annotation, value, setter, cls, module)
                            found[target.name] = (*found.get(target.name, ()), kept)
        return found

    def _setters(self, cls: Class, module: Module) -> Iterator[Method]:
        """The methods that may give attributes their values: where bodies have to be read for it, those that begin."""
        if not module.interface_only:
            yield from cls.methods
            return
        for name in ("__init__", "__post_init__"):
            if (setter := self.project.functions.get(f"{cls.qualified}.{name}")) is not None:
                yield setter


def _routine(name: str, method: Method, module: Module, owner: Class | None, on: OfProject | None) -> Routine:
    is_bound = not method.has_decorator("builtins.staticmethod")
    return Routine(
        name=name,
        module=module,
        owner=owner,
        on=on if is_bound else None,
        parameters=method.parameters,
        body=method.body,
        runs=method.body,
        is_suspended=method.is_async or method.is_generator,
    )


def _tree(text: Text | None) -> Expression | None:
    return None if text is None else text.expression


def _pairs(node: Assign) -> Iterator[tuple[Expression, Expression | None]]:
    """What is assigned to what, one by one where both sides are written out."""
    for target in node.targets:
        if not isinstance(target, Display):
            yield target, node.value
        elif isinstance(node.value, Display) and len(node.value.items) == len(target.items):
            yield from zip(target.items, node.value.items, strict=True)
        else:
            yield from ((each, None) for each in target.items)


def is_property(method: Method) -> bool:
    return method.has_decorator("builtins.property", "functools.cached_property")
