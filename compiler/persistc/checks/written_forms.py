"""The form of JSON in which values of a type are written, and which types of one union would look the same there.

What is read back from the log is told by its form alone: text, a number, a list, an object. So a union may have one
type of each form; only classes that write a tag are told apart by it. A type of unknown form clashes with none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from persistc.checks.type_tables import (
    ANNOTATED,
    CONVERTED,
    DATACLASS_DECORATORS,
    LISTS,
    LITERAL,
    NEW_TYPE,
    NO_KEYS,
    OBJECTS,
    OPTIONAL,
    PYDANTIC_MODELS,
    TEXTS,
    UNION,
)
from persistc.expression_text import expression_text
from persistc.flow_tree import Attribute, Call, Constant, Expression, Name, Operation, Quoted, Subscript, dotted
from persistc.model import PACKAGE, Class, Module
from persistc.project import Project


class Form(StrEnum):
    """How a value looks in the log."""

    TEXT = "as text"
    NUMBER = "as whole numbers"
    LIST = "as lists"
    OBJECT = "as JSON objects"
    OWN = "in a form of its own"
    OTHER = "otherwise"


@dataclass(frozen=True, slots=True)
class Member:
    """One type of a union; two with the same `identity` are the same type."""

    shown: str
    form: Form
    identity: str
    is_literal: bool = False
    is_class: bool = False
    is_struct: bool = False
    is_tagged: bool = False

    @property
    def name(self) -> str:
        """Of a class, as it is defined."""
        return self.shown.partition("[")[0].rpartition(".")[2]


@dataclass(frozen=True, slots=True)
class Clash:
    """Two types of a union that would look the same."""

    first: Member
    second: Member

    @property
    def reason(self) -> str:
        one, other = f"`{self.first.shown}`", f"`{self.second.shown}`"
        if self.first.form is Form.OWN or self.second.form is Form.OWN:
            own, other = (one, other) if self.first.form is Form.OWN else (other, one)
            return f"{own} is written in a form of its own, and could not be told from {other}"
        return f"{one} and {other} are both written {self.first.form}, and could not be told apart"

    @property
    def remedy(self) -> str:
        both = (self.first, self.second)
        if all(member.is_class and member.form is not Form.LIST for member in both):
            if all(member.form is Form.OWN for member in both):
                return "write a pydantic model that holds them, told apart by a discriminator"
            tagged = " and ".join(f"`class {member.name}(msgspec.Struct, tag=True)`" for member in both)
            return f"give them a tag, {tagged}; or write one class with optional fields"
        return (
            "write one of them, or a dataclass with a field for each: "
            f"`{self.first.shown} | None` and `{self.second.shown} | None`"
        )


def clash_of(members: Sequence[Member]) -> Clash | None:
    """The first two types of a union that could not be told apart."""
    for index, second in enumerate(members):
        for first in members[:index]:
            if first.identity != second.identity and _clash(first, second):
                return Clash(first, second)
    return None


def _clash(first: Member, second: Member) -> bool:
    if Form.OWN in {first.form, second.form}:
        return True
    if first.form is not second.form or first.form is Form.OTHER:
        return False
    if first.is_literal or second.is_literal:
        # A literal is one with the text or number it is a value of, and with other literals.
        return not (first.is_literal and second.is_literal) and not {first.identity, second.identity} & _OF_LITERALS
    return not (first.is_struct and second.is_struct and first.is_tagged and second.is_tagged)


_OF_LITERALS = frozenset({"builtins.str", "builtins.int"})


@dataclass(frozen=True)
class FormReader:
    """Finds the forms of the types of one project."""

    project: Project

    def members(self, expression: Expression, module: Module, inside: Class | None) -> tuple[Member, ...]:
        """The types of a union as far as they are known, `None` left out; none at all when one of them is `Json`."""
        found = tuple(self._members(expression, module, inside, frozenset()))
        return () if any(member.identity == f"{PACKAGE}.Json" for member in found) else found

    def never_a_key(self, expression: Expression, module: Module, inside: Class | None) -> str | None:
        """The part of the type of a key that cannot be one, as it is written."""
        for member in self._members(expression, module, inside, frozenset()):
            is_form = member.form in {Form.LIST, Form.OBJECT}
            if is_form or member.identity in NO_KEYS:
                return member.shown
        return None

    def _members(
        self, expression: Expression, module: Module, inside: Class | None, seen: frozenset[str]
    ) -> Iterator[Member]:
        match expression:
            case Quoted(inner=inner):
                yield from self._members(inner, module, inside, seen)
            case Operation(operator="|", left=left, right=right):
                yield from self._members(left, module, inside, seen)
                yield from self._members(right, module, inside, seen)
            case Subscript(value=value, items=items):
                origin = self.project.origin_of(value, module, inside)
                if origin in UNION or origin in OPTIONAL:
                    for item in items:
                        yield from self._members(item, module, inside, seen)
                elif origin in ANNOTATED:
                    if len(items) > 1 and any(isinstance(item, Call | Name | Attribute) for item in items[1:]):
                        return  # may be `stored_as(...)`, or anything a library makes of it
                    yield from self._members(items[0], module, inside, seen)
                elif origin in LITERAL:
                    yield from _literals(items)
                else:
                    yield from self._named(expression, origin, module, inside, seen)
            case Name() | Attribute():
                origin = self.project.origin_of(expression, module, inside)
                yield from self._named(expression, origin, module, inside, seen)
            case _:
                return

    def _named(
        self, expression: Expression, origin: str | None, module: Module, inside: Class | None, seen: frozenset[str]
    ) -> Iterator[Member]:
        if origin is None or origin in seen:
            return
        shown, identity = expression_text(expression), origin
        if isinstance(expression, Subscript):
            identity = f"{origin}{shown[len(expression_text(expression.value)) :]}"
        form = _FORMS.get(origin)
        if form is not None:
            yield Member(shown, form, identity)
        elif (found := self.project.find_class(origin)) is not None:
            yield from self._class(shown, identity, *found)
        elif (bound := self.project.binding(origin)) is not None and bound[0].value is not None:
            value, home = bound[0].value.expression, bound[1]
            if isinstance(value, Call):
                if self.project.origin_of(value.function, home) not in NEW_TYPE or len(value.arguments) < 2:
                    return
                value = value.arguments[1].value
            yield from self._members(value, home, None, seen | {origin})

    def _class(self, shown: str, identity: str, cls: Class, home: Module) -> Iterator[Member]:
        lineage = self.project.lineage(cls, home)
        bases = {base.origin for owner, _ in lineage for base in owner.bases}
        if bases & PYDANTIC_MODELS:
            yield Member(shown, Form.OWN, identity, is_class=True)
        elif bases & CONVERTED:
            yield Member(shown, Form.OWN, identity)
        elif "typing.NamedTuple" in bases or "typing_extensions.NamedTuple" in bases:
            yield Member(shown, Form.LIST, identity, is_class=True)
        elif "typing.TypedDict" in bases or "typing_extensions.TypedDict" in bases:
            yield Member(shown, Form.OBJECT, identity, is_class=True)
        elif "msgspec.Struct" in bases:
            options = [argument for owner, _ in lineage for argument in owner.keywords]
            tagged = any(each.keyword in {None, "tag", "tag_field"} for each in options)
            as_list = any(each.keyword == "array_like" for each in options)
            written = Form.LIST if as_list else Form.OBJECT
            yield Member(shown, written, identity, is_class=True, is_struct=True, is_tagged=tagged)
        elif any(owner.has_decorator(*DATACLASS_DECORATORS) for owner, _ in lineage):
            yield Member(shown, Form.OBJECT, identity, is_class=True)
        elif bases & _ENUMS and (form := _form_of_values(cls, bases)) is not None:
            yield Member(shown, form, identity)


_FORMS = {
    **dict.fromkeys(TEXTS, Form.TEXT),
    "builtins.int": Form.NUMBER,
    **dict.fromkeys(LISTS, Form.LIST),
    **dict.fromkeys(OBJECTS, Form.OBJECT),
    **dict.fromkeys(CONVERTED, Form.OWN),
    f"{PACKAGE}.Json": Form.OTHER,
    "builtins.bool": Form.OTHER,
    "builtins.float": Form.OTHER,
}

_ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"))


def _form_of_values(cls: Class, bases: set[str | None]) -> Form | None:
    if "enum.StrEnum" in bases:
        return Form.TEXT
    if bases & {"enum.IntEnum", "enum.Flag", "enum.IntFlag"}:
        return Form.NUMBER
    values = [each.value.expression for each in cls.attributes if each.value is not None and each.annotation is None]
    if values and all(isinstance(value, Constant) and isinstance(value.value, str) for value in values):
        return Form.TEXT
    if values and all(isinstance(value, Constant) and type(value.value) is int for value in values):
        return Form.NUMBER
    return None


def _literals(items: Sequence[Expression]) -> Iterator[Member]:
    for item in items:
        if isinstance(item, Quoted) or (isinstance(item, Constant) and isinstance(item.value, str)):
            text = item.text if isinstance(item, Constant) else repr(dotted(item.inner) or "...")
            yield Member(f"Literal[{text}]", Form.TEXT, f"Literal {text}", is_literal=True)
        elif isinstance(item, Constant) and type(item.value) is int:
            yield Member(f"Literal[{item.text}]", Form.NUMBER, f"Literal {item.text}", is_literal=True)
