"""The types a method declares, resolved to objects."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Any, get_args, get_origin, get_type_hints

import msgspec

from persistasaurus.conversions import declared_conversion


def resolved(function: Callable[..., Any], *scopes: Mapping[str, Any]) -> dict[str, Any]:
    """The types of a function's parameters, and of its result under "return".

    Args:
        function: A function; its own module is always looked in.
        scopes: Where else names in string annotations are looked up: the first goes before the module, the rest after.

    Raises:
        NameError: A string annotation has a name that is in none of them.
    """
    module: dict[str, Any] = getattr(function, "__globals__", {})
    names = ChainMap(*[dict(scope) for scope in scopes[:1]], module, *[dict(scope) for scope in scopes[1:]])
    return get_type_hints(function, module, names, include_extras=True)


def same_type(a: Any, b: Any) -> bool:
    """Whether two annotations say the same type.

    A `stored_as` written out in both places is the same, although its lambdas are different objects.
    """
    if a == b:
        return True
    if isinstance(a, msgspec.Meta) and isinstance(b, msgspec.Meta):
        return declared_conversion(a.extra) is not None and declared_conversion(b.extra) is not None
    parts_a, parts_b = _parts(a), _parts(b)
    return len(parts_a) == len(parts_b) > 0 and get_origin(a) == get_origin(b) and all(map(same_type, parts_a, parts_b))


def _parts(annotation: Any) -> tuple[Any, ...]:
    metadata: tuple[Any, ...] = getattr(annotation, "__metadata__", ())
    return (*get_args(annotation)[:1], *metadata) if metadata else get_args(annotation)


def type_text(annotation: Any) -> str:
    """How a type is shown in a message."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation.__qualname__
    return str(annotation).replace("typing.", "")


def is_below_class(path: str) -> bool:
    """Whether a path into a type, `Order.lines[].socket`, has come to a class; before it are steps of containers."""
    return bool(path) and not path.startswith("[")
