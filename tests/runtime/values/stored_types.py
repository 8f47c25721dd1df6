"""One type of every kind that is stored, for the tests of codecs."""

import enum
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Generic, NamedTuple, NewType, NotRequired, TypedDict, TypeVar

import attrs
import msgspec
import pydantic

T = TypeVar("T")


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.StrEnum):
    SMALL = "s"
    LARGE = "l"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclass(frozen=True)
class Line:
    sku: str
    count: int = 1
    price: Decimal = Decimal(0)


@dataclass
class Order:
    id: int
    lines: list[Line]
    placed: datetime
    parent: "Order | None" = None
    tags: frozenset[Color] = frozenset()
    limits: dict[Level, float] = field(default_factory=dict)


@dataclass(slots=True)
class Slotted:
    name: str
    _note: str | None


@dataclass(eq=False)
class Incomparable:
    """A class whose objects equal nothing but themselves."""

    values: list[float | None]


@attrs.frozen
class Address:
    street: str
    zip: int | None = None


class Point(msgspec.Struct, frozen=True):
    x: float
    y: float


class Circle(msgspec.Struct, tag=True):
    center: Point
    radius: float


class Square(msgspec.Struct, tag=True):
    corners: set[Color]
    side: float


class Row(msgspec.Struct, tag="row", array_like=True):
    cells: set[Color]
    width: float


class Mark(msgspec.Struct, tag="mark", array_like=True):
    text: str


class Item(TypedDict):
    name: str
    amount: NotRequired[int]


class Pair(NamedTuple):
    left: str
    right: tuple[int, ...] = ()


@dataclass
class Box(Generic[T]):
    inside: T


class Customer(pydantic.BaseModel):
    name: str
    since: datetime
    seen: set[int] = set()


UserId = NewType("UserId", int)


class Money:
    """A class that msgspec does not know, with `stored_as`."""

    def __init__(self, amount: int, currency: str) -> None:
        self.amount = amount
        self.currency = currency

    def text(self) -> str:
        return f"{self.amount} {self.currency}"

    @staticmethod
    def parse(text: str) -> "Money":
        amount, _, currency = text.partition(" ")
        return Money(int(amount), currency)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Money) and self.text() == other.text()

    def __hash__(self) -> int:
        return hash(self.text())


class Handle:
    """Another one, without `__eq__`."""

    def __init__(self, number: int) -> None:
        self.number = number
