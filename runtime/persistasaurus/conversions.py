"""Types msgspec does not know: `Json`, paths, pydantic models, and a user's own through `stored_as`.

They reach msgspec as hooks of one codec, found in the declared types; the log names none of them (G12).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias, TypeVar

import msgspec
from msgspec import Struct

ValueT = TypeVar("ValueT")
PlainT = TypeVar("PlainT")

_CONVERSION: Final = "persistasaurus.stored_as"
_JSON: Final = "persistasaurus.Json"

if TYPE_CHECKING:
    Json: TypeAlias = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
    """Any JSON value, kept as it is."""
else:
    # msgspec knows no recursive alias: at run time this is Any, with a mark that says it is meant.
    Json = Annotated[Any, msgspec.Meta(extra={_JSON: True})]


class Conversion(Struct, frozen=True):
    """How a value of one type becomes JSON and comes back."""

    encode: Callable[[Any], object]
    decode: Callable[[Any], object]


def stored_as(encode: Callable[[ValueT], PlainT], decode: Callable[[PlainT], ValueT]) -> msgspec.Meta:
    """Say how a type of your own is stored: `Annotated[Money, stored_as(Money.text, Money.parse)]`.

    Args:
        encode: Turns a value into JSON: None, bool, int, float, str, and lists and string-keyed dicts of these.
        decode: Turns that back into an equal value of the same type.
    """
    return msgspec.Meta(extra={_CONVERSION: Conversion(encode, decode)})


def declared_conversion(extra: Mapping[str, object] | None) -> Conversion | None:
    """The conversion that `stored_as` left in an annotation."""
    conversion = extra.get(_CONVERSION) if extra else None
    return conversion if isinstance(conversion, Conversion) else None


def is_json(extra: Mapping[str, object] | None) -> bool:
    """Whether an annotation is `Json`."""
    return bool(extra and _JSON in extra)


def known_conversion(cls: type) -> Conversion | None:
    """The conversion of a type that needs no `stored_as`: a path or a pydantic model."""
    if issubclass(cls, PurePath):
        return Conversion(str, _decode_path(cls))
    if _is_pydantic_model(cls):
        return Conversion(encode_model, _decode_model(cls))
    return None


def _decode_path(cls: type[PurePath]) -> Callable[[object], object]:
    def decode(plain: object) -> PurePath:
        if not isinstance(plain, str):
            raise ValueError(f"Expected `{cls.__name__}` as `str`, got `{type(plain).__name__}`")
        return cls(plain)

    return decode


def _is_pydantic_model(cls: type) -> bool:
    # Looked at, not imported: pydantic is the user's dependency, not ours.
    return callable(getattr(cls, "model_dump", None)) and callable(getattr(cls, "model_validate_json", None))


def encode_model(model: Any) -> object:
    """A pydantic model as plain values."""
    # By way of Python values, so that the encoder sorts the keys of a model as it sorts all others.
    plain: object = model.model_dump(mode="json", by_alias=True, round_trip=True)
    return plain


def _decode_model(cls: Any) -> Callable[[object], object]:
    def decode(plain: object) -> object:
        # As JSON, because strict models take a date as text from JSON only.
        model: object = cls.model_validate_json(msgspec.json.encode(plain))
        return model

    return decode
