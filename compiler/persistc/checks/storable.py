"""Which declared types the log cannot store: the types themselves, and what contains them.

Only what is certain is refused here. What a library's type is made of is looked at when the generated module is
imported, and the type checker holds every stored type to the bound of `Codec[T]`.
"""

import builtins
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from persistc.checks.class_fields import stored_fields
from persistc.checks.enum_values import misfit
from persistc.checks.refusals import WHERE_IT_GOES, Elsewhere, Refusal, refusal_of, refused_by_name, undefined
from persistc.checks.type_tables import (
    ANNOTATED,
    BARE,
    LISTS,
    LITERAL,
    NEW_TYPE,
    OBJECTS,
    PROTOCOL,
    SELF,
    SELF_IN_FIELD,
    TUPLES,
    UNION,
    VARIABLES,
)
from persistc.checks.written_forms import FormReader, clash_of
from persistc.expression_text import expression_text
from persistc.flow_tree import (
    Attribute,
    Call,
    Constant,
    Expression,
    Name,
    Operation,
    Quoted,
    Starred,
    Subscript,
    dotted,
)
from persistc.model import PACKAGE, Binding, BindingKind, Class, Kind, Module
from persistc.project import Project


@dataclass(frozen=True)
class TypeReader:
    """Reads annotations of one project."""

    project: Project
    _known: dict[str, tuple[Refusal, ...]] = field(default_factory=dict, repr=False)
    """What was found in the fields of each class: many types hold the same one."""

    def refusals(self, expression: Expression, module: Module, inside: Class | None = None) -> Iterator[Refusal]:
        """Each part of the annotation that cannot be stored."""
        yield from self._read(expression, module, inside, frozenset())

    def is_type_variable(self, expression: Expression, module: Module, inside: Class | None) -> bool:
        """Whether a name stands for a `TypeVar` or its kin."""
        origin = module.origin_of(expression, inside)
        if origin is None:
            return False
        origin = self.project.canonical(origin)
        if origin in {"typing.AnyStr"}:
            return True
        found = self.project.binding(origin)
        value = found[0].value if found is not None else None
        if found is None or value is None or not isinstance(value.expression, Call):
            return False
        return found[1].origin_of(value.expression.function) in VARIABLES

    def _read(
        self, expression: Expression, module: Module, inside: Class | None, seen: frozenset[str]
    ) -> Iterator[Refusal]:
        match expression:
            case Quoted(inner=inner):
                yield from self._read(inner, module, inside, seen)
            case Operation(operator="|", left=left, right=right):
                # A union of three is a union of two and one: only the whole of it is asked whether its types clash.
                yield from self._union(expression, tuple(_alternatives(left, right)), module, inside, seen)
            case Subscript():
                yield from self._subscript(expression, module, inside, seen)
            case Name() | Attribute():
                yield from self._name(expression, module, inside, seen)
            case _:
                return

    def _subscript(
        self,
        expression: Subscript,
        module: Module,
        inside: Class | None,
        seen: frozenset[str],
    ) -> Iterator[Refusal]:
        value, items = expression.value, expression.items
        origin = self.project.origin_of(value, module, inside)
        if origin in LITERAL:
            return
        if origin in ANNOTATED:
            if not any(self._is_conversion(item, module, inside) for item in items[1:]):
                yield from self._read(items[0], module, inside, seen)
            return
        if origin is not None and (refused := refused_by_name(origin)) is not None:
            yield refusal_of(expression, refused, origin)
            return
        if origin in UNION:
            yield from self._union(expression, items, module, inside, seen)
            return
        if not (isinstance(value, Name | Attribute) and origin in BARE):
            yield from self._name(value, module, inside, seen)
        if origin in OBJECTS and (key := FormReader(self.project).never_a_key(items[0], module, inside)) is not None:
            yield Refusal(
                items[0].span,
                f"`{key}` cannot be a key: keys are text, numbers, enums, UUIDs, dates and times",
                "written as text in JSON",
                f"write a list of pairs, `list[tuple[{', '.join(expression_text(item) for item in items)}]]`",
                steps=("[key]",),
            )
        for number, item in enumerate(items):
            if not isinstance(item, Starred):
                step = _step(origin, items, number)
                for refusal in self._read(item, module, inside, seen):
                    yield replace(refusal, steps=(*step, *refusal.steps))

    def _union(
        self,
        expression: Expression,
        alternatives: Sequence[Expression],
        module: Module,
        inside: Class | None,
        seen: frozenset[str],
    ) -> Iterator[Refusal]:
        """What is wrong with the types of a union one by one; if nothing, what is wrong with them together."""
        found = [refusal for each in alternatives for refusal in self._read(each, module, inside, seen)]
        yield from found
        clash = None if found else clash_of(FormReader(self.project).members(expression, module, inside))
        if clash is not None:
            yield Refusal(expression.span, clash.reason, "read back as which of them?", clash.remedy)

    def _is_conversion(self, item: Expression, module: Module, inside: Class | None) -> bool:
        """`stored_as(...)`, or something we cannot see into that may be one."""
        if isinstance(item, Call):
            return self.project.origin_of(item.function, module, inside) == f"{PACKAGE}.stored_as"
        found = self.project.binding(self.project.origin_of(item, module, inside) or "")
        value = found[0].value if found is not None else None
        if found is None or value is None:
            return False
        home = found[1]
        return isinstance(value.expression, Call) and (
            self.project.origin_of(value.expression.function, home, None) == f"{PACKAGE}.stored_as"
        )

    def _name(
        self, expression: Expression, module: Module, inside: Class | None, seen: frozenset[str]
    ) -> Iterator[Refusal]:
        origin = self.project.origin_of(expression, module, inside)
        if origin is None and not seen and _is_undefined(expression, module, inside):
            yield undefined(expression, module)
        if origin is None or origin in seen:
            return
        if (refused := refused_by_name(origin)) is not None:
            yield refusal_of(expression, SELF_IN_FIELD if seen and origin in SELF else refused, origin)
            return
        if origin in BARE:
            shown = dotted(expression)
            yield Refusal(
                expression.span,
                f"`{shown}` does not say what is in it",
                "of what?",
                f"write what it holds: `{shown}[{BARE[origin]}]`",
            )
            return
        if (cls := self.project.find_class(origin)) is not None:
            yield from self._class(expression, *cls, seen)
        elif (bound := self.project.binding(origin)) is not None:
            yield from self._bound(expression, *bound, seen | {origin})

    def _bound(self, expression: Expression, binding: Binding, home: Module, seen: frozenset[str]) -> Iterator[Refusal]:
        """A function, or an alias: what it stands for is refused here, with a second frame where it is said."""
        if binding.kind is BindingKind.FUNCTION:
            yield Refusal(
                expression.span,
                f"`{binding.name}` is a function, not a type",
                "not a type",
                f"write the type of what is stored; {WHERE_IT_GOES}",
                Elsewhere(home.file, binding.span, "defined here"),
            )
            return
        if binding.value is None:
            return
        value = binding.value.expression
        if isinstance(value, Call):
            if self.project.origin_of(value.function, home, None) not in NEW_TYPE or len(value.arguments) < 2:
                return
            value = value.arguments[1].value
        for refusal in self._read(value, home, None, seen):
            yield replace(
                refusal,
                span=expression.span,
                label=f"`{binding.name}` stands for it",
                place=refusal.place or Elsewhere(home.file, refusal.span, refusal.label),
            )

    def _enum(self, expression: Expression, cls: Class, home: Module) -> Iterator[Refusal]:
        found = misfit(self.project, cls, home)
        if found is not None:
            yield Refusal(
                expression.span,
                f"the values of enum `{cls.name}` are neither all text nor all whole numbers",
                "stored by its value",
                f"give every member of `{cls.name}` a text, or every one a whole number; "
                f"or write `Annotated[{cls.name}, stored_as(encode, decode)]`",
                Elsewhere(home.file, found.member.span, found.label),
            )

    def _fields(self, expression: Expression, cls: Class, home: Module, seen: frozenset[str]) -> Iterator[Refusal]:
        """What cannot be stored in the fields of a class, where the class is of a kind that stores each by its type."""
        if cls.qualified not in self._known:
            self._known[cls.qualified] = tuple(self._of_fields(cls, home, seen | {cls.qualified}))
        for refusal in self._known[cls.qualified]:
            yield replace(refusal, span=expression.span, label=f"`{cls.name}` holds it")

    def _of_fields(self, cls: Class, home: Module, seen: frozenset[str]) -> Iterator[Refusal]:
        for each in stored_fields(self.project, cls, home):
            for refusal in self._read(each.annotation, each.module, each.owner, seen):
                place = refusal.place or Elsewhere(each.module.file, refusal.span, refusal.label)
                yield replace(refusal, root=cls.name, steps=(f".{each.name}", *refusal.steps), place=place)

    def _class(self, expression: Expression, cls: Class, home: Module, seen: frozenset[str]) -> Iterator[Refusal]:
        """A class of the project that nothing could be read back into: no fields are declared for it anywhere."""
        place = Elsewhere(home.file, cls.span, "defined here")
        if any(
            method.kind is not Kind.OTHER for owner, _ in self.project.lineage(cls, home) for method in owner.methods
        ):
            yield Refusal(expression.span, f"`{cls.name}` is a flow class", "not a value", WHERE_IT_GOES, place)
            return
        bases = [base.origin for owner, _ in self.project.lineage(cls, home) for base in owner.bases]
        if any(base in PROTOCOL for base in bases):
            yield Refusal(
                expression.span,
                f"`{cls.name}` is a protocol, which any class may fulfil",
                "read back as which class?",
                "name the class, or the union of the classes it can be",
                place,
            )
        elif not cls.decorators and not _may_be_data(bases, self.project):
            yield Refusal(
                expression.span,
                f"`{cls.name}` is a class whose fields are not declared",
                "read back from what?",
                f"make `{cls.name}` a dataclass, or write `Annotated[{cls.name}, stored_as(encode, decode)]`",
                place,
            )
        else:
            yield from self._enum(expression, cls, home)
            yield from self._fields(expression, cls, home, seen)


