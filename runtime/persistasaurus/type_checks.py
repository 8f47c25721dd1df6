"""What generated code tells type checkers: that a type can be stored, and that a method is an override."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence, Set
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeAlias, TypeVar
from uuid import UUID

import msgspec

__all__ = ["Codec", "Storable", "override"]

if TYPE_CHECKING:
    from typing_extensions import override  # every type checker brings it; at run time it is not needed
elif sys.version_info >= (3, 12):
    from typing import override
else:

    def override(method):
        """Say that a method overrides one of a base class."""
        return method


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Any]]


class _Attrs(Protocol):
    __attrs_attrs__: ClassVar[Any]


class _TypedDict(Protocol):
    __required_keys__: ClassVar[frozenset[str]]


class _PydanticModel(Protocol):
    @property
    def model_fields_set(self) -> set[str]: ...


Storable: TypeAlias = (
    bool
    | int
    | float
    | str
    | bytes
    | bytearray
    | Decimal
    | UUID
    | date
    | time
    | timedelta
    | Enum
    | PurePath
    | msgspec.Struct
    | _Dataclass
    | _Attrs
    | _TypedDict
    | _PydanticModel
    | Sequence["Storable"]
    | Set["Storable"]
    | Mapping[Any, "Storable"]
    | None
)
"""What can be stored, as far as a type can say it."""

StoredT = TypeVar("StoredT", bound=Storable)


class Codec(Generic[StoredT]):
    """`Codec[T]` in a stub is an error of the type checker where `T` cannot be stored."""
