"""What a call does, as far as can be seen: an effect right there, or project code that it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.checks.effects.classes import is_property
from persistc.checks.effects.reasons import IN_A_STEP, PLAIN_STEP, Reason, Source, words
from persistc.checks.effects.scopes import Scope
from persistc.checks.effects.sources import source_of
from persistc.checks.effects.special_methods import Special, by_builtin
from persistc.checks.effects.targets import HELD, UNSEEN, Done, Targets, is_class
from persistc.checks.effects.things import (
    Named,
    OfPackage,
    OfProject,
    Outside,
    Plain,
    Written,
)
from persistc.checks.flow_code import is_super
from persistc.flow_tree import Attribute, Call, Expression, Name, Subscript

_IN_A_THREAD = Source(Reason.THREAD, PLAIN_STEP)
_WRITE = Source(Reason.WRITE, IN_A_STEP)
_ZONE_OF_MACHINE = Source(Reason.ENVIRONMENT, "name the zone: `.astimezone(UTC)`, `.astimezone(ZoneInfo(...))`")
_TO_LOCAL_TIME = "astimezone"
_TO_THREAD = "asyncio.to_thread"
_TO_EXECUTOR = "run_in_executor"
_MUTATING = frozenset(
    words("add append appendleft clear discard extend extendleft insert pop popitem popleft remove")
    + words("reverse rotate setdefault sort update")
)
_AT_END = frozenset(words("callback push push_async_callback push_async_exit"))
_STACKS = frozenset({"contextlib.AsyncExitStack", "contextlib.ExitStack"})


@dataclass(frozen=True)
class Calls:
    """Tells what the calls of one routine do."""

    scope: Scope

    @property
    def targets(self) -> Targets:
        return Targets(self.scope)

    def of_call(self, call: Call) -> Iterator[Done]:
        scope = self.scope
        function = scope.called(call)
        origin = scope.origin(function)
        if origin == _TO_THREAD:
            if call.arguments and not self._is_step(call.arguments[0].value):
                yield _IN_A_THREAD
            return
        if scope.is_self(function) and scope.routine.on is not None:
            yield from self.targets.made(scope.routine.on, call)  # `cls(...)` in a class method
        elif isinstance(function, Attribute) and is_super(function.value):
            yield from self.targets.through_super(function.name)
        elif isinstance(function, Attribute) and self._is_object(function.value):
            yield from self._of_method(function, call)
        elif origin is not None and not self._is_assigned(origin):
            yield from self.targets.by_origin(origin, call)
            if isinstance(function, Attribute):
                yield from self.targets.of_told(function)
        else:
            for thing in scope.things(function):
                yield from self.targets.of_thing(thing, function, call)
            if origin is not None and not scope.things(function):
                yield UNSEEN

    def is_for_thread(self, call: Call) -> bool:
        """Whether what is handed to a call runs in a thread, of which there is one finding."""
        function = call.function
        is_of_loop = isinstance(function, Attribute) and function.name == _TO_EXECUTOR
        return is_of_loop or self.scope.origin(function) == _TO_THREAD

    def is_for_end(self, call: Call) -> bool:
        """Whether what is handed to a call runs at the end of a `with` block."""
        function = call.function
        if not isinstance(function, Attribute) or function.name not in _AT_END:
            return False
        return any(isinstance(each, OfPackage) and each.origin in _STACKS for each in self.scope.things(function.value))

    def handed_on(self, value: Expression) -> Iterator[Done]:
        """What the call that a function is handed to may do with it."""
        if not isinstance(value, Name | Attribute) or self.scope.is_self(value):
            return
        if isinstance(value, Attribute) and value.name in _MUTATING and self._is_object(value.value):
            yield from self.written(value)
        if isinstance(value, Attribute) and self._is_object(value.value):
            for holder in self.scope.things(value.value):
                if isinstance(holder, OfProject) and value.name in self.scope.classes.members(holder):
                    yield from self.targets.of_member(holder, value)
        for thing in self.scope.things(value):
            match thing:
                case Named(origin=origin) if origin.startswith("."):
                    if self.scope.classes.function(origin) is not None:
                        yield from self.targets.by_origin(origin, None)
                case Named(origin=origin) if not is_class(origin):
                    found = source_of(origin)
                    if isinstance(found, Source) and found.below is None and not found.is_read:
                        yield found
                case Written() | Outside(is_function=True):
                    yield from self.targets.of_thing(thing, value, None)

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
                if not isinstance(thing, OfProject):
                    continue
                owned = scope.classes.members(thing).get(expression.name)
                if owned is not None and is_property(owned.method):
                    yield from self.targets.into(owned, thing)
                elif owned is None:
                    yield from self.targets.made_up(thing, expression.name)

    def entered(self, value: Expression) -> Iterator[tuple[Done, bool]]:
        """What a `with` does by itself; True for what it does at its end."""
        for thing in self.scope.things(value):
            if isinstance(thing, Outside) and not isinstance(value, Call):
                yield HELD, True
            elif isinstance(thing, OfProject) and not self.scope.classes.is_proxied(thing):
                members = self.scope.classes.members(thing)
                for name in ("__enter__", "__aenter__", "__exit__", "__aexit__"):
                    if name in members:
                        yield self.scope.classes.method(members[name], thing), "exit" in name

    def special(self, special: Special) -> Iterator[Done]:
        """What a method does that is called by an operator, a loop or a built-in function."""
        value, names = special
        for thing in self.scope.things(value):
            if isinstance(thing, OfProject) and not self.scope.classes.is_proxied(thing):
                members = self.scope.classes.members(thing)
                owned = next((members[name] for name in names if name in members), None)
                if owned is not None and not self.scope.classes.is_open(owned):
                    yield from self.targets.into(owned, thing)

    def of_builtin(self, call: Call) -> Iterator[Special]:
        home, _, name = (self.scope.origin(call.function) or "").rpartition(".")
        return by_builtin(name, call) if home == "builtins" else iter(())

    def written(self, target: Expression) -> Iterator[Done]:
        """An assignment to what outlives the run: an attribute of the flow class, a part of a name of the module."""
        holder = _holder(target)
        if holder is not None and (self._is_of_flow(target) or self._is_of_module(holder)):
            yield _WRITE

    def is_unknown_object(self, value: Expression) -> bool:
        """Whether the value before the dot is an object of which nothing is known, or what a deeper part of one is."""
        origin = self.scope.origin(value)
        if origin is None or self._is_assigned(origin):
            return not (self.scope.is_self(value) or is_super(value)) and self.scope.is_unknown(value)
        while "." in (origin := origin.rpartition(".")[0]):
            if self._is_assigned(origin):
                return True
        return False

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
        if function.name == _TO_LOCAL_TIME and not call.arguments:
            yield _ZONE_OF_MACHINE
        if function.name in _MUTATING:
            yield from self.written(call)
        yield from self.targets.of_bound(function)

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
