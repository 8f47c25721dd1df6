"""Types as they are stored: what is left of an annotation when it is about rows of the log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from persistc.checks.type_tables import (
    ANNOTATED,
    FIELDS_OF_BASES,
    FIELDS_OF_DECORATORS,
    LISTS,
    LITERAL,
    NEW_TYPE,
    NO_FIELDS,
    OBJECTS,
    PYDANTIC_MODELS,
    UNION,
)
from persistc.expression_text import expression_text
from persistc.flow_changes.stored_classes import Form, StoredClasses
from persistc.flow_tree import Attribute, Call, Constant, Expression, Name, Operation, Quoted, Subscript
from persistc.model import Class, ClassAttribute, Module
from persistc.project import Project

_ENUMS = frozenset(f"enum.{name}" for name in ("Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"))
_OPTIONAL = frozenset({"typing.Optional", "typing_extensions.Optional"})
_TYPED_DICTS = frozenset({"typing.TypedDict", "typing_extensions.TypedDict"})
_NOT_REQUIRED = frozenset({"typing.NotRequired", "typing_extensions.NotRequired"})
_REQUIRED = frozenset({"typing.Required", "typing_extensions.Required"})
_TUPLES = frozenset({"builtins.tuple", "typing.Tuple"})


@dataclass(frozen=True, slots=True)
class Plain:
    """A type by its name: a builtin, one of a library, or one that cannot be looked into."""

    name: str
    shown: str


@dataclass(frozen=True, slots=True)
class Alternatives:
    """A union."""

    members: tuple[Written, ...]
    shown: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A list, set or tuple of any length."""

    items: Written
    shown: str


@dataclass(frozen=True, slots=True)
class Fixed:
    """A tuple of a fixed length."""

    items: tuple[Written, ...]
    shown: str


@dataclass(frozen=True, slots=True)
class Keyed:
    """A dict."""

    keys: Written
    values: Written
    shown: str


