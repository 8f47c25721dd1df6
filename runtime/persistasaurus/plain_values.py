"""What an exception carries, as JSON that says its type: tuples, dates, enums and the like come back as they were (G3).

Arguments and attributes of exceptions have no declared types, so each value that JSON does not know is an object with
one member, `{"$tuple": [...]}`. Only the types written here are built again, and enums found in modules that are loaded
anyway: nothing is looked up because the log names it (G12).
"""

from __future__ import annotations

import math
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any, Final
from uuid import UUID

import msgspec

from persistasaurus.conversions import Json

LONGEST_TEXT: Final = 10_000
"""Characters kept of a text that stands for something else."""

_DEEPEST: Final = 40
_WIDEST_INT: Final = 1 << 62
_sort_key: Final = msgspec.json.encode


class NotPlain(Exception):
    """The value is none that comes back; only `PlainWriter` sees this."""


class TooMuch(BaseException):
    """What is written has used up its `Allowance`; from `BaseException`, because it is not about one value."""


class Allowance:
    """How much may be written in all: values that hold others more than once have no end worth waiting for.

    Args:
        values: How many.
        characters: Of text and bytes in them.
    """

    __slots__ = ("_characters", "_values")

    def __init__(self, values: int, characters: int) -> None:
        self._values = values
        self._characters = characters

    def spend(self, values: int, characters: int = 0) -> None:
        """Take from it.

        Raises:
            TooMuch: There is not so much left.
        """
        self._values -= values
        self._characters -= characters
        if self._values < 0 or self._characters < 0:
            raise TooMuch


def type_name(cls: type) -> str:
    """The name under which a class is on record."""
    return f"{cls.__module__}.{cls.__qualname__}"


def text_of(value: object, render: Callable[[Any], str] = repr, longest: int = LONGEST_TEXT) -> str:
    """A value as text that JSON can hold, whatever its own methods do."""
    try:
        text = str.__str__(render(value))
    except KeyboardInterrupt:
        raise
    except BaseException:
        text = f"<unprintable {type(value).__name__}>"
    text = text if len(text) <= longest else f"{text[:longest]}..."
    return text.encode("utf-8", "backslashreplace").decode()


class PlainWriter:
    """Writes values as JSON that says its types."""

    def __init__(
        self, enums: Mapping[str, type[Enum]], exception: Callable[[BaseException], Json], allowance: Allowance
    ) -> None:
        """Build it.

        Args:
            enums: The enums that come back, by name on record; members of others are written as their values.
            exception: How an exception inside a value is written.
            allowance: How much may be written.
        """
        self._enums = enums
        self._exception = exception
        self._allowance = allowance
        self._above: list[int] = []

    def write(self, value: object) -> Json:
        """The value as JSON.

        Raises:
            NotPlain: It is of none of the types that come back. Inside a container it becomes text instead.
            TooMuch: The allowance is used up.
        """
        self._allowance.spend(1, _size(value))
        if value is None or value is True or value is False:
            return value
        if isinstance(value, Enum):
            return self._write_enum(value)
        for cls, write in _ATOMS.items():
            if isinstance(value, cls):
                return write(value)
        if isinstance(value, _HOLDERS) and (id(value) in self._above or len(self._above) >= _DEEPEST):
            return "..."
        self._above.append(id(value))
        try:
            return self._write_container(value)
        finally:
            self._above.pop()

    def write_or_text(self, value: object) -> Json:
        """The value as JSON, or its `repr` if it does not come back."""
        try:
            return self.write(value)
        except (KeyboardInterrupt, TooMuch):
            raise
        except BaseException:
            text = text_of(value)
            self._allowance.spend(0, len(text))
            return text

    def _write_container(self, value: object) -> Json:
        if isinstance(value, list):
            return self._items(value)
        if isinstance(value, tuple):
            return {"$tuple": self._items(value)}
        if isinstance(value, dict):
            if all(type(key) is str and not key.startswith("$") and key.isprintable() for key in value):
                return {key: self.write_or_text(item) for key, item in value.items()}
            return {"$dict": [[self.write_or_text(key), self.write_or_text(item)] for key, item in value.items()]}
        if isinstance(value, set | frozenset):
            tag = "$set" if isinstance(value, set) else "$frozenset"
            return {tag: sorted(self._items(value), key=_sort_key)}
        if isinstance(value, BaseException):
            return {"$exception": self._exception(value)}
        raise NotPlain

    def _items(self, values: Iterable[object]) -> list[Json]:
        return [self.write_or_text(item) for item in values]

    def _write_enum(self, member: Enum) -> Json:
        name = type_name(type(member))
        value = self.write(member.value)
        return {"$enum": [name, value]} if self._enums.get(name) is type(member) else value


