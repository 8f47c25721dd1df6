"""The names of one routine: how each gets its values, and what those that are not local stand for."""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property

from persistc.checks.effects.classes import Classes
from persistc.checks.effects.things import Routine
from persistc.checks.flow_code import bound_by
from persistc.flow_tree import (
    Argument,
    Assign,
    Assigned,
    Attribute,
    Await,
    Call,
    Clause,
    Comprehension,
    Constant,
    Expression,
    ForLoop,
    Lambda,
    LocalImport,
    Name,
    NestedClass,
    Node,
    Subscript,
    WithItem,
    bound_names,
    children,
    dotted,
)
from persistc.model import Module

_GETATTR = "builtins.getattr"


class Way(Enum):
    """How a name of a routine gets its value."""

    IS = auto()
    """It is assigned."""
    ELEMENT = auto()
    """It goes over what is named."""
    ENTERED = auto()
    """`with ... as`."""
    DECLARED = auto()
    """It has an annotation."""
    HIDDEN = auto()


@dataclass
class Names:
    """What is known of the names of a routine."""

    classes: Classes
    routine: Routine
    around: Names | None = None
    """For a comprehension or lambda, the names around it."""
    own: Mapping[str, list[tuple[Way, Expression | None]]] = field(default_factory=dict)
    """For a comprehension or lambda, those that it binds."""

    @property
    def module(self) -> Module:
        return self.routine.module

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """Every node of the body, those of classes defined in it left out."""
        if self.around is not None:
            return self.around.nodes
        found: list[Node] = []
        nodes: list[Node] = list(reversed(self.routine.body))
        while nodes:
            node = nodes.pop()
            found.append(node)
            if not isinstance(node, NestedClass):
                nodes.extend(reversed(list(children(node))))
        return tuple(found)

    @cached_property
    def local_imports(self) -> Mapping[str, str]:
        return {name: origin for node in self.nodes if isinstance(node, LocalImport) for name, origin in node.names}

    @cached_property
    def bound(self) -> Mapping[str, list[tuple[Way, Expression | None]]]:
        """The names of the routine, and of functions within it, each with how it gets its values."""
        if self.around is not None:
            return {**self.around.bound, **self.own}
        found: dict[str, list[tuple[Way, Expression | None]]] = {}
        for parameter in self.routine.parameters:
            annotation = parameter.annotation
            way = (Way.HIDDEN, None) if annotation is None else (Way.DECLARED, annotation.expression)
            found.setdefault(parameter.name, []).append(way)
        for node in self.nodes:
            if not isinstance(node, Clause | Lambda):
                for name, known in _bound_at(node):
                    found.setdefault(name, []).append(known)
        return found

    @staticmethod
    def bound_within(node: Comprehension | Lambda) -> Mapping[str, list[tuple[Way, Expression | None]]]:
        """The names that are known in a comprehension or lambda only."""
        found: dict[str, list[tuple[Way, Expression | None]]] = {}
        for each in node.clauses if isinstance(node, Comprehension) else (node,):
            for name, known in _bound_at(each):
                found.setdefault(name, []).append(known)
        return found

    def origin(self, expression: Expression) -> str | None:
        """What a dotted name stands for, where it is defined; None for a local variable."""
        name = dotted(expression)
        if name is None:
            return None
        first, dot, rest = name.partition(".")
        project = self.classes.project
        if first in self.local_imports:
            return project.canonical(f"{self.local_imports[first]}{dot}{rest}")
        if first in self.bound:
            return None
        origin = self.module.origin(name)
        if origin is None and first not in self.module.scope:  # there are star imports, which may make it known
            origin = f"{self.module.name}.{name}"
            starred = project.canonical(origin)
            return starred if starred != origin else f"builtins.{name}" if hasattr(builtins, first) else None
        return None if origin is None else project.canonical(origin)

    def called(self, call: Call) -> Expression:
        """What is called; of a generic class without its brackets: `defaultdict[str, int](int)`."""
        function = call.function
        if isinstance(function, Call) and (named := self.attribute_asked(function)) is not None:
            return named
        if isinstance(function, Subscript):
            origin = self.origin(function.value)
            if origin is not None and not self.classes.assigned(origin):
                return function.value
        return function

    def attribute_asked(self, call: Call) -> Attribute | None:
        """`value.name` for `getattr(value, "name")`."""
        match call.arguments:
            case (holder, Argument(value=Constant(value=str(name))), *_) if self.origin(call.function) == _GETATTR:
                return Attribute(call.span, holder.value, name)
            case _:
                return None

    def is_self(self, expression: Expression) -> bool:
        return isinstance(expression, Name) and expression.name == self.routine.self_name

    def is_local(self, expression: Expression) -> bool:
        return isinstance(expression, Name) and (expression.name in self.bound or expression.name in self.local_imports)

    def is_held(self, expression: Expression, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a value comes from an attribute of `self`."""
        match expression:
            case Attribute(value=value) if self.is_self(value):
                return True
            case Attribute(value=value) | Subscript(value=value) | Await(value=value) | Call(function=value):
                return self.is_held(value, seen)
            case Name(name=name) if name in self.bound and name not in seen:
                return any(
                    way is not Way.DECLARED and value is not None and self.is_held(value, seen | {name})
                    for way, value in self.bound[name]
                )
            case _:
                return False

    def outlives_run(self, expression: Expression) -> bool:
        """Whether a value is part of what all runs share: of `self`, or of a name of the module."""
        match expression:
            case Attribute(value=value) | Subscript(value=value):
                return self.is_held(expression) or self.outlives_run(value)
            case Name():
                return self.is_held(expression) or not self.is_local(expression)
            case _:
                return self.is_held(expression)

    def calls_behind(self, expression: Expression, seen: frozenset[str] = frozenset()) -> Iterator[Call]:
        """The calls in the routine that a value comes from."""
        match expression:
            case Call(function=function):
                yield expression
                yield from self.calls_behind(function, seen)
            case Attribute(value=value) | Subscript(value=value) | Await(value=value) | Assigned(value=value):
                yield from self.calls_behind(value, seen)
            case Name(name=name) if name not in seen:
                for way, bound in self.bound.get(name, ()):
                    if way is not Way.DECLARED and bound is not None:
                        yield from self.calls_behind(bound, seen | {name})
            case _:
                return

    def is_made_here(self, expression: Expression) -> bool:
        """Whether a value comes from a call in the routine."""
        match expression:
            case Name(name=name):
                return any(isinstance(value, Call | Await) for _, value in self.bound.get(name, ()))
            case Call():
                return True
            case Attribute(value=value) | Await(value=value) | Subscript(value=value):
                return self.is_made_here(value)
            case _:
                return False

    def is_parameter(self, expression: Expression) -> bool:
        """Whether a value is handed to the routine, or part of one that is."""
        match expression:
            case Name(name=name):
                return any(each.name == name for each in self.routine.parameters)
            case Attribute(value=value) | Await(value=value) | Subscript(value=value) | Call(function=value):
                return self.is_parameter(value)
            case _:
                return False


def _bound_at(node: Node) -> Iterator[tuple[str, tuple[Way, Expression | None]]]:
    known = dict(_ways(node))
    for name in bound_by(node):
        yield name, known.get(name, (Way.HIDDEN, None))


def _ways(node: Node) -> Iterator[tuple[str, tuple[Way, Expression | None]]]:
    match node:
        case Assign(targets=[Name(name=name)], annotation=annotation) if annotation is not None:
            yield name, (Way.DECLARED, annotation)
        case Assign(targets=targets, value=value, operator="="):
            for target in targets:
                if isinstance(target, Name):
                    yield target.name, (Way.IS, value)
                else:
                    yield from ((name, (Way.HIDDEN, value)) for name in bound_names(target))
        case Assigned(name=name, value=value):
            yield name, (Way.IS, value)
        case ForLoop(target=target, over=over) | Clause(target=target, over=over):
            if isinstance(target, Name):
                yield target.name, (Way.ELEMENT, over)
            else:
                yield from ((name, (Way.HIDDEN, over)) for name in bound_names(target))
        case WithItem(target=Name(name=name), value=value):
            yield name, (Way.ENTERED, value)
        case _:
            return
