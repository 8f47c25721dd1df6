"""What each expression of a routine may be."""

from __future__ import annotations

from dataclasses import dataclass, field

from persistc.checks.effects.classes import Kept, is_property
from persistc.checks.effects.names import Names, Way
from persistc.checks.effects.reasons import Reason, Source, words
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
    Things,
    Unseen,
    Written,
)
from persistc.checks.flow_code import Located, is_super
from persistc.flow_tree import (
    Assigned,
    Attribute,
    Await,
    Call,
    Compound,
    Comprehension,
    Conditional,
    Constant,
    Display,
    Expression,
    Lambda,
    Name,
    Operation,
    Starred,
    Subscript,
    Unary,
    dotted,
)
from persistc.model import Kind, Module

_PATH = "pathlib.Path"
_PATHS = frozenset({_PATH, "pathlib.PosixPath", "pathlib.WindowsPath"})
_OF_PATHS = frozenset(
    words("parent joinpath with_name with_stem with_suffix relative_to absolute resolve expanduser cwd home")
)
_RETURNS = {
    "asyncio.get_event_loop": "asyncio.AbstractEventLoop",
    "asyncio.get_running_loop": "asyncio.AbstractEventLoop",
    "asyncio.new_event_loop": "asyncio.AbstractEventLoop",
}
_PASSES_ON = frozenset(
    f"builtins.{name}" for name in ("filter", "frozenset", "iter", "list", "reversed", "set", "sorted", "tuple")
)
_ELEMENTS = frozenset({"get", "pop", "popleft", "popitem", "setdefault"})
_DEPTH = 10


