"""What persistc says of an enum's values at build, the runtime says of them at import."""

from __future__ import annotations

import importlib
import inspect
from pathlib import Path

import pytest

from persistasaurus.codecs import ValueCodec
from persistasaurus.errors import ValueNotStorable
from tests.compiler.diagnostics.fixtures import diagnose

SHAPES = """\
import enum
import typing as t
from dataclasses import InitVar, dataclass, field
from datetime import date
from decimal import Decimal
from enum import auto

import attrs
import msgspec


class Text(enum.Enum):
    A = "1"
    B = str(2)
    _ALIAS = A


class Number(enum.Enum):
    A = -1
    B = auto()
    def label(self) -> str: ...


class Mixed(enum.Enum):
    A = "1"
    B = 2


class MixedByAuto(enum.Enum):
    A = auto()
    B = "2"


class Annotated(enum.Enum):
    A: str = "1"
    B: int = 2


class Pairs(enum.Enum):
    A = 1, 2


class Objects(enum.Enum):
    A = object()


class Money(enum.Enum):
    A = Decimal("1")


class Days(enum.Enum):
    A = date(2026, 1, 1)


class Truth(enum.Enum):
    YES = True
    NO = False


class Nothing(enum.Enum):
    A = None


@enum.unique
class Floats(enum.Enum):
    A = 1.5


class Named(enum.Enum):
    def label(self) -> str: ...


class Derived(Named):
    A = "1"
    B = 2


class TextByMixin(str, enum.Enum):
    A = "1"
    B = 2


class TextEnum(enum.StrEnum):
    A = auto()
    B = "b"


class NumberEnum(enum.IntEnum):
    A = True
    B = 2


class Bits(enum.Flag):
    A = auto()
    B = auto()


class Named2(enum.Enum):
    @staticmethod
    def _generate_next_value_(name: str, *_: object) -> str:
        return name
    A = auto()
    B = "b"


class Labelled(enum.Enum):
    def __new__(cls, value: str, label: int) -> t.Self:
        made = object.__new__(cls)
        made._value_ = value
        return made
    A = "a", 1


class Helped(enum.Enum):
    _ignore_ = ["X"]
    X = 1
    A = "a"


class Keyed(t.TypedDict):
    mixed: t.NotRequired[Mixed]


class Pair(t.NamedTuple):
    mixed: Mixed


class Struct(msgspec.Struct):
    mixed: list[Mixed] = msgspec.field(default_factory=list)


@attrs.define
class Row:
    mixed: Mixed | None


@dataclass
class Deep:
    rows: dict[str, Row]
    again: "Deep | None"


@dataclass
class Beside:
    kind: t.ClassVar[Mixed]
    other: "t.ClassVar[Mixed]"
    text: Text


Aliased = list[Mixed]
"""


def test_persistc_refuses_the_enums_that_the_runtime_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "enum_shapes.py").write_text(SHAPES, encoding="utf-8")
    shapes = importlib.import_module("enum_shapes")
    names = [
        name
        for name, value in vars(shapes).items()
        if name == "Aliased" or (inspect.isclass(value) and value.__module__ == "enum_shapes" and name != "Named")
    ]
    parameters = ", ".join(f"{name.lower()}: {name}" for name in names)
    flow = f"class F:\n    @flow\n    async def f(self, {parameters}) -> None: ...\n"
    imports = f"from persistasaurus import flow\nfrom enum_shapes import {', '.join(names)}\n"
    together = f"from persistasaurus import flow\n{SHAPES}\n\n{flow}"
    at_import = [name for name in names if _refused(getattr(shapes, name))]

    verdict = diagnose({"enum_shapes.py": SHAPES, "flows.py": f"{imports}\n\n{flow}", "one.py": together}, tmp_path)

    for file in ("flows.py", "one.py"):
        messages = [each.message for each in verdict.found if each.file == file]
        assert [name for name in names if any(f"`{name.lower()}`" in each for each in messages)] == at_import


def _refused(annotation: object) -> bool:
    try:
        ValueCodec[object](annotation, "it")
    except ValueNotStorable as error:
        return "either all str or all int" in str(error)
    return False
