"""Types that the flow class of this case stores."""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from persistasaurus import stored_as

UserId: TypeAlias = int


@dataclass
class Address:
    street: str
    town: str


class Point:
    """A class nothing but `stored_as` knows how to store."""

    def __init__(self, x: int, y: int) -> None:
        self.x = x
        self.y = y


def encode(point: Point) -> list[int]:
    return [point.x, point.y]


def decode(value: list[int]) -> Point:
    return Point(*value)


StoredPoint: TypeAlias = Annotated[Point, stored_as(encode, decode)]