@dataclass
class Scope(Names):
    """The names of a routine, and the things that its expressions may be."""

    _things: dict[str, Things] = field(default_factory=dict)

    def things(self, expression: Expression, depth: int = 0) -> Things:
        """What an expression may be."""
        if depth > _DEPTH:
            return ()
        match expression:
            case Name(name=name):
                return self._of_name(expression, name, depth)
            case Attribute():
                return self._of_attribute(expression, depth)
            case Call():
                return self._of_call(expression, depth)
            case Await(value=value) | Assigned(value=value) | Starred(value=value):
                return self.things(value, depth + 1)
            case Subscript(value=value):
                return _elements(self.things(value, depth + 1))
            case Conditional(body=body, orelse=orelse):
                return _either(self.things(body, depth + 1), self.things(orelse, depth + 1))
            case Operation(operator="and" | "or", left=left, right=right):
                return _either(self.things(left, depth + 1), self.things(right, depth + 1))
            case Operation(operator="/", left=left):
                found = self.things(left, depth + 1)
                return found if any(isinstance(each, OfPackage) for each in found) else (Plain(),)
            case Display(kind=kind, items=items):
                values = items[1::2] if kind == "dict" and len(items) % 2 == 0 else items
                return (Container(_either(*(self.things(each, depth + 1) for each in values))),)
            case Comprehension(elements=elements):
                return (Container(self.within(expression).things(elements[-1], depth + 1)),)
            case Lambda():
                return ()
            case Constant(value=None):
                return ()
            case Constant() | Operation() | Unary() | Compound():
                return (Plain(),)
            case _:
                return ()

    def told(self, expression: Expression) -> Things:
        """What a type checker says that an expression is."""
        return self.classes.told.get((self.module.path, expression.span), ())

    def is_unknown(self, expression: Expression) -> bool:
        """Whether nothing tells what an expression is, or no more than that it seems to be data."""
        if isinstance(expression, Constant | Compound | Display | Comprehension):
            return False
        return all(isinstance(each, Plain) for each in self.things(expression))

    def within(self, node: Comprehension | Lambda) -> Scope:
        """The scope of a comprehension or lambda, which has names of its own."""
        return Scope(self.classes, self.routine, self, self.bound_within(node))

    def at(self, located: Located) -> Scope:
        """The scope at a place in the body."""
        scope = self
        for node in located.around:
            if isinstance(node, Comprehension | Lambda):
                scope = scope.within(node)
        return scope

    def _of_name(self, expression: Name, name: str, depth: int) -> Things:
        if isinstance(self.around, Scope) and name not in self.own:
            return self.around._of_name(expression, name, depth)
        if self.is_self(expression) and self.routine.on is not None:
            return (self.routine.on,)
        if name in self.bound:
            if name not in self._things:
                self._things[name] = ()  # a name that is bound to something of its own
                self._things[name] = _either(*(self._bound_to(way, value, depth) for way, value in self.bound[name]))
            return self._things[name]
        return self._of_origin(self.origin(expression), depth)

    def _bound_to(self, way: Way, value: Expression | None, depth: int) -> Things:
        if value is None:
            return ()
        match way:
            case Way.IS:
                return self.things(value, depth + 1)
            case Way.DECLARED:
                return self.classes.declared(value, self.module, self.routine.owner)
            case Way.ELEMENT:
                return _elements(self.things(value, depth + 1))
            case Way.ENTERED:
                return _either(*(self._entered(each) for each in self.things(value, depth + 1)))
            case Way.HIDDEN:
                return ()

    def _entered(self, thing: Thing) -> Things:
        if not isinstance(thing, OfProject):
            return (thing,)
        members = self.classes.members(thing)
        entered = members.get("__aenter__") or members.get("__enter__")
        if entered is None or entered.method.returns is None:
            return (thing,) if entered is not None else ()
        said = entered.method.returns
        return self.classes.declared(said.expression, entered.module, entered.owner) or (thing,)

    def _of_origin(self, origin: str | None, depth: int) -> Things:
        """What a name at the top of a module is."""
        if origin is None:
            return ()
        classes = self.classes
        if values := classes.assigned(origin):
            return _either(*(self._in_module(value, module, depth) for value, module in values))
        if origin.startswith(".") and classes.project.binding(origin) is None:
            home, _, name = origin.rpartition(".")
            if classes.assigned(home):
                return self._attributes_of(self._of_origin(home, depth + 1), name, depth)
        return (Named(origin),)

    def _of_attribute(self, expression: Attribute, depth: int) -> Things:
        origin = self.origin(expression)
        if origin is not None:
            return self._of_origin(origin, depth)
        return self._attributes_of(self.things(expression.value, depth + 1), expression.name, depth)

    def _attributes_of(self, holders: Things, name: str, depth: int) -> Things:
        return _either(*(self.attribute(each, name, depth) for each in holders))

    def attribute(self, thing: Thing, name: str, depth: int = 0) -> Things:
        """What an attribute of something holds."""
        match thing:
            case OfProject():
                owned = self.classes.members(thing).get(name)
                if owned is not None:
                    if not is_property(owned.method) or owned.method.returns is None:
                        return ()
                    return self.classes.declared(owned.method.returns.expression, owned.module, owned.owner)
                return _either(*(self._kept(each, thing, depth) for each in self.classes.kept(thing, name)))
            case OfPackage(origin=origin):
                if origin in _PATHS:
                    return (OfPackage(_PATH),) if name in _OF_PATHS else (Plain(),)
                return (OfPackage(f"{origin}.{name}"),)
            case Plain():
                return (thing,)
            case Outside(is_function=False):
                return (thing,)
            case _:
                return ()

    def _kept(self, kept: Kept, on: OfProject, depth: int) -> Things:
        """What an attribute holds; what is not known of a flow class's own comes from outside."""
        classes = self.classes
        if kept.annotation is not None:
            said = classes.declared(kept.annotation, kept.module, kept.owner, is_held=True)
            if kept.setter is not None and _is_written_out(kept) and Container((Outside(is_function=True),)) in said:
                said = self._in_setter(kept, on, depth) or said  # which functions it holds, the display says better
            if said or kept.setter is None:
                return said
        if kept.setter is None:
            return self._in_class(kept, on, depth)
        if kept.value is None:
            return (Outside(),) if classes.is_proxied(on) and kept.annotation is None else ()
        value = kept.value
        parameter = next(
            (each for each in kept.setter.parameters if isinstance(value, Name) and each.name == value.name), None
        )
        if parameter is not None:
            if parameter.annotation is not None:
                annotation = parameter.annotation.expression
                return classes.declared(annotation, kept.module, kept.owner, is_held=True) or (Outside(),)
            default = parameter.default.expression if parameter.default is not None else None
            return (default is not None and self._in_module(default, kept.module, depth)) or (Outside(),)
        found = self._in_setter(kept, on, depth)
        return found or ((Outside(),) if classes.is_proxied(on) and not _is_nothing(value) else ())

    def _in_class(self, kept: Kept, on: OfProject, depth: int) -> Things:
        """What a name of the class body is: perhaps a second name of a method."""
        if isinstance(kept.value, Name) and (owned := self.classes.members(on).get(kept.value.name)) is not None:
            is_ours = owned.method.kind is not Kind.OTHER
            return (Plain(),) if is_ours else (Named(f"{owned.owner.qualified}.{owned.method.name}"),)
        return () if kept.value is None else self._in_module(kept.value, kept.module, depth)

    def _in_module(self, value: Expression, module: Module, depth: int) -> Things:
        if isinstance(value, Lambda):
            return (Written(value, module),)
        return Scope(self.classes, Routine(module.name, module, None, None, (), (), (), False)).things(value, depth + 1)

    def _in_setter(self, kept: Kept, on: OfProject, depth: int) -> Things:
        if kept.value is None or kept.setter is None:
            return ()
        if isinstance(kept.value, Lambda):
            return (Written(kept.value, kept.module),)
        routine = Routine(
            f"{kept.owner.qualified}.{kept.setter.name}",
            kept.module,
            kept.owner,
            on,
            kept.setter.parameters,
            kept.setter.body,
            kept.setter.body,
            False,
        )
        return Scope(self.classes, routine).things(kept.value, depth + 1)

    def _of_call(self, call: Call, depth: int) -> Things:
        function = self.called(call)
        origin = self.origin(function)
        if origin == "builtins.getattr":
            named = self.attribute_asked(call)
            return (Unseen(),) if named is None else self.things(named, depth + 1)
        if origin in _PASSES_ON and call.arguments:
            return self.things(call.arguments[-1].value, depth + 1)
        if origin == "functools.partial" and call.arguments:
            return self.things(call.arguments[0].value, depth + 1)
        if origin is not None:
            targets = self._of_origin(origin, depth)
        elif isinstance(function, Attribute) and not is_super(function.value):
            return _either(*(self._returned_by(each, function.name) for each in self.things(function.value, depth + 1)))
        else:
            targets = self.things(function, depth + 1)
        return _either(*(self._made_by(each) for each in targets))

    def _made_by(self, thing: Thing) -> Things:
        """What calling something gives."""
        if not isinstance(thing, Named):
            return (thing,) if isinstance(thing, Plain) else ()
        origin, classes = thing.origin, self.classes
        if (found := classes.project.find_class(origin)) is not None:
            on = OfProject(*found)
            return (Plain(),) if classes.is_proxied(on) else (on,)
        home, _, name = origin.rpartition(".")
        if origin.startswith("."):
            if (module := classes.project.modules.get(home)) is None:
                owner = classes.project.find_class(home)
                return () if owner is None else self._returned_by(OfProject(*owner), name)
            function = classes.project.functions.get(origin)
            said = function.returns if function is not None else None
            return () if said is None else classes.declared(said.expression, module)
        if origin in _RETURNS:
            return (OfPackage(_RETURNS[origin]),)
        if name[:1].isupper():
            return (OfPackage(origin),)
        if home in _PATHS and name in _OF_PATHS:
            return (OfPackage(_PATH),)
        # Of what only computes a value comes back; of anything else, what that is.
        found_source = source_of(origin)
        if isinstance(found_source, Source):
            is_hidden = found_source.reason is Reason.UNSEEN
            return (Unseen(),) if is_hidden else (OfPackage(origin),) if _is_acting(found_source) else (Plain(),)
        return (Plain(),) if found_source is Standing.HARMLESS else (OfPackage(origin),)

    def _returned_by(self, thing: Thing, name: str) -> Things:
        """What a method of something gives."""
        match thing:
            case OfProject():
                owned = self.classes.members(thing).get(name)
                if owned is None or owned.method.returns is None:
                    return ()
                said = owned.method.returns.expression
                if (dotted(said) or "").endswith("Self"):
                    return (thing,)
                return self.classes.declared(said, owned.module, owned.owner)
            case Container(of=of):
                return of if name in _ELEMENTS else (thing,) if name in {"values", "copy"} else ()
            case OfPackage(origin=origin) if origin in _PATHS:
                return (OfPackage(_PATH),) if name in _OF_PATHS else (Plain(),)
            case Plain():
                return (thing,)
            case _:
                return ()

    def is_marked(self, name: str) -> bool:
        """Whether a member of the flow class is a flow, step or signal."""
        on = self.routine.on
        owned = self.classes.members(on).get(name) if on is not None else None
        return owned is not None and owned.method.kind is not Kind.OTHER


def _either(*several: Things) -> Things:
    return tuple(dict.fromkeys(each for things in several for each in things))


def _elements(things: Things) -> Things:
    return _either(*(each.of if isinstance(each, Container) else (each,) for each in things if _has_elements(each)))


def _has_elements(thing: Thing) -> bool:
    return isinstance(thing, Container | Plain | Outside)


def _is_acting(source: Source) -> bool:
    return source.reason is Reason.OUTSIDE


def _is_written_out(kept: Kept) -> bool:
    """Whether an attribute is a container of functions that stand there by name: none of them comes from outside."""
    given = {each.name for each in kept.setter.values} if kept.setter is not None else set()
    match kept.value:
        case Display(kind=kind, items=items) if items:
            values = items[1::2] if kind == "dict" else items
            return all(
                isinstance(each, Attribute | Lambda) or (isinstance(each, Name) and each.name not in given)
                for each in values
            )
        case _:
            return False


def _is_nothing(value: Expression) -> bool:
    return isinstance(value, Constant) and value.value is None