@dataclass(frozen=True, slots=True)
class Values:
    """An enum or `Literal`: its values, each with the name it has."""

    names: Mapping[str, str]
    shown: str
    is_class: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A class with fields; they are read when they are asked for, since a record may hold itself."""

    cls: Class
    module: Module

    @property
    def shown(self) -> str:
        return self.cls.name


@dataclass(frozen=True, slots=True)
class Field:
    written: Written
    is_required: bool
    is_last: bool
    """Stands behind those that are not, where fields are told by their place."""


Written: TypeAlias = Plain | Alternatives | Listed | Fixed | Keyed | Values | Record
NONE = Plain("None", "None")


@dataclass(frozen=True)
class StoredTypes:
    """Reads the annotations of one project."""

    project: Project

    def read(self, expression: Expression | None, module: Module, inside: Class | None = None) -> Written:
        """What values of an annotation look like in the log; no annotation is that of a method that returns nothing."""
        if expression is None:
            return NONE
        shown = expression_text(expression)
        match expression:
            case Quoted(inner=inner):
                return self.read(inner, module, inside)
            case Constant(value=None):
                return NONE
            case Operation(operator="|"):
                return Alternatives(tuple(self._members(expression, module, inside)), shown)
            case Subscript():
                return self._subscript(expression, module, inside, shown)
            case Name() | Attribute():
                return self._named(expression, module, inside, shown)
            case _:
                return Plain(shown, shown)

    def _members(self, expression: Expression, module: Module, inside: Class | None) -> Iterator[Written]:
        if isinstance(expression, Operation) and expression.operator == "|":
            yield from self._members(expression.left, module, inside)
            yield from self._members(expression.right, module, inside)
        else:
            yield self.read(expression, module, inside)

    def _subscript(self, node: Subscript, module: Module, inside: Class | None, shown: str) -> Written:
        origin = self.project.origin_of(node.value, module, inside)
        parts = [self.read(item, module, inside) for item in node.items] if origin not in LITERAL else []
        if origin in LITERAL:
            return Values({expression_text(item): expression_text(item) for item in node.items}, shown)
        if origin in ANNOTATED:
            # A conversion of the user's own decides; without one, only the type counts.
            converted = any(isinstance(item, Call) for item in node.items[1:])
            return Plain(shown, shown) if converted else parts[0]
        if origin in _NOT_REQUIRED | _REQUIRED:
            return parts[0]
        if origin in _OPTIONAL:
            return Alternatives((parts[0], NONE), shown)
        if origin in UNION:
            return Alternatives(tuple(parts), shown)
        if origin in _TUPLES:
            last = node.items[-1]
            endless = isinstance(last, Constant) and last.value is ...
            return Listed(parts[0], shown) if endless else Fixed(tuple(parts), shown)
        if origin in LISTS:
            return Listed(parts[0], shown)
        if origin in OBJECTS and len(parts) == 2:
            return Keyed(parts[0], parts[1], shown)
        return Plain(shown, shown)

    def _named(self, node: Name | Attribute, module: Module, inside: Class | None, shown: str) -> Written:
        origin = self.project.origin_of(node, module, inside)
        if origin is None:
            return Plain(shown, shown)
        if (found := self.project.find_class(origin)) is not None:
            return self.of_class(*found)
        bound = self.project.binding(origin)
        if bound is not None and bound[0].value is not None:
            value, home = bound[0].value.expression, bound[1]
            if isinstance(value, Call):
                is_new_type = self.project.origin_of(value.function, home) in NEW_TYPE and len(value.arguments) > 1
                return self.read(value.arguments[1].value, home) if is_new_type else Plain(origin, shown)
            return self.read(value, home)
        return Plain(origin, shown)

    def of_class(self, cls: Class, module: Module) -> Written:
        """What values of a class look like in the log."""
        lineage = self.project.lineage(cls, module)
        bases = {base.origin for owner, _ in lineage for base in owner.bases}
        if bases & _ENUMS:
            names: dict[str, str] = {}
            for value, name in StoredClasses(self.project).values_of_enum(cls, module):
                names.setdefault(value, name)
            return Values(names, cls.name, is_class=True)
        is_record = bool(bases & (FIELDS_OF_BASES | PYDANTIC_MODELS)) or any(
            owner.has_decorator(*FIELDS_OF_DECORATORS) for owner, _ in lineage
        )
        return Record(cls, module) if is_record else Plain(cls.name, cls.name)

    def form(self, record: Record) -> Form:
        """How values of a record are written down."""
        return StoredClasses(self.project).form(record.cls, record.module)

    def fields(self, record: Record) -> dict[str, Field]:
        """The fields of a record by the names they have in the log, in their order, inherited ones among them."""
        lineage = self.project.lineage(record.cls, record.module)
        is_dict = any(base.origin in _TYPED_DICTS for owner, _ in lineage for base in owner.bases)
        classes = StoredClasses(self.project)
        found: dict[str, tuple[str, Field]] = {}
        for owner, module in reversed(lineage):
            for each in owner.attributes:
                if each.annotation is None or each.method is not None:
                    continue
                kind = each.annotation.expression
                outer = kind.value if isinstance(kind, Subscript) else kind
                origin = self.project.origin_of(outer, module, owner)
                if origin in NO_FIELDS:
                    continue
                optional = (
                    self._is_optional(each, owner, origin) if is_dict else classes.has_default(each, owner, module)
                )
                written = Field(self.read(kind, module, owner), not optional, classes.is_last_in_order(owner))
                found[each.name] = (classes.stored_name(each, owner, module), written)
        return dict(sorted(found.values(), key=lambda each: each[1].is_last))

    def _is_optional(self, each: ClassAttribute, owner: Class, origin: str | None) -> bool:
        total = next((keyword.value.text for keyword in owner.keywords if keyword.keyword == "total"), "True")
        return origin in _NOT_REQUIRED or (total == "False" and origin not in _REQUIRED)