_HOLDERS: Final = (list, tuple, dict, set, frozenset)


def _size(value: object) -> int:
    if isinstance(value, str):
        return str.__len__(value)
    return bytes.__len__(value) if isinstance(value, bytes) else 0


def _write_int(value: int) -> Json:
    value = int(value)
    # In hexadecimal beyond what Python turns into decimal digits without complaint.
    return value if -_WIDEST_INT < value < _WIDEST_INT else {"$int": hex(value)}


def _write_float(value: float) -> Json:
    value = float(value)
    return value if math.isfinite(value) else {"$float": repr(value)}


def _write_str(value: str) -> Json:
    value = str.__str__(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        return {"$str": value.encode("unicode_escape").decode()}
    return value


def _write_datetime(value: datetime) -> Json:
    return {"$datetime": [value.isoformat(), value.fold]}


def _write_time(value: time) -> Json:
    return {"$time": [value.isoformat(), value.fold]}


def _write_path(value: PurePath) -> Json:
    return {"$path": [type(value).__name__, _write_str(str(value))]}


_ATOMS: Final[dict[type, Callable[[Any], Json]]] = {
    str: _write_str,
    int: _write_int,
    float: _write_float,
    bytes: lambda value: {"$bytes": b64encode(value).decode()},
    bytearray: lambda value: {"$bytearray": b64encode(value).decode()},
    complex: lambda value: {"$complex": repr(complex(value))},
    datetime: _write_datetime,
    date: lambda value: {"$date": value.isoformat()},
    time: _write_time,
    timedelta: lambda value: {"$timedelta": [value.days, value.seconds, value.microseconds]},
    Decimal: lambda value: {"$decimal": str(value)},
    UUID: lambda value: {"$uuid": str(value)},
    PurePath: _write_path,
}
"""Types without an inside, the more special before the more general: a datetime is a date."""


class PlainReader:
    """Reads what `PlainWriter` wrote."""

    def __init__(self, enums: Mapping[str, type[Enum]], exception: Callable[[Any], BaseException]) -> None:
        self._enums = enums
        self._exception = exception

    def read(self, plain: Any) -> Any:
        """The value on record."""
        if isinstance(plain, list):
            return [self.read(item) for item in plain]
        if not isinstance(plain, dict):
            return plain
        if len(plain) == 1:
            [(tag, content)] = plain.items()
            if tag.startswith("$"):
                return self._read_tagged(tag, content)
        return {key: self.read(item) for key, item in plain.items()}

    def _read_tagged(self, tag: str, content: Any) -> Any:
        if tag in _MAKERS:
            return _MAKERS[tag](content)
        if tag == "$exception":
            return self._exception(content)
        if tag == "$enum":
            return self._read_enum(*content)
        items = self.read(content)
        return dict(items) if tag == "$dict" else _CONTAINERS[tag](items)

    def _read_enum(self, name: str, plain: Any) -> Any:
        value = self.read(plain)
        try:
            return self._enums[name](value)
        except (KeyError, ValueError):
            return value  # the enum or the member is gone from the code; its value is what is left


def _read_fold(cls: Any) -> Callable[[Any], Any]:
    return lambda content: cls.fromisoformat(content[0]).replace(fold=content[1])


def _read_path(content: Any) -> PurePath:
    name, plain = content
    text = _MAKERS["$str"](plain["$str"]) if isinstance(plain, dict) else plain
    pure: PurePath = PureWindowsPath(text) if "Windows" in name else PurePosixPath(text)
    # A path of the other kind of system can be looked at here, but not opened.
    here = Path(text)
    return here if type(here).__name__ == name else pure


_CONTAINERS: Final[dict[str, Callable[[Any], Any]]] = {"$tuple": tuple, "$set": set, "$frozenset": frozenset}
_MAKERS: Final[dict[str, Callable[[Any], Any]]] = {
    "$int": lambda content: int(content, 16),
    "$float": float,
    "$str": lambda content: content.encode().decode("unicode_escape"),
    "$bytes": b64decode,
    "$bytearray": lambda content: bytearray(b64decode(content)),
    "$complex": complex,
    "$datetime": _read_fold(datetime),
    "$date": date.fromisoformat,
    "$time": _read_fold(time),
    "$timedelta": lambda content: timedelta(*content),
    "$decimal": Decimal,
    "$uuid": UUID,
    "$path": _read_path,
}
