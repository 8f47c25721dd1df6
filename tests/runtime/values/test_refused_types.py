"""A type that cannot be stored is an error when the codec is built, with the place inside the type."""

import asyncio
import enum
import re
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple, NotRequired, Protocol, TypedDict

import attrs
import msgspec
import pytest

from persistasaurus import ValueNotStorable, stored_as
from persistasaurus.codecs import ValueCodec
from tests.runtime.values.annotation_names import named
from tests.runtime.values.stored_types import Box, Line, Money, Slotted


class Opened(Protocol):
    def close(self) -> None: ...


class Tuples(enum.Enum):
    A = (1, 2)


@dataclass
class Connection:
    name: str
    pool: list[Money]


@dataclass
class Open:
    anything: dict[str, Any]


@attrs.define
class Hidden:
    _secret: int


@dataclass
class Torn:
    name: str
    parts: tuple[int, list[int] | set[int]]


class Cells(TypedDict):
    connection: NotRequired[Connection | None]


class Pair(NamedTuple):
    left: int
    right: dict[str, Cells]


class Frame(msgspec.Struct):
    pairs: frozenset[Pair]
    sockets: tuple[socket.socket, ...] = ()


@attrs.frozen
class Job:
    lock: Annotated[asyncio.Lock, "kept"]


@dataclass
class Ring:
    inner: "Ring | None"
    frames: list[Box[Job]]


REFUSED: list[tuple[Any, str]] = [
    (Any, "cannot be stored: Any, or a type left open like a bare `list`, says nothing; write the type, or"),
    (list, "cannot be stored: in `list`, Any, or a type left open"),
    (dict[str, Any], "cannot be stored: in `dict[str, Any]`, Any, or a type left open"),
    (Open, "cannot be stored: in `Open.anything[]`, Any, or a type left open"),
    (Box, "cannot be stored: in `Box.inside`, Any, or a type left open"),
    (object, "`object` says nothing; write the type, or persistasaurus.Json"),
    (
        Money,
        "`Money` is none of the types that are stored; make it a dataclass, or write Annotated[Money, stored_as(",
    ),
    (Connection, "`Connection.pool[]` is a `Money`, none of the types"),
    (
        list[tuple[int, Box[Money]]],
        "cannot be stored: `Box.inside` is a `Money`, none of",
    ),
    (
        Frame,
        "cannot be stored: `Frame.pairs[].right[].connection.pool[]` is a `Money`, none of the types that "
        "are stored; make it a dataclass, or write Annotated[Money, stored_as(encode, decode)]",
    ),
    (
        list[Ring] | None,
        "cannot be stored: `Ring.frames[].inside.lock` is a `asyncio.locks.Lock`, none of the types that "
        "are stored; keep it on the flow class instead, or write Annotated[Lock, stored_as(encode, decode)]",
    ),
    (dict[Money, int], "cannot be stored: in `dict[Money, int]`, `Money` is none of the types"),
    (
        dict[tuple[int, int], int],
        "in `dict[tuple[int, int], int]`, a key must be text, a number, an enum, a UUID, a date or a time",
    ),
    (dict[bool, int], "in `dict[bool, int]`, a key must be text"),
    (dict[int | None, int], "in `dict[int | None, int]`, a key must be text"),
    (Callable[[int], int], "`collections.abc.Callable` is none of the types that are stored"),
    (type[int], "`type` is none of the types that are stored"),
    (Iterator[int], "`collections.abc.Iterator` is none of the types that are stored"),
    (Opened, "`Opened` is none of the types that are stored"),
    (complex, "`complex` is none of the types that are stored"),
    (memoryview, "a memoryview does not own its bytes; write bytes"),
    (msgspec.Raw, "msgspec.Raw is text without a type"),
    (Mapping[str, Sequence[Tuples]], "in `collections.abc.Mapping[str, collections.abc.Sequence[Tuples]]`, Enums"),
    (Tuples, "Enums must contain either all str or all int values"),
    (
        datetime | str | None,
        "cannot be stored: `datetime` and `str` are both written as text and could not be told apart; "
        "write one of them, or a dataclass with an optional field for each",
    ),
    (
        dict[str, list[Line | Slotted]],
        "cannot be stored: in `dict[str, list[Line | Slotted]]`, `Line` and `Slotted` are both written as JSON "
        "objects and could not be told apart; give both a tag, `class Line(msgspec.Struct, tag=True)`, or write one "
        "class with optional fields",
    ),
    (Torn, "cannot be stored: in `Torn.parts[1]`, `list[int]` and `set[int]` are both written as lists"),
    (Path | str, "`Path` and `str` could not be told apart, as the log knows the JSON of types of its own only"),
    (Hidden, "in `Hidden._secret`, private attributes of attrs classes are left out"),
    (Annotated[int, stored_as(str, int)], "stored_as(...) is for classes that cannot be stored without it"),
    (Annotated[Line, stored_as(str, Line)], "stored_as(...) is for classes that cannot be stored without it"),
    (
        tuple[Annotated[Money, stored_as(Money.text, Money.parse)], Annotated[Money, stored_as(str, Money.parse)]],
        "]`, Money is given two different stored_as(...)",
    ),
]


@pytest.mark.parametrize(("annotation", "reason"), REFUSED, ids=[named(entry[0]) for entry in REFUSED])
def test_a_type_that_cannot_be_stored_is_refused_with_the_place_inside_it(annotation: Any, reason: str) -> None:
    with pytest.raises(ValueNotStorable, match=re.escape(reason)) as refused:
        ValueCodec[Any](annotation, "the result of F.s (flows.py:3)")

    assert str(refused.value).startswith("the result of F.s (flows.py:3) has a type that cannot be stored")
