"""What is said of classes is what msgspec does: each is written as it was and read as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from persistc.flow_changes.stored_types import Record, StoredTypes, Values
from persistc.flow_changes.type_changes import MISREAD, UNREADABLE, TypeChanges
from persistc.project import Project
from tests.compiler.changes.test_changes import read

NAMES = ("plain", "two_words", "two__lines", "_before", "behind_", "with_2x", "_a_b_")
HEAD = """\
import enum
from enum import auto
from typing import NamedTuple
from msgspec import Struct, field
from persistasaurus import flow

class ShopFlow:
    @flow
    async def buy(self) -> None: ...

"""


def project(folder: Path, text: str) -> Project:
    return read(folder, f"{HEAD}{text}").project


def loaded(text: str, name: str = "It") -> Any:
    """The class that a text defines."""
    names: dict[str, Any] = {"__name__": "flows"}
    exec(f"{HEAD}{text}", names)
    return names[name]


def stored(of: Project, name: str = "It") -> Record | Values:
    cls, module = next((each, module) for module in of.modules.values() for each in module.classes if each.name == name)
    found = StoredTypes(of).of_class(cls, module)
    assert isinstance(found, Record | Values)
    return found


STYLES = ("lower", "upper", "camel", "pascal", "kebab")


@pytest.mark.parametrize("options", ["", *(f', rename="{each}"' for each in STYLES)])
def test_fields_are_renamed_as_msgspec_renames_them(tmp_path: Path, options: str) -> None:
    fields = "".join(f"    {name}: int\n" for name in NAMES)
    own = "    last_one: int\n    given_one: int = field(name='Given')\n"
    text = f"class Base(Struct{options}):\n{fields}\nclass It(Base):\n{own}"
    of = project(tmp_path / "shop", text)
    record = stored(of)
    assert isinstance(record, Record)
    assert tuple(StoredTypes(of).fields(record)) == loaded(text).__struct_encode_fields__


@pytest.mark.parametrize(
    "text",
    [
        "class It(enum.Enum):\n    A = auto()\n    B = auto()\n    C = 7\n    D = auto()\n",
        "class It(enum.IntEnum):\n    A = 3\n    B = auto()\n    AGAIN = 3\n",
        "class It(enum.StrEnum):\n    Large = auto()\n    SMALL = 'tiny'\n",
        "class It(enum.IntFlag):\n    A = auto()\n    B = auto()\n    C = auto()\n    D = 16\n    E = auto()\n",
    ],
)
def test_members_have_the_values_that_python_gives_them(tmp_path: Path, text: str) -> None:
    found = stored(project(tmp_path / "shop", text))
    assert isinstance(found, Values)
    values = {msgspec.json.decode(value.replace("'", '"')): name for value, name in found.names.items()}
    assert values == {member.value: member.name for member in loaded(text)}


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("class It(Struct):\n    a: int\n    b: int\n", "class It(Struct):\n    a: int\n", (1, 2)),
        (
            "class It(Struct):\n    a: int\n    b: int\n",
            "class It(Struct, forbid_unknown_fields=True):\n    a: int\n",
            (1, 2),
        ),
        ("class It(Struct):\n    a_b: int\n", "class It(Struct, rename='camel'):\n    a_b: int\n", (1,)),
        ("class It(Struct):\n    a_b: int\n", "class It(Struct, rename='camel'):\n    a_b: int = 3\n", (1,)),
        ("class It(Struct):\n    a: int\n", "class It(Struct, array_like=True):\n    a: int\n", (1,)),
        ("class It(Struct):\n    a: int\n", "class It(NamedTuple):\n    a: int\n", (1,)),
        ("class It(Struct):\n    a: int\n", "class It(Struct, tag='x'):\n    a: int\n", (1,)),
        ("class It(Struct, tag='x'):\n    a: int\n", "class It(Struct):\n    a: int\n", (1,)),
        ("class It(Struct, tag='x'):\n    a: int\n", "class It(Struct, tag='y'):\n    a: int\n", (1,)),
        ("class It(Struct, tag='x'):\n    a: int\n", "class It(Struct, tag='y', tag_field='k'):\n    a: int\n", (1,)),
        (
            "class It(Struct, tag='x'):\n    a: int\n",
            "class It(Struct, forbid_unknown_fields=True):\n    a: int\n",
            (1,),
        ),
        (
            "class It(Struct, tag='x', array_like=True):\n    a: int\n",
            "class It(Struct, array_like=True):\n    a: int\n",
            (1,),
        ),
        (
            "class It(Struct, array_like=True):\n    a: int\n    b: int = 2\n",
            "class It(Struct, array_like=True):\n    a: int\n",
            (1,),
        ),
        ("class It(NamedTuple):\n    a: int\n    b: int\n", "class It(NamedTuple):\n    a: int\n", (1, 2)),
        ("class It(NamedTuple):\n    a: int\n", "class It(NamedTuple):\n    a: int\n    b: int = 2\n", (1,)),
        (
            "class It(Struct, array_like=True):\n    a: int\n",
            "class It(Struct, array_like=True):\n    x: int\n    b: int = 2\n",
            (1,),
        ),
    ],
)
def test_rows_are_called_unreadable_where_msgspec_cannot_read_them(
    tmp_path: Path, old: str, new: str, value: tuple[int, ...]
) -> None:
    before, after = project(tmp_path / "old", old), project(tmp_path / "new", new)
    changes = TypeChanges(StoredTypes(before), StoredTypes(after)).between(stored(before), stored(after))
    row = msgspec.json.encode(loaded(old)(*value))
    try:
        msgspec.json.decode(row, type=loaded(new))
    except msgspec.ValidationError:
        is_readable = False
    else:
        is_readable = True
    assert all(each.harm != MISREAD for each in changes)
    assert is_readable == all(each.harm != UNREADABLE for each in changes)
