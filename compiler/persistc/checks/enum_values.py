"""The values of an enum's members, as far as they can be read: each is stored by its value, text or whole number."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from persistc.flow_tree import Call, Constant, Display, Expression, Quoted, Unary
from persistc.model import Class, ClassAttribute, Module
from persistc.project import Project


class _Value(Enum):
    TEXT = auto()
    NUMBER = auto()
    OTHER = auto()


@dataclass(frozen=True, slots=True)
class Misfit:
    """The member for which an enum cannot be stored."""

    member: ClassAttribute
    label: str


_MAKES = {
    "builtins.str": _Value.TEXT,
    "builtins.int": _Value.NUMBER,
    "enum.auto": _Value.NUMBER,
    **{
        f"builtins.{name}": _Value.OTHER
        for name in ("bool", "bytes", "complex", "dict", "float", "frozenset", "list", "object", "set", "tuple")
    },
    **{f"datetime.{name}": _Value.OTHER for name in ("date", "datetime", "time", "timedelta")},
    "decimal.Decimal": _Value.OTHER,
    "fractions.Fraction": _Value.OTHER,
    "uuid.UUID": _Value.OTHER,
}
"""What a call makes a member's value."""

_PLAIN = frozenset({"builtins.object", "enum.Enum"})
_CHECKING = frozenset({"enum.unique", "enum.verify"})
_REMADE_BY = frozenset({"__init__", "__new__", "_generate_next_value_", "_ignore_"})
"""Names in the body of an enum by which its members get other values than those that are written."""


def misfit(project: Project, cls: Class, home: Module) -> Misfit | None:
    """The first member that does not go with those before it; None for what is no enum, and for one that is not
    known to be wrong: with values of a mixed-in type, values that its own code makes, values that are computed."""
    if not _is_plain_enum(project, cls, home):
        return None
    first: tuple[str, _Value] | None = None
    for member in _members(cls):
        assert member.value is not None
        value = _value(project, member.value.expression, cls, home)
        if value is _Value.OTHER:
            return Misfit(member, "neither a text nor a whole number")
        if value is not None and first is not None and value is not first[1]:
            here, there = ("a text", "a whole number") if value is _Value.TEXT else ("a whole number", "a text")
            return Misfit(member, f"{here}, and `{first[0]}` is {there}")
        if value is not None and first is None:
            first = member.name, value
    return None


def _is_plain_enum(project: Project, cls: Class, home: Module) -> bool:
    lineage = project.lineage(cls, home)
    bases = {
        None if base.origin is None else project.canonical(base.origin)
        for owner, module in lineage
        for base in owner.bases
        if project.base_class(base, module) is None
    }
    return (
        "enum.Enum" in bases
        and bases <= _PLAIN
        and not any(owner.keywords or _REMADE_BY & owner.scope.by_name.keys() for owner, _ in lineage)
        and all(decorator.origin in _CHECKING for owner, _ in lineage for decorator in owner.decorators)
    )


def _members(cls: Class) -> Iterator[ClassAttribute]:
    for attribute in cls.attributes:
        is_set_once = attribute.value is not None and len(cls.scope.by_name.get(attribute.name, ())) == 1
        is_special = attribute.name.startswith("__") or (attribute.name[:1] == attribute.name[-1:] == "_")
        if attribute.method is None and is_set_once and not is_special:
            yield attribute


def _value(project: Project, expression: Expression, cls: Class, home: Module) -> _Value | None:
    match expression:
        case Quoted() | Constant(value=str()):
            return _Value.TEXT
        case Constant(value=value):
            return _Value.NUMBER if type(value) is int else _Value.OTHER
        case Unary(operator="-" | "+", value=Constant() as number):
            return _value(project, number, cls, home)
        case Display():
            return _Value.OTHER
        case Call(function=function):
            return _MAKES.get(project.origin_of(function, home, cls) or "")
        case _:
            return None
