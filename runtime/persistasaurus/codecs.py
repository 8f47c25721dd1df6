"""Values to JSON text and back, for declared types: one codec a result, one a list of parameters (G12).

Whatever a codec accepts comes back equal, or is refused before it is on record (G3): `round_trip` decodes what it has
just encoded and compares. A value takes its declared type: an int given for a float comes back as a float.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Generic, TypeVar

import msgspec

from persistasaurus.canonical import canonical
from persistasaurus.differences import NOT_FINITE, at_path, difference, equal, first_inside, shortened
from persistasaurus.errors import CorruptRow, ValueNotStorable, ValueTooLarge
from persistasaurus.storable import Storage, storage_of

T = TypeVar("T")

MAX_BYTES: Final = 16 * 2**20
"""Bytes of JSON one value may take unless the engine says otherwise."""

_shared: Final = msgspec.json.Encoder(order="deterministic").encode


def encoder_for(storage: Storage) -> Callable[[object], bytes]:
    """How values of this type become JSON: the same bytes for equal values."""
    if storage.sorts_itself:
        if not storage.conversions:
            return _shared
        return msgspec.json.Encoder(order="deterministic", enc_hook=partial(_to_plain, storage.conversions)).encode
    plain = msgspec.json.Encoder(enc_hook=partial(_to_plain, storage.conversions)).encode
    shape = storage.shape
    return lambda value: canonical(plain(value), shape)


def decoder_for(annotation: Any, storage: Storage) -> Callable[[str | bytes], Any]:
    """How values of this type are read from JSON."""
    if not storage.conversions:
        return msgspec.json.Decoder(annotation).decode
    return msgspec.json.Decoder(annotation, dec_hook=partial(_from_plain, storage.conversions)).decode


def _to_plain(conversions: dict[type, Any], value: object) -> object:
    for cls in type(value).__mro__:
        if cls in conversions:
            plain: object = conversions[cls].encode(value)
            return plain
    raise NotImplementedError(f"{type(value).__qualname__} is not of the declared type")


def _from_plain(conversions: dict[type, Any], cls: Any, plain: object) -> object:
    conversion = conversions.get(cls) or conversions[cls.__origin__]
    value: object = conversion.decode(plain)
    return value


class ValueCodec(Generic[T]):
    """Stores values of one type."""

    __slots__ = ("_decode", "_encode", "_where", "annotation")

    def __init__(self, annotation: Any, where: str) -> None:
        """Build it.

        Args:
            annotation: The type, resolved.
            where: Whose values these are, for errors: "the result of OrderFlow.place (app/flows.py:12)".

        Raises:
            ValueNotStorable: The type cannot be stored.
        """
        storage = storage_of(annotation, where)
        self.annotation = annotation
        self._where = where
        self._encode = encoder_for(storage)
        self._decode = decoder_for(annotation, storage)

    def round_trip(self, value: T, max_bytes: int = MAX_BYTES) -> tuple[str, T]:
        """What to record of a value, and the value as it comes back.

        Raises:
            ValueNotStorable: It would not come back as it is.
            ValueTooLarge: Its JSON is longer than `max_bytes`.
        """
        try:
            data = self._encode(value)
            back: T = self._decode(data)
        except Exception as reason:
            raise refusal(self._where, value, reason) from reason
        if not equal(value, back):
            differs = difference(value, back, self._same_text)
            if differs is not None:
                raise ValueNotStorable(f"{self._where} cannot be stored: {differs}")
        if len(data) > max_bytes:
            raise too_large(self._where, len(data), max_bytes)
        return data.decode(), back

    def encode(self, value: T, max_bytes: int = MAX_BYTES) -> str:
        """What to record of a value; refuses what `round_trip` refuses."""
        return self.round_trip(value, max_bytes)[0]

    def decode(self, text: str) -> T:
        """The value on record.

        Raises:
            CorruptRow: The text is not of this type.
        """
        try:
            value: T = self._decode(text)
        except Exception as reason:
            raise unreadable(self._where, text, reason) from reason
        return value

    def _same_text(self, a: object, b: object) -> bool:
        return equal_text(self._encode, a, b)


def equal_text(encode: Callable[[object], bytes], a: object, b: object) -> bool:
    """Whether two values are stored alike."""
    try:
        return encode(a) == encode(b)
    except Exception:
        return False


def refusal(where: str, value: object, reason: Exception, root: str = "") -> ValueNotStorable:
    """The error for a value that was not encoded, or not read again; `root` is its name in the path."""
    found = first_inside(value, _never_json)
    if found is not None:
        inside, culprit = found
        text = f"{shortened(culprit)}: {NOT_FINITE if isinstance(culprit, float) else 'it has half a surrogate pair'}"
    else:
        text, _, inside = str(reason).partition(" - at `$")
        text, inside = text or repr(reason), inside.rstrip("`")
    return ValueNotStorable(f"{where} cannot be stored: {text}{at_path(root, inside)}")


def _never_json(value: object) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value)


def too_large(where: str, size: int, limit: int) -> ValueTooLarge:
    """The error for a value longer than the log takes."""
    return ValueTooLarge(
        f"{where} takes {size:,} bytes of JSON, the log takes {limit:,}; store large data elsewhere and pass its name, "
        "or raise the limit with Engine(max_bytes=...)"
    )


def unreadable(where: str, text: str, reason: Exception) -> CorruptRow:
    """The error for recorded text that today's type does not read."""
    return CorruptRow(
        f"{where}: the log has {shortened(text)}, which is not of the declared type: {reason}; "
        "if the type was changed, bring it back or give the new one a default"
    )