def _step(origin: str | None, items: Sequence[Expression], number: int) -> tuple[str, ...]:
    """How the value of one type in brackets is reached; not at all in a class of the user's own."""
    if origin in OBJECTS:
        return ("[key]" if number == 0 else "[]",)
    if origin in TUPLES and not any(isinstance(item, Constant) and item.value is ... for item in items):
        return (f"[{number}]",)
    return ("[]",) if origin in LISTS else ()


def _alternatives(*sides: Expression) -> Iterator[Expression]:
    for side in sides:
        if isinstance(side, Operation) and side.operator == "|":
            yield from _alternatives(side.left, side.right)
        else:
            yield side


def _is_undefined(expression: Expression, module: Module, inside: Class | None) -> bool:
    """Whether nothing in sight defines the name: not the module, not the class, and no star import that might."""
    first = (dotted(expression) or "").partition(".")[0]
    stars = any(binding.kind is BindingKind.STAR_IMPORT for binding in module.scope.bindings)
    local = inside is not None and (first in inside.scope or first in inside.type_parameters)
    return bool(first) and not (stars or local or first in module.scope or hasattr(builtins, first))


def _may_be_data(bases: list[str | None], project: Project) -> bool:
    """Whether a base makes it one of the kinds of data there are, or may do so because we cannot see it."""
    return any(
        base is None or (base not in {"builtins.object", "abc.ABC"} and project.find_class(base) is None)
        for base in bases
    )
