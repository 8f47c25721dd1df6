"""Whether a declared type can be stored, and what storing it takes: from an annotation to a `Storage` or an error."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any, Final, get_origin

import msgspec
from msgspec import Struct
from msgspec import inspect as shapes

from persistasaurus.annotations import is_below_class, type_text
from persistasaurus.conversions import Conversion, declared_conversion, is_json, known_conversion
from persistasaurus.errors import ValueNotStorable

ATOMS: Final = frozenset({bool, int, float, str, bytes, type(None)})
"""Types that need no second look."""

_KEYS: Final = (
    shapes.StrType,
    shapes.IntType,
    shapes.FloatType,
    shapes.EnumType,
    shapes.DecimalType,
    shapes.UUIDType,
    shapes.DateTimeType,
    shapes.DateType,
    shapes.TimeType,
    shapes.TimeDeltaType,
    shapes.BytesType,
    shapes.LiteralType,
    shapes.CustomType,
)
_SORTABLE: Final = (
    shapes.StrType,
    shapes.IntType,
    shapes.FloatType,
    shapes.BytesType,
    shapes.DateType,
    shapes.DecimalType,
    shapes.TimeDeltaType,
    shapes.UUIDType,
)
_FIELDS: Final = (shapes.StructType, shapes.DataclassType, shapes.TypedDictType, shapes.NamedTupleType)
_Set = shapes.SetType | shapes.FrozenSetType
_UNSUPPORTED: Final[dict[type[shapes.Type], str]] = {
    shapes.RawType: "msgspec.Raw is text without a type; write persistasaurus.Json",
    shapes.ExtType: "msgspec extensions are not JSON",
    shapes.MemoryViewType: "a memoryview does not own its bytes; write bytes",
}


class Storage(Struct, frozen=True):
    """What storing a type takes."""

    shape: shapes.Type
    conversions: dict[type, Conversion] = {}
    sorts_itself: bool = True
    """Whether msgspec can sort every set and every key inside; otherwise `canonical` does."""


def storage_of(annotation: Any, where: str) -> Storage:
    """What storing values of this type takes.

    Args:
        annotation: The type, resolved: no string, no forward reference.
        where: What has this type, for the error: "parameter 'order' of OrderFlow.place (app/flows.py:12)".

    Raises:
        ValueNotStorable: It cannot be stored; the message says which part of it and what to write.
    """
    try:
        shape = shapes.type_info(annotation)
        storage = Storage(shape)
        if annotation not in ATOMS:
            storage = _Examination(where, annotation).examine(shape)
            msgspec.json.Decoder(annotation, dec_hook=lambda _, plain: plain)  # unions and enums it can tell apart?
    except ValueNotStorable:
        raise
    except Exception as reason:
        from persistasaurus.refused_types import why_refused  # a program whose types are right never needs it

        path, why = why_refused(annotation, str(reason) or repr(reason))
        raise _not_storable(where, annotation, path, why) from reason
    return storage


def _not_storable(where: str, annotation: Any, path: str, reason: str) -> ValueNotStorable:
    return ValueNotStorable(f"{where} has a type that cannot be stored: {_place(annotation, path)}{reason}")


def _place(annotation: Any, path: str) -> str:
    """Where in a type: below a class by the path from there, in a plain container by the whole of the type."""
    if path.startswith("["):
        return f"in `{_short(type_text(annotation))}`, "
    return f"in `{path}`, " if path else ""


class _Examination:
    """One walk over a type."""

    def __init__(self, where: str, annotation: Any) -> None:
        self._where = where
        self._annotation = annotation
        self._conversions: dict[type, Conversion] = {}
        self._sorts_itself = True
        self._seen: set[int] = set()

    def examine(self, shape: shapes.Type) -> Storage:
        self._visit(shape, "", None)
        return Storage(shape, self._conversions, self._sorts_itself)

    def _visit(self, shape: shapes.Type, path: str, extra: dict[str, Any] | None) -> None:
        if isinstance(shape, shapes.Metadata):
            self._visit(shape.type, path, shape.extra)
            return
        conversion = declared_conversion(extra)
        if isinstance(shape, shapes.CustomType):
            self._take(shape.cls, path, conversion)
            return
        if conversion is not None:
            raise self._error(path, "stored_as(...) is for classes that cannot be stored without it; leave it out")
        if isinstance(shape, shapes.AnyType) and not is_json(extra):
            open_type = "Any, or a type left open like a bare `list`, says nothing"
            raise self._error(path, f"{open_type}; write the type, or persistasaurus.Json")
        reason = _UNSUPPORTED.get(type(shape))
        if reason is not None:
            raise self._error(path, reason)
        if id(shape) in self._seen:
            return
        self._seen.add(id(shape))
        if isinstance(shape, shapes.DictType):
            self._key(shape.key_type, path)
        elif isinstance(shape, _Set) and not isinstance(_bare(shape.item_type), _SORTABLE):
            self._sorts_itself = False
        # The path begins at the outermost class: `Order.lines[].socket`.
        here = shape.cls.__qualname__ if isinstance(shape, _FIELDS) and not is_below_class(path) else path
        for step, part in parts_of(shape):
            if (
                step.startswith("._")
                and isinstance(shape, shapes.DataclassType)
                and hasattr(shape.cls, "__attrs_attrs__")
            ):
                raise self._error(here + step, "private attributes of attrs classes are left out; make it a public one")
            self._visit(part, here + step, None)

    def _take(self, cls: Any, path: str, declared: Conversion | None) -> None:
        cls = get_origin(cls) or cls
        conversion = declared or known_conversion(cls)
        if conversion is None:
            raise self._unknown(cls, path)
        if declared is not None and self._conversions.get(cls, declared) != declared:
            raise self._error(path, f"{cls.__qualname__} is given two different stored_as(...)")
        self._conversions[cls] = conversion

    def _key(self, key: shapes.Type, path: str) -> None:
        bare = _bare(key)
        kinds = bare.types if isinstance(bare, shapes.UnionType) else (bare,)
        for kind in map(_bare, kinds):
            flag = isinstance(kind, shapes.LiteralType) and any(isinstance(value, bool) for value in kind.values)
            if flag or not isinstance(kind, _KEYS):
                raise self._error(f"{path}[key]", "a key must be text, a number, an enum, a UUID, a date or a time")
        if not isinstance(bare, shapes.StrType):
            self._sorts_itself = False

    def _unknown(self, cls: type, path: str) -> ValueNotStorable:
        if cls is object:
            return self._error(path, "`object` says nothing; write the type, or persistasaurus.Json")
        # Of the standard library all that can be stored is known; the rest mostly belongs to a process.
        remedy = "keep it on the flow class instead" if _is_of_python(cls.__module__) else "make it a dataclass"
        own = f"Annotated[{cls.__name__}, stored_as(encode, decode)]"
        fault = f"none of the types that are stored; {remedy}, or write {own}"
        shown = _short(cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}")
        if not is_below_class(path):
            return self._error(path, f"`{shown}` is {fault}")
        reason = f"`{path}` is a `{shown}`, {fault}"
        return ValueNotStorable(f"{self._where} has a type that cannot be stored: {reason}")

    def _error(self, path: str, reason: str) -> ValueNotStorable:
        return _not_storable(self._where, self._annotation, path, reason)


def _short(text: str) -> str:
    """A type without the modules of its names, those of the standard library aside."""
    return re.sub(r"[\w.]+", lambda found: found[0] if _is_of_python(found[0]) else found[0].rpartition(".")[2], text)


def _is_of_python(name: str) -> bool:
    return name.partition(".")[0] in sys.stdlib_module_names


def _bare(shape: shapes.Type) -> shapes.Type:
    return shape.type if isinstance(shape, shapes.Metadata) else shape


def parts_of(shape: shapes.Type) -> Iterator[tuple[str, shapes.Type]]:
    """The types a type is made of, each with the step that leads to it."""
    if isinstance(shape, shapes.CollectionType):
        yield "[]", shape.item_type
    elif isinstance(shape, shapes.TupleType):
        for index, item in enumerate(shape.item_types):
            yield f"[{index}]", item
    elif isinstance(shape, shapes.DictType):
        yield "[key]", shape.key_type
        yield "[]", shape.value_type
    elif isinstance(shape, shapes.UnionType):
        for alternative in shape.types:
            yield "", alternative
    elif isinstance(shape, _FIELDS):
        for member in shape.fields:
            yield f".{member.name}", member.type
