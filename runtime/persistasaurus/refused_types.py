"""Why msgspec refuses a type, in our words: from an annotation to the part that is to blame, and what to write.

msgspec refuses a type as a whole. Which part it means is found by asking again for each part, so this costs nothing
until a type is refused.
"""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from msgspec import inspect as shapes

from persistasaurus.annotations import is_below_class

_CLASSES: Final = (shapes.StructType, shapes.DataclassType, shapes.TypedDictType)
_TEXT: Final = "text"
_FORMS: Final[dict[str, tuple[type[shapes.Type], ...]]] = {
    _TEXT: (
        shapes.StrType,
        shapes.BytesType,
        shapes.ByteArrayType,
        shapes.DateTimeType,
        shapes.DateType,
        shapes.TimeType,
        shapes.TimeDeltaType,
        shapes.UUIDType,
        shapes.DecimalType,
    ),
    "whole numbers": (shapes.IntType,),
    "lists": (shapes.CollectionType, shapes.TupleType, shapes.NamedTupleType),
    "JSON objects": (shapes.DictType, *_CLASSES),
}
"""The forms of JSON that the types of one union are told apart by."""


def why_refused(annotation: Any, reason: str) -> tuple[str, str]:
    """Where in a type that msgspec refuses the culprit is, and why it is refused; `reason` is what msgspec said."""
    path, culprit = _culprit(annotation, (annotation,), "")
    if not _is_union(culprit):
        return path or getattr(culprit, "__qualname__", ""), reason
    members = [member for member in get_args(culprit) if member is not types.NoneType]
    for index, second in enumerate(members):
        for first in members[:index]:
            if _refused(Union[first, second]):  # noqa: UP007  (the members are values here)
                return path, _alike(first, second)
    return path, reason


def _culprit(annotation: Any, above: tuple[Any, ...], path: str) -> tuple[str, Any]:
    for step, part in _parts(annotation):
        if part not in above and _refused(part):
            starts = step.startswith(".") and not is_below_class(path)
            here = (get_origin(annotation) or annotation).__qualname__ if starts else path
            return _culprit(part, (*above, part), here + step)
    return path, annotation


def _refused(annotation: Any) -> bool:
    try:
        shapes.type_info(annotation)
    except Exception:
        return True
    return False


def _parts(annotation: Any) -> Iterator[tuple[str, Any]]:
    """The types an annotation is made of, as far as they can be named: containers, unions and fields of classes."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated or _is_union(annotation):
        yield from (("", part) for part in arguments[: 1 if origin is Annotated else None])
    elif origin is tuple and Ellipsis not in arguments:
        yield from ((f"[{index}]", part) for index, part in enumerate(arguments))
    elif isinstance(origin, type) and issubclass(origin, Mapping) and len(arguments) == 2:
        yield from zip(("[key]", "[]"), arguments, strict=True)
    elif isinstance(origin, type) and arguments and not getattr(origin, "__annotations__", None):
        yield from (("[]", part) for part in arguments if part is not Ellipsis)
    else:
        try:
            fields = get_type_hints(origin or annotation, include_extras=True)
        except Exception:  # a name that is not defined: msgspec has said so
            return
        yield from ((f".{name}", part) for name, part in fields.items())


def _is_union(annotation: Any) -> bool:
    return get_origin(annotation) in {Union, types.UnionType}


def _alike(first: Any, second: Any) -> str:
    one, other = shapes.type_info(first), shapes.type_info(second)
    named = f"`{_shown(first)}` and `{_shown(second)}`"
    alternatives = "write one of them, or a dataclass with an optional field for each"
    own = isinstance(one, shapes.CustomType), isinstance(other, shapes.CustomType)
    if any(own):
        if all(own):
            alternatives = "write one class that holds them, such as a pydantic model with a discriminator"
        return f"{named} could not be told apart, as the log knows the JSON of types of its own only; {alternatives}"
    if isinstance(one, _CLASSES) and isinstance(other, _CLASSES):
        tagged = f"`class {_shown(first)}(msgspec.Struct, tag=True)`"
        alternatives = f"give both a tag, {tagged}, or write one class with optional fields"
    return f"{named} are both written as {_form(one)} and could not be told apart; {alternatives}"


def _form(shape: shapes.Type) -> str:
    if isinstance(shape, shapes.Metadata):
        return _form(shape.type)
    if isinstance(shape, shapes.StructType) and shape.array_like:
        return "lists"
    values = [each.value for each in shape.cls] if isinstance(shape, shapes.EnumType) else []
    if isinstance(shape, shapes.LiteralType):
        values = list(shape.values)
    if values:
        return _TEXT if isinstance(values[0], str) else "whole numbers"
    return next((form for form, kinds in _FORMS.items() if isinstance(shape, kinds)), "the same JSON")


def _shown(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) and not get_args(annotation) else repr(annotation)
