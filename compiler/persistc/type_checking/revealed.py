"""Reads the types that mypy reveals."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_FALLBACK: Final = re.compile(r", fallback=(?P<cls>[\w.]+)\]\Z")
_CLASS: Final = re.compile(r"(?P<cls>[A-Za-z_]\w*(?:\.\w+)+)(?:\[.*\])?\Z")


def members(told: str) -> Iterator[str]:
    """The members of a union; a type that is none is its only member."""
    told = told.removesuffix("?")
    if told.startswith(("Union[", "typing.Union[")):
        told = told[told.index("[") + 1 : -1]
    depth, start = 0, 0
    for index, character in enumerate(told):
        depth += (character in "[(") - (character in "])")
        if depth == 0 and character in "|,":
            yield told[start:index].strip()
            start = index + 1
    yield told[start:].strip()


def class_of(member: str) -> str | None:
    """The class of which something with this type is an instance, by where it is defined: `httpx._client.Client`."""
    found = _FALLBACK.search(member) or _CLASS.match(member)
    return None if found is None else found["cls"]
