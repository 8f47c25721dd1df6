"""Where two values differ, as a path into them: for what came back from the log and for the messages about it.

Python's own `==` answers first and at its speed. It is looked behind only when it says no, because a class without
`__eq__` never equals its stored copy.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator, Mapping, Set
from datetime import datetime
from enum import Enum
from typing import Any, Final

import msgspec

NOT_FINITE: Final = "NaN and infinity are not JSON"

_LONGEST: Final = 60


def equal(a: object, b: object) -> bool:
    """Whether `a == b`, taken as False when the comparison itself fails."""
    try:
        return bool(a == b)
    except Exception:
        return False


def difference(given: object, back: object, same_text: Callable[[object, object], bool], root: str = "") -> str | None:
    """What is different, None if nothing is.

    Args:
        given: The value a program handed over.
        back: The value as it comes back from the log.
        same_text: Whether two values have the same stored form, asked about classes that cannot be compared.
        root: The name of the value in the path.
    """
    found = _difference(given, back, same_text, "", ())
    if found is None:
        return None
    path, reason = found
    return f"{reason}{at_path(root, path)}"


def at_path(root: str, path: str) -> str:
    """Where inside a value something is, for the end of a message; nothing if it is the value itself."""
    return f", at {(root + path).removeprefix('.')}" if path else ""


def _difference(
    given: object, back: object, same_text: Callable[[object, object], bool], path: str, above: tuple[int, ...]
) -> tuple[str, str] | None:
    if equal(given, back) or _same_instant(given, back) or id(given) in above:
        return None
    if isinstance(given, float) and not math.isfinite(given):
        return path, f"{given}: {NOT_FINITE}"
    if type(given) is not type(back):
        kind, kind_back = type(given).__qualname__, type(back).__qualname__
        return path, f"{shortened(given)} ({kind}) would come back as {shortened(back)} ({kind_back})"
    parts, parts_back = dict(members(given)), dict(members(back))
    if parts.keys() == parts_back.keys() and (parts or isinstance(given, list | tuple | Mapping | Set)):
        for step, part in parts.items():
            found = _difference(part, parts_back[step], same_text, path + step, (*above, id(given)))
            if found is not None:
                return found
        return None
    if not parts and type(given).__eq__ is object.__eq__ and same_text(given, back):
        return None
    return path, f"{shortened(given)} would come back as {shortened(back)}"


def _same_instant(a: object, b: object) -> bool:
    # Python calls two aware datetimes different when one of them stands in an hour that occurs twice (PEP 495).
    if isinstance(a, datetime) and isinstance(b, datetime):
        offset_a, offset_b = a.utcoffset(), b.utcoffset()
        if offset_a is not None and offset_b is not None:
            return a.replace(tzinfo=None) - offset_a == b.replace(tzinfo=None) - offset_b
    return False


def members(value: object) -> Iterator[tuple[str, Any]]:
    """The values inside a value, each with the step that leads to it; none for what has no inside."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield f"[{shortened(key)}]", item
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield f"[{index}]", item
    elif isinstance(value, Set):
        for item in value:
            yield f"[{shortened(item)}]", item
    elif not isinstance(value, type | Enum):
        for name in _field_names(value):
            if hasattr(value, name):
                yield f".{name}", getattr(value, name)


def _field_names(value: object) -> tuple[str, ...]:
    if isinstance(value, msgspec.Struct):
        return value.__struct_fields__
    if dataclasses.is_dataclass(value):
        return tuple(field.name for field in dataclasses.fields(value))
    attributes = getattr(type(value), "__attrs_attrs__", None) or ()
    return tuple(attribute.name for attribute in attributes)


def first_inside(value: object, wanted: Callable[[object], bool]) -> tuple[str, object] | None:
    """The path to the first innermost value inside for which `wanted` holds, and that value."""
    return _first_inside(value, wanted, "", ())


def _first_inside(
    value: object, wanted: Callable[[object], bool], path: str, above: tuple[int, ...]
) -> tuple[str, object] | None:
    if id(value) in above:
        return None
    for step, part in members(value):
        found = _first_inside(part, wanted, path + step, (*above, id(value)))
        if found is not None:
            return found
    return (path, value) if wanted(value) else None


def shortened(value: object) -> str:
    """How a value is shown in a message."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__qualname__}>"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]}..."
