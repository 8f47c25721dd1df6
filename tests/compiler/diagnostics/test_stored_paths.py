"""Where in a type the part that cannot be stored is, persistc says at build as the runtime says at import."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

from persistasaurus.codecs import ValueCodec
from persistasaurus.errors import ValueNotStorable
from tests.compiler.diagnostics.fixtures import diagnose

SHAPES = """\
import enum
import socket
import typing as t
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import attrs
import msgspec


class Connection: ...


class Mixed(enum.Enum):
    A = "1"
    B = 2


@dataclass
class Line:
    sku: str
    socket: socket.socket


class Row(t.TypedDict):
    line: t.NotRequired[Line]


class Pair(t.NamedTuple):
    left: str
    right: Connection


class Struct(msgspec.Struct):
    mixed: dict[str, Mixed] = msgspec.field(default_factory=dict)


@attrs.define
class Attrs:
    done: Callable[[], int]


@dataclass
class Clash:
    text: str | bytes


@dataclass
class Keys:
    by: dict[tuple[int, int], int]


class Base(msgspec.Struct):
    connection: Connection


class Derived(Base):
    name: str


@dataclass
class Node:
    next: "Node | None"
    anything: list[t.Any]


@dataclass
class Me:
    parent: t.Self | None
"""
TYPES = (
    "Line",
    "list[Line]",
    "dict[str, list[Line | None]]",
    "Row",
    "Pair",
    "Sequence[Pair]",
    "tuple[int, Pair]",
    "tuple[Pair, ...]",
    "Mapping[str, Struct]",
    "Struct",
    "set[Attrs]",
    "Clash",
    "Keys",
    "Derived",
    "Node",
    "t.Optional[Node]",
    "t.Annotated[Node, 3]",
    "Me",
    "frozenset[Row]",
)
PATH = re.compile(r"`([A-Z]\w*\.[^`]*)`")


def test_a_path_is_the_same_at_build_and_at_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    parameters = ", ".join(f"p{number}: {each}" for number, each in enumerate(TYPES))
    flow = f"class F:\n    @flow\n    async def f(self, {parameters}) -> None: ...\n"
    flows = f"import typing as t\nfrom persistasaurus import flow\nfrom paths_shapes import *\n\n\n{flow}"
    verdict = diagnose({"paths_shapes.py": SHAPES, "flows.py": flows.replace("*", NAMES)}, tmp_path)
    at_build = {_parameter(each.message): _path(each.message) for each in verdict.found}

    shapes = vars(importlib.import_module("paths_shapes"))
    at_import = {f"p{number}": _path(_refused(each, shapes)) for number, each in enumerate(TYPES)}

    assert at_build == at_import
    assert len(at_import) == len(TYPES)


NAMES = ", ".join(sorted({name for each in TYPES for name in re.findall(r"(?<!\.)\b(?!None)[A-Z]\w+", each)}))


def _parameter(message: str) -> str:
    return message.split("`")[1]


def _path(message: str) -> str:
    found = PATH.search(message)
    assert found is not None, message
    return found[1]


def _refused(annotation: str, names: dict[str, object]) -> str:
    with pytest.raises(ValueNotStorable) as refused:
        ValueCodec[object](eval(annotation, names), "it")
    return str(refused.value)
