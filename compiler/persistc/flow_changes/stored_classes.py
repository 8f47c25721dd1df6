"""What classes look like in the log: records by the names their fields have there, enums by their values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from persistc.checks.type_tables import FIELDS_OF_BASES
from persistc.expression_text import expression_text
from persistc.flow_tree import Call, Constant, Expression
from persistc.model import Class, ClassAttribute, Module, Text
from persistc.project import Project

_FIELD_MAKERS = frozenset(
    {
        "msgspec.field",
        "dataclasses.field",
        "pydantic.Field",
        "pydantic.fields.Field",
        "attrs.field",
        *(f"attr.{name}" for name in ("attrib", "field", "ib")),
    }
)
_NAMES = ("name", "alias")
_DEFAULTS = frozenset({"default", "default_factory", "factory"})
_CONFIGURATIONS = frozenset({"pydantic.ConfigDict"})
_ENUM_AUTO = "enum.auto"
_FLAGS = frozenset({"enum.Flag", "enum.IntFlag"})


@dataclass(frozen=True, slots=True)
class Form:
    """How the values of a class are written down."""

    is_array: bool
    """As a list of the fields in their order, not as an object."""
    tag: str
    """What says which class a value is of; empty for none."""
    tag_field: str
    forbids_unknown: bool
    """Refuses a value with a field that the class does not have."""


@dataclass(frozen=True)
class StoredClasses:
    """Reads the classes of one project."""

    project: Project

    def form(self, cls: Class, module: Module) -> Form:
        bases = {base.origin for owner, _ in self.project.lineage(cls, module) for base in owner.bases}
        is_tuple = any(origin in FIELDS_OF_BASES and origin.endswith(".NamedTuple") for origin in bases if origin)
        tag, field = self._option(cls, module, "tag"), self._option(cls, module, "tag_field")
        return Form(
            is_array=is_tuple or _is_true(self._option(cls, module, "array_like")),
            tag=_tag(cls, tag, field),
            tag_field=str(field.expression.value)
            if field is not None and isinstance(field.expression, Constant)
            else "type",
            forbids_unknown=is_tuple
            or _is_true(self._option(cls, module, "forbid_unknown_fields"))
            or self._forbids_extra(cls, module),
        )

    def stored_name(self, attribute: ClassAttribute, owner: Class, module: Module) -> str:
        """The name a field has in the log."""
        made = self._field_maker(attribute, owner, module)
        for argument in made.arguments if made is not None else ():
            if argument.keyword in _NAMES and isinstance(argument.value, Constant):
                return str(argument.value.value)
        rename = self._option(owner, module, "rename")
        if rename is None or (isinstance(rename.expression, Constant) and rename.expression.value is None):
            return attribute.name
        style = rename.expression.value if isinstance(rename.expression, Constant) else None
        if isinstance(style, str) and style in _STYLES:
            return _STYLES[style](attribute.name)
        # A function or table of the user's own: the name by it.
        return f"{expression_text(rename.expression)}({attribute.name})"

    def has_default(self, attribute: ClassAttribute, owner: Class, module: Module) -> bool:
        made = self._field_maker(attribute, owner, module)
        if made is None:
            return attribute.value is not None
        first = made.arguments[0] if made.arguments and made.arguments[0].keyword is None else None
        given = [each.value for each in made.arguments if each.keyword in _DEFAULTS or each is first]
        return any(not (isinstance(each, Constant) and each.value is ...) for each in given)

    def is_last_in_order(self, owner: Class) -> bool:
        """Whether the fields that a class itself defines stand behind those of its bases and subclasses."""
        return any(each.keyword == "kw_only" and _is_true(each.value) for each in owner.keywords)

    def values_of_enum(self, cls: Class, module: Module) -> Iterator[tuple[str, str]]:
        """The values of an enum as they are written down, each with the name of its first member."""
        lineage = self.project.lineage(cls, module)
        bases = {base.origin for owner, _ in lineage for base in owner.bases}
        is_own = any("_generate_next_value_" in owner.by_name for owner, _ in lineage)
        highest = 0
        for attribute in cls.attributes:
            if attribute.method is not None or attribute.value is None or attribute.name.startswith("_"):
                continue
            value = attribute.value.expression
            if not self._is_auto(value, module):
                if isinstance(value, Constant) and isinstance(value.value, int):
                    highest = max(highest, value.value)
                yield expression_text(value), attribute.name
            elif is_own:
                yield f"auto({attribute.name})", attribute.name
            elif "enum.StrEnum" in bases:
                yield f'"{attribute.name.lower()}"', attribute.name
            else:
                highest = 1 << highest.bit_length() if bases & _FLAGS else highest + 1
                yield str(highest), attribute.name

    def _is_auto(self, value: Expression, module: Module) -> bool:
        return isinstance(value, Call) and self.project.origin_of(value.function, module) == _ENUM_AUTO

    def _field_maker(self, attribute: ClassAttribute, owner: Class, module: Module) -> Call | None:
        value = attribute.value.expression if attribute.value is not None else None
        if not isinstance(value, Call) or self.project.origin_of(value.function, module, owner) not in _FIELD_MAKERS:
            return None
        return value

    def _option(self, cls: Class, module: Module, name: str) -> Text | None:
        """An option of a class, which the classes below it have too."""
        for owner, _ in self.project.lineage(cls, module):
            for each in owner.keywords:
                if each.keyword == name:
                    return each.value
        return None

    def _forbids_extra(self, cls: Class, module: Module) -> bool:
        """Whether a pydantic model refuses fields it does not have."""
        extra = self._option(cls, module, "extra")
        if extra is not None:
            return _is_forbid(extra.expression)
        for owner, home in self.project.lineage(cls, module):
            for each in owner.attributes:
                value = each.value.expression if each.value is not None else None
                if each.name == "model_config" and isinstance(value, Call):
                    is_known = self.project.origin_of(value.function, home, owner) in _CONFIGURATIONS
                    given = [part.value for part in value.arguments if part.keyword == "extra"]
                    if is_known and given:
                        return _is_forbid(given[0])
        return False


def _tag(cls: Class, tag: Text | None, field: Text | None) -> str:
    if tag is None:
        return cls.name if field is not None else ""
    if not isinstance(tag.expression, Constant):
        return f"{expression_text(tag.expression)}({cls.name})"
    match tag.expression.value:
        case None:
            return cls.name if field is not None else ""
        case False:
            return ""
        case True:
            return cls.name
        case given:
            return str(given)


def _is_true(value: Text | None) -> bool:
    return value is not None and isinstance(value.expression, Constant) and value.expression.value is True


def _is_forbid(value: Expression) -> bool:
    return isinstance(value, Constant) and value.value == "forbid"


def _camel(name: str) -> str:
    first, *others = filter(None, name.split("_"))
    return "".join([_leading(name), first, *map(str.title, others)])


def _pascal(name: str) -> str:
    return _leading(name) + "".join(each.title() for each in name.split("_"))


def _leading(name: str) -> str:
    return name[: len(name) - len(name.lstrip("_"))]


def _kebab(name: str) -> str:
    return name.strip("_").replace("_", "-")


_STYLES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "upper": str.upper,
    "camel": _camel,
    "pascal": _pascal,
    "kebab": _kebab,
}
"""What `rename=` of a Struct makes of a name, https://jcristharif.com/msgspec/structs.html#renaming-fields."""
