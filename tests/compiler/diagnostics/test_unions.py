"""What persistc says of a union at build, the runtime says of it at import: both of every pair of types."""

from __future__ import annotations

import importlib
import itertools
from pathlib import Path

import pytest

from persistasaurus.codecs import ValueCodec
from persistasaurus.errors import ValueNotStorable
from tests.compiler.diagnostics.fixtures import diagnose

SHAPES = """\
import enum
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple, TypedDict

import attrs
import msgspec
import pydantic


class Text(enum.Enum):
    A = "a"


class Number(enum.IntEnum):
    A = 1


@dataclass
class Line:
    name: str


@attrs.define
class Row:
    name: str


class Keyed(TypedDict):
    name: str


class Pair(NamedTuple):
    name: str


class Plain(msgspec.Struct):
    name: str


class One(msgspec.Struct, tag=True):
    name: str


class Two(msgspec.Struct, tag=True):
    name: str


class Model(pydantic.BaseModel):
    name: str


Word = Literal["a"]
Digit = Literal[1]
Listed = list[int]
Keys = dict[str, int]
"""
NAMES = (
    *("int", "float", "bool", "str", "bytes", "date", "Decimal", "Path", "Text", "Number", "Line", "Row", "Keyed"),
    *("Pair", "Plain", "One", "Two", "Model", "Word", "Digit", "Listed", "Keys"),
)
PAIRS = tuple(itertools.combinations(NAMES, 2))


def test_persistc_refuses_the_unions_that_the_runtime_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    parameters = ", ".join(f"p{number}: {first} | {second}" for number, (first, second) in enumerate(PAIRS))
    flows = (
        "from persistasaurus import flow\n"
        f"from unions_shapes import {', '.join(name for name in NAMES if name[0].isupper() or name == 'date')}\n\n\n"
        f"class F:\n    @flow\n    async def f(self, {parameters}) -> None: ...\n"
    )
    verdict = diagnose({"unions_shapes.py": SHAPES, "flows.py": flows}, tmp_path)
    at_build = [
        pair for number, pair in enumerate(PAIRS) if any(f"`p{number}`" in each.message for each in verdict.found)
    ]

    shapes = vars(importlib.import_module("unions_shapes"))
    at_import = [pair for pair in PAIRS if _refused(" | ".join(pair), shapes)]

    assert at_build == at_import


def _refused(union: str, names: dict[str, object]) -> bool:
    try:
        ValueCodec[object](eval(union, names), "it")
    except ValueNotStorable as error:
        return "could not be told apart" in str(error)
    return False
