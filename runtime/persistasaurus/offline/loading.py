"""Things of a program by their names: `app.main:flows`."""

from __future__ import annotations

import importlib
from functools import reduce


class NotLoaded(Exception):
    """There is no such thing, or its module cannot be imported; the message says which and why."""


def load(place: str) -> object:
    """What `module:name` stands for; the name may have dots.

    Raises:
        NotLoaded: The module cannot be imported or has no such name.
    """
    module, separator, name = place.partition(":")
    if not (module and separator and name):
        raise NotLoaded(f"{place!r} names nothing: write `module:name`, `app.main:flows`")
    try:
        imported = importlib.import_module(module)
    except BaseException as error:
        raise NotLoaded(f"{module} cannot be imported: {type(error).__name__}: {error}") from error
    try:
        found: object = reduce(getattr, name.split("."), imported)
    except AttributeError as error:
        raise NotLoaded(f"{module} has no `{name}`: {error}") from error
    return found
