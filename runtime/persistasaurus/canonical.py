"""One text for equal values: JSON whose sets and keys msgspec cannot sort is sorted by the text of their members.

msgspec sorts text keys, and sets whose members Python can compare. For keys of another kind, and for sets of enums,
optional values, classes and the like, the JSON is taken apart once more along the declared type.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import inspect as shapes

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_decode: Final = msgspec.json.Decoder().decode


def canonical(text: bytes, shape: shapes.Type) -> bytes:
    """The same JSON with the members of every set of the type, and all keys, in order."""
    return _encode(_sorted(_decode(text), shape))


def _sorted(plain: Any, shape: shapes.Type) -> Any:
    """`plain`, changed in place where it can be."""
    if isinstance(plain, list):
        _sort_list(plain, shape)
    elif isinstance(plain, dict):
        _sort_dict(plain, shape)
    return plain


def _sort_list(plain: list[Any], shape: shapes.Type) -> None:
    for candidate in _members(shape):
        if isinstance(candidate, shapes.CollectionType):
            for item in plain:
                _sorted(item, candidate.item_type)
            if isinstance(candidate, shapes.SetType | shapes.FrozenSetType):
                plain.sort(key=_encode)
        elif isinstance(candidate, shapes.TupleType):
            for item, item_shape in zip(plain, candidate.item_types, strict=False):
                _sorted(item, item_shape)
        elif isinstance(candidate, shapes.NamedTupleType) or (
            isinstance(candidate, shapes.StructType) and candidate.array_like and _has_tag(candidate, plain)
        ):
            fields = candidate.fields
            values = plain[1:] if isinstance(candidate, shapes.StructType) and candidate.tag is not None else plain
            for item, field in zip(values, fields, strict=False):
                _sorted(item, field.type)


def _sort_dict(plain: dict[str, Any], shape: shapes.Type) -> None:
    for candidate in _members(shape):
        if isinstance(candidate, shapes.DictType):
            for item in plain.values():
                _sorted(item, candidate.value_type)
        elif isinstance(candidate, shapes.DataclassType | shapes.TypedDictType) or (
            isinstance(candidate, shapes.StructType) and not candidate.array_like and _has_tag(candidate, plain)
        ):
            for field in candidate.fields:
                if field.encode_name in plain:
                    _sorted(plain[field.encode_name], field.type)


def _has_tag(shape: shapes.StructType, plain: Any) -> bool:
    if shape.tag is None or shape.tag_field is None:
        return True
    return bool(plain[0] == shape.tag if isinstance(plain, list) else plain.get(shape.tag_field) == shape.tag)


def _members(shape: shapes.Type) -> tuple[shapes.Type, ...]:
    """The types a value may have: a union's members, each without its annotations."""
    if isinstance(shape, shapes.Metadata):
        return _members(shape.type)
    if isinstance(shape, shapes.UnionType):
        return tuple(member for part in shape.types for member in _members(part))
    return (shape,)
