"""What a call does, as far as can be seen: an effect right there, or project code that it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from persistc.checks.effects.classes import is_property
from persistc.checks.effects.reasons import IN_A_STEP, IN_SIGHT, PLAIN_STEP, Reason, Source, words
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
from persistc.checks.flow_code import is_super
from persistc.flow_tree import Attribute, Call, Do, Expression, Name, Subscript
from persistc.model import Kind
from persistc.project import Owned

_HELD = Source(Reason.HELD, IN_A_STEP)
_UNSEEN = Source(Reason.UNSEEN, IN_SIGHT)
_IN_A_THREAD = Source(Reason.THREAD, PLAIN_STEP)
_WRITE = Source(Reason.WRITE, IN_A_STEP)
_TO_THREAD = "asyncio.to_thread"
_TO_EXECUTOR = "run_in_executor"
_MADE_BY = frozenset({"__new__", "__init__", "__post_init__"})
_FACTORIES = frozenset({"default_factory", "factory"})
_MUTATING = frozenset(
    words(
        """
    add append appendleft clear discard extend extendleft insert pop popitem popleft remove reverse
    rotate setdefault sort update
"""
    )
)

Done: TypeAlias = Source | Routine
"""What one call does, or one of the things it may do."""


@dataclass(frozen=True)
class Calls:
    """Tells what the calls of one routine do."""

    scope: Scope

    def of_call(self, call: Call) -> Iterator[Done]:
        scope = self.scope
        function = scope.called(call)
        origin = scope.origin(function)
        if origin == _TO_THREAD:
            if call.arguments and not self._is_step(call.arguments[0].value):
                yield _IN_A_THREAD
            return
        if scope.is_self(function) and scope.routine.on is not None:
            yield from self._made(scope.routine.on, call)  # `cls(...)` in a class method
        elif isinstance(function, Attribute) and is_super(function.value):
            yield from self._through_super(function.name)
        elif isinstance(function, Attribute) and self._is_object(function.value):
            yield from self._of_method(function, call)
        elif origin is not None and not self._is_assigned(origin):
            yield from self._by_origin(origin, call)
        else:
            for thing in scope.things(function):
                yield from self._of_thing(thing, function, call)
            if origin is not None and not scope.things(function):
                yield _UNSEEN

    def is_for_thread(self, call: Call) -> bool:
        """Whether what is handed to a call runs in a thread, of which there is one finding."""
        function = call.function
        is_of_loop = isinstance(function, Attribute) and function.name == _TO_EXECUTOR
        return is_of_loop or self.scope.origin(function) == _TO_THREAD

    def handed_on(self, value: Expression) -> Iterator[Done]:
        """What the call that a function is handed to may do with it."""
        if not isinstance(value, Name | Attribute) or self.scope.is_self(value):
            return
        if isinstance(value, Attribute) and self._is_object(value.value):
            yield from self._of_bound(value)
            return
        for thing in self.scope.things(value):
            match thing:
                case Named(origin=origin) if origin.startswith("."):
                    if self.scope.classes.function(origin) is not None:
                        yield from self._by_origin(origin, None)
                case Named(origin=origin) if not _is_class(origin):
                    found = source_of(origin)
                    if isinstance(found, Source) and found.below is None and not found.is_read:
                        yield found
                case Written() | Outside(is_function=True):
                    yield from self._of_thing(thing, value, None)

    def read(self, expression: Name | Attribute) -> Iterator[Done]:
        """What the mention of a name or an attribute does: properties run, and `os.environ` is a value already."""
        scope = self.scope
        origin = scope.origin(expression)
        if origin is not None and not origin.startswith("."):
            found = source_of(origin)
            if isinstance(found, Source) and found.is_read:
                yield found
        if isinstance(expression, Attribute) and self._is_object(expression.value):
            for thing in scope.things(expression.value):
                owned = scope.classes.members(thing).get(expression.name) if isinstance(thing, OfProject) else None
                if isinstance(thing, OfProject) and owned is not None and is_property(owned.method):
                    yield from self._into(owned, thing)

    def entered(self, value: Expression) -> Iterator[tuple[Routine, bool]]:
        """What a `with` runs of a class of the project; True for what it runs at its end."""
        for thing in self.scope.things(value):
            if isinstance(thing, OfProject) and not self.scope.classes.is_proxied(thing):
                members = self.scope.classes.members(thing)
                for name in ("__enter__", "__aenter__", "__exit__", "__aexit__"):
                    if name in members:
                        yield self.scope.classes.method(members[name], thing), "exit" in name

    def written(self, target: Expression) -> Iterator[Done]:
        """An assignment to what outlives the run: an attribute of the flow class, a part of a name of the module."""
        holder = _holder(target)
        if holder is not None and (self._is_of_flow(target) or self._is_of_module(holder)):
            yield _WRITE

    # --- receivers --------------------------------------------------------------------------------------------------

    def _is_object(self, value: Expression) -> bool:
        """Whether the value before the dot is an object, not a module or class that is named."""
        if self.scope.is_self(value):
            return True
        origin = self.scope.origin(value)
        return origin is None or self._is_assigned(origin)

    def _is_assigned(self, origin: str) -> bool:
        return origin.startswith(".") and bool(self.scope.classes.assigned(origin))

    def _is_step(self, value: Expression) -> bool:
        """A step of a flow class; of a name of the routine nothing is said."""
        scope = self.scope
        if scope.is_local(value):
            return not any(isinstance(thing, Named | Written) for thing in scope.things(value))
        if not isinstance(value, Attribute):
            return False
        if scope.is_self(value.value):
            return scope.is_marked(value.name)
        return any(isinstance(thing, Plain) for thing in scope.things(value.value))

    def _of_method(self, function: Attribute, call: Call) -> Iterator[Done]:
        if function.name == "__hash__":
            found = source_of("builtins.hash")
            if isinstance(found, Source):
                yield found
            return
        if function.name == _TO_EXECUTOR:
            yield _IN_A_THREAD
            return
        if function.name in _MUTATING:
            yield from self.written(call)
        yield from self._of_bound(function)

    def _of_bound(self, function: Attribute) -> Iterator[Done]:
        """A method of an object, called or handed on."""
        scope = self.scope
        for thing in scope.things(function.value):
            match thing:
                case OfProject():
                    yield from self._of_member(thing, function)
                case OfPackage(origin=owner):
                    yield from self._of_package(owner, function.name, function.value)
                case Outside():
                    yield _HELD
                case Unseen() if not scope.is_made_here(function.value):
                    yield _UNSEEN
                case Named(origin=owner):
                    yield from self._by_origin(f"{owner}.{function.name}", None)

    def _of_member(self, thing: OfProject, function: Attribute) -> Iterator[Done]:
        classes = self.scope.classes
        owned = classes.members(thing).get(function.name)
        is_own = self.scope.is_self(function.value)
        if owned is not None:
            if owned.method.kind is not Kind.OTHER or (classes.is_proxied(thing) and not is_own):
                return
            if is_property(owned.method):
                return
            if classes.is_open(owned) and not is_own:
                yield _HELD if self.scope.is_held(function.value) else _UNSEEN
                return
            yield from self._into(owned, thing)
            return
        kept = self.scope.things(function)
        for each in kept:
            yield from self._of_thing(each, function, None)
        if not kept:
            yield from self._inherited(thing, function, is_own)

    def _inherited(self, thing: OfProject, function: Attribute, is_own: bool) -> Iterator[Done]:
        """A method that no class of the project defines: of a base from elsewhere, or made at run time."""
        classes = self.scope.classes
        if classes.kept(thing, function.name):
            if is_own and classes.is_proxied(thing):
                yield _HELD
            return
        for origin in classes.outer_bases(thing):
            found = source_of(f"{origin}.{function.name}")
            if isinstance(found, Source):
                yield found
                return
            if found is Standing.UNKNOWN:
                yield _HELD if self.scope.is_held(function) else _UNSEEN
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
            yield _HELD
        elif found is Standing.UNKNOWN and not scope.is_parameter(receiver):
            yield _UNSEEN

    def _is_found(self, made_of: str) -> bool:
        """Whether there is a finding already where a thing was made."""
        made = source_of(made_of)
        return isinstance(made, Source) or (made is Standing.UNKNOWN and not _is_class(made_of))

    def _through_super(self, name: str) -> Iterator[Done]:
        routine = self.scope.routine
        if routine.on is None or routine.owner is None:
            return
        owned = self.scope.classes.above(routine.on, routine.owner, name)
        if owned is not None and owned.method.kind is Kind.OTHER:
            yield from self._into(owned, routine.on)

    # --- what is called ---------------------------------------------------------------------------------------------

    def _of_thing(self, thing: Thing, shown: Expression, call: Call | None) -> Iterator[Done]:
        match thing:
            case Named(origin=origin):
                yield from self._by_origin(origin, call)
            case Written():
                yield self.scope.classes.of_lambda(thing)
            case Outside():
                yield _HELD
            case Unseen():
                yield _UNSEEN
            case OfPackage(origin=origin):
                yield from self._of_package(origin, "__call__", shown)
            case OfProject() if not self.scope.classes.is_proxied(thing):
                called = self.scope.classes.members(thing).get("__call__")
                if called is not None and self.scope.classes.is_open(called):
                    yield _HELD if self.scope.is_held(shown) else _UNSEEN
                elif called is not None:
                    yield from self._into(called, thing)
            case OfProject() | Container() | Plain():
                return

    def _by_origin(self, origin: str, call: Call | None) -> Iterator[Done]:
        classes = self.scope.classes
        if not origin.startswith("."):
            yield from self._of_source(origin, call)
        elif (found := classes.project.find_class(origin)) is not None:
            yield from self._made(OfProject(*found), call)
        elif (routine := classes.function(origin)) is not None:
            yield routine
            yield from classes.wrappers(classes.project.functions[origin], routine.module)
        elif (owner := classes.project.find_class(origin.rpartition(".")[0])) is not None:
            on = OfProject(*owner)
            owned = classes.members(on).get(origin.rpartition(".")[2])
            if owned is not None and not classes.is_proxied(on) and not classes.is_open(owned):
                yield from self._into(owned, on)
        elif not _is_generated(origin) and not self._is_part(origin):
            yield _UNSEEN

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
        elif found is Standing.UNKNOWN and not _is_class(origin) and not _is_generated(origin):
            yield _UNSEEN

    def _made(self, on: OfProject, call: Call | None) -> Iterator[Done]:
        """What making an instance runs."""
        classes = self.scope.classes
        if classes.is_proxied(on):
            return
        for name, owned in classes.members(on).items():
            if name in _MADE_BY:
                yield from self._into(owned, on)
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

    def _into(self, owned: Owned, on: OfProject) -> Iterator[Routine]:
        classes = self.scope.classes
        yield classes.method(owned, on)
        yield from classes.wrappers(owned.method, owned.module)

    # --- writes -----------------------------------------------------------------------------------------------------

    def _is_of_flow(self, target: Expression) -> bool:
        """Whether it lies in an attribute of the flow class."""
        on = self.scope.routine.on
        if on is None or not self.scope.classes.is_proxied(on):
            return False
        while (holder := _holder(target)) is not None:
            if isinstance(target, Attribute) and self.scope.is_self(holder):
                return True
            target = holder
        return False

    def _is_of_module(self, value: Expression) -> bool:
        origin = self.scope.origin(value)
        return origin is not None and self._is_assigned(origin)


def _holder(target: Expression) -> Expression | None:
    """What a target of an assignment is a part of; of a call of a method, the object."""
    match target:
        case Attribute(value=value) | Subscript(value=value) | Call(function=Attribute(value=value)):
            return value
        case _:
            return None


def _is_class(origin: str) -> bool:
    """Whether a name from elsewhere is written like that of a class; what those make is data more often than not."""
    return origin.rpartition(".")[2][:1].isupper()


def _is_generated(origin: str) -> bool:
    return origin.rpartition(".")[0].endswith("_durable")


def _count(call: Call) -> int:
    """How many arguments a call has; one that unpacks may have any number."""
    return 9 if any(argument.star for argument in call.arguments) else len(call.arguments)
