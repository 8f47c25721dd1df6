"""What runs when something known is called: a thing, a method of one, or a name by where it is defined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from persistc.checks.effects.classes import is_property
from persistc.checks.effects.reasons import IN_A_STEP, IN_SIGHT, Reason, Source
from persistc.checks.effects.scopes import Scope
from persistc.checks.effects.sources import Standing, source_of
from persistc.checks.effects.things import (
    Container,
    Named,
    OfPackage,
    OfProject,
    Outside,
    Plain,
    Routine,
    Thing,
    Unseen,
    Written,
)
from persistc.flow_tree import Attribute, Call, Do, Expression
from persistc.model import Kind
from persistc.project import Owned

HELD = Source(Reason.HELD, IN_A_STEP)
UNSEEN = Source(Reason.UNSEEN, IN_SIGHT)
_MADE_BY = frozenset({"__new__", "__init__", "__post_init__"})
_FACTORIES = frozenset({"default_factory", "factory"})

Done: TypeAlias = Source | Routine
"""What one call does, or one of the things it may do."""


@dataclass(frozen=True)
class Targets:
    """Tells what the things that one routine calls do."""

    scope: Scope

    def of_bound(self, function: Attribute) -> Iterator[Done]:
        """A method of an object, called or handed on."""
        scope = self.scope
        yield from self.of_told(function)
        for thing in scope.things(function.value):
            match thing:
                case OfProject():
                    yield from self.of_member(thing, function)
                case OfPackage(origin=owner):
                    yield from self._of_package(owner, function.name, function.value)
                case Outside():
                    yield HELD
                case Unseen() if not scope.is_made_here(function.value):
                    yield UNSEEN
                case Named(origin=owner):
                    yield from self.by_origin(f"{owner}.{function.name}", None)

    def of_told(self, function: Attribute) -> Iterator[Done]:
        """A method of an object whose class only a type checker knows."""
        for thing in self.scope.told(function.value):
            if isinstance(thing, OfProject):
                yield from self.of_member(thing, function)
            elif isinstance(thing, OfPackage):
                found = source_of(f"{thing.origin}.{function.name}", self.scope.outlives_run(function.value))
                if isinstance(found, Source):
                    yield found

    def of_member(self, thing: OfProject, function: Attribute) -> Iterator[Done]:
        classes = self.scope.classes
        owned = classes.members(thing).get(function.name)
        is_own = self.scope.is_self(function.value)
        if owned is not None:
            if owned.method.kind is not Kind.OTHER or (classes.is_proxied(thing) and not is_own):
                return
            if is_property(owned.method):
                return
            if classes.is_open(owned) and not is_own:
                yield HELD if self.scope.is_held(function.value) else UNSEEN
                return
            yield from self.into(owned, thing)
            return
        kept = self.scope.attribute(thing, function.name)
        yield from self.made_up(thing, function.name)
        for each in kept:
            yield from self.of_thing(each, function, None)
        if not kept:
            yield from self._inherited(thing, function, is_own)

    def made_up(self, thing: OfProject, name: str) -> Iterator[Done]:
        """What runs when an object is asked for an attribute that nothing gives it."""
        classes = self.scope.classes
        owned = classes.members(thing).get("__getattr__")
        if owned is not None and not classes.is_proxied(thing) and not classes.kept(thing, name):
            yield from self.into(owned, thing)

    def _inherited(self, thing: OfProject, function: Attribute, is_own: bool) -> Iterator[Done]:
        """A method that no class of the project defines: of a base from elsewhere, or made at run time."""
        classes = self.scope.classes
        if classes.kept(thing, function.name):
            if is_own and classes.is_proxied(thing):
                yield HELD
            return
        for origin in classes.outer_bases(thing):
            found = source_of(f"{origin}.{function.name}")
            if isinstance(found, Source):
                yield found
                return
            if found is Standing.UNKNOWN:
                yield HELD if self.scope.is_held(function) else UNSEEN
                return

    def _of_package(self, made_of: str, method: str, receiver: Expression) -> Iterator[Done]:
        origin = f"{made_of}.{method}"
        scope = self.scope
        is_held = scope.is_held(receiver)
        found = source_of(origin, is_held)
        if not is_held and scope.is_made_here(receiver) and self._is_found(made_of):
            return
        if isinstance(found, Source):
            yield found
        elif found is Standing.UNKNOWN and is_held:
            yield HELD
        elif found is Standing.UNKNOWN and not scope.is_parameter(receiver):
            yield UNSEEN

    def _is_found(self, made_of: str) -> bool:
        """Whether there is a finding already where a thing was made."""
        made = source_of(made_of)
        return isinstance(made, Source) or (made is Standing.UNKNOWN and not is_class(made_of))

    def through_super(self, name: str) -> Iterator[Done]:
        routine = self.scope.routine
        if routine.on is None or routine.owner is None:
            return
        owned = self.scope.classes.above(routine.on, routine.owner, name)
        if owned is not None and owned.method.kind is Kind.OTHER:
            yield from self.into(owned, routine.on)

    def of_thing(self, thing: Thing, shown: Expression, call: Call | None) -> Iterator[Done]:
        match thing:
            case Named(origin=origin):
                yield from self.by_origin(origin, call)
            case Written():
                yield self.scope.classes.of_lambda(thing)
            case Outside():
                yield HELD
            case Unseen():
                yield UNSEEN
            case OfPackage(origin=origin):
                yield from self._of_package(origin, "__call__", shown)
            case OfProject() if not self.scope.classes.is_proxied(thing):
                called = self.scope.classes.members(thing).get("__call__")
                if called is not None and self.scope.classes.is_open(called):
                    yield HELD if self.scope.is_held(shown) else UNSEEN
                elif called is not None:
                    yield from self.into(called, thing)
            case OfProject() | Container() | Plain():
                return

    def by_origin(self, origin: str, call: Call | None) -> Iterator[Done]:
        classes = self.scope.classes
        if not origin.startswith("."):
            yield from self._of_source(origin, call)
        elif (found := classes.project.find_class(origin)) is not None:
            yield from self.made(OfProject(*found), call)
        elif (routine := classes.function(origin)) is not None:
            yield routine
            yield from classes.wrappers(classes.project.functions[origin], routine.module)
        elif (owner := classes.project.find_class(origin.rpartition(".")[0])) is not None:
            on = OfProject(*owner)
            owned = classes.members(on).get(origin.rpartition(".")[2])
            if owned is not None and not classes.is_proxied(on) and not classes.is_open(owned):
                yield from self.into(owned, on)
        elif not _is_generated(origin) and not self._is_part(origin):
            yield UNSEEN

    def _is_part(self, origin: str) -> bool:
        """Something below a class or function: `Colour.RED.label()`, `rate.cache_clear()`."""
        classes = self.scope.classes
        while "." in (origin := origin.rpartition(".")[0]):
            if classes.project.find_class(origin) is not None or classes.function(origin) is not None:
                return True
        return False

    def _of_source(self, origin: str, call: Call | None) -> Iterator[Done]:
        found = source_of(origin)
        if isinstance(found, Source):
            if found.below is None or (call is not None and _count(call) < found.below):
                yield found
        elif found is Standing.UNKNOWN and not is_class(origin) and not _is_generated(origin):
            yield UNSEEN

    def made(self, on: OfProject, call: Call | None) -> Iterator[Done]:
        """What making an instance runs."""
        classes = self.scope.classes
        if classes.is_proxied(on):
            return
        for name, owned in classes.members(on).items():
            if name in _MADE_BY:
                yield from self.into(owned, on)
        given = {argument.keyword for argument in call.arguments} if call is not None else set()
        in_order = sum(argument.keyword is None for argument in call.arguments) if call is not None else 0
        for number, (name, made, module) in enumerate(classes.fields(on)):
            if not isinstance(made, Call) or name in given or number < in_order:
                continue
            for argument in made.arguments:
                if argument.keyword in _FACTORIES:
                    value = argument.value
                    made_by = Do(value.span, Call(value.span, value, ()))
                    yield classes.of_statement(f"{on.cls.qualified}.{name} by default", module, made_by)

    def into(self, owned: Owned, on: OfProject) -> Iterator[Routine]:
        classes = self.scope.classes
        yield classes.method(owned, on)
        yield from classes.wrappers(owned.method, owned.module)


def is_class(origin: str) -> bool:
    """Whether a name from elsewhere is written like that of a class; what those make is data more often than not."""
    return origin.rpartition(".")[2][:1].isupper()


def _is_generated(origin: str) -> bool:
    return origin.rpartition(".")[0].endswith("_durable")


def _count(call: Call) -> int:
    """How many arguments a call has; one that unpacks may have any number."""
    return 9 if any(argument.star for argument in call.arguments) else len(call.arguments)
