"""What would not come back as it is is refused before it is on record, and the message says which part of it."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest

from persistasaurus import CorruptRow, Json, ValueNotStorable, ValueTooLarge, stored_as
from persistasaurus.codecs import ValueCodec
from tests.runtime.values.stored_types import Box, Color, Handle, Incomparable, Line, Money, Order, Size

NAN = float("nan")
INFINITY = float("inf")
SECONDS_EAST = timezone(timedelta(hours=2, seconds=3))


@dataclass(frozen=True)
class Gift(Line):
    card: str = ""


@dataclass(frozen=True)
class Renamed(Line):
    pass


def never(value: Any) -> Any:
    raise ZeroDivisionError("no such money")


def two_euro(money: Money) -> str:
    return "2 EUR"


def itself(handle: Handle) -> Handle:
    return handle


REFUSED: list[tuple[Any, object, str]] = [
    (float, NAN, "nan: NaN and infinity are not JSON"),
    (float, INFINITY, "inf: NaN and infinity are not JSON"),
    (float | None, NAN, "nan: NaN and infinity are not JSON"),
    (dict[str, list[float | None]], {"a": [1.0, NAN]}, "nan: NaN and infinity are not JSON, at ['a'][1]"),
    (Json, {"a": [INFINITY]}, "inf: NaN and infinity are not JSON, at ['a'][0]"),
    (Incomparable, Incomparable([NAN]), "nan: NaN and infinity are not JSON, at values[0]"),
    (Decimal, Decimal("NaN"), "Decimal('NaN') would come back as Decimal('NaN')"),
    (str, "half \ud800", "'half \\ud800': it has half a surrogate pair"),
    (dict[str, Line], {"a": Line("\ud800")}, "'\\ud800': it has half a surrogate pair, at ['a'].sku"),
    (Path, Path("\udcff"), "surrogates not allowed"),
    (int, True, "Expected `int`, got `bool`"),
    (int, 1.0, "Expected `int`, got `float`"),
    (bool, 1, "Expected `bool`, got `int`"),
    (float, True, "Expected `float`, got `bool`"),
    (float, 2**53 + 1, "9007199254740993 (int) would come back as 9007199254740992.0 (float)"),
    (int, "1", "Expected `int`, got `str`"),
    (int, None, "Expected `int`, got `null`"),
    (list[int], [1, "2"], "Expected `int`, got `str`, at [1]"),
    (tuple[int, ...], [1, 2], "[1, 2] (list) would come back as (1, 2) (tuple)"),
    (list[int], (1, 2), "(1, 2) (tuple) would come back as [1, 2] (list)"),
    (Json, (1, 2), "(1, 2) (tuple) would come back as [1, 2] (list)"),
    (Json, {1: 2}, "Only dicts with str keys are supported"),
    (Path, "a/b", "'a/b' (str) would come back as PosixPath('a/b') (PosixPath)"),
    (Line, Gift("a", card="b"), "Gift(sku='a', count=1, price=Decimal('0'), card='b') (Gift) would come back"),
    (list[Line], [Line("a"), Renamed("b")], "(Renamed) would come back as"),
    (Box[Line], Box(Renamed("b")), "(Line), at inside"),
    (Color, Size.SMALL, "Invalid enum value 's'"),
    (datetime, datetime(2024, 1, 1, tzinfo=SECONDS_EAST), "would come back as datetime.datetime(2024, 1, 1, 0, 0"),
    (int, object(), "Encoding objects of type object is unsupported"),
    (Order, {"id": 1}, "Object missing required field `lines`"),
    (Path, object(), "object is not of the declared type"),
    (Annotated[Money, stored_as(never, Money.parse)], Money(1, "EUR"), "no such money"),
    (Annotated[Money, stored_as(Money.text, never)], Money(1, "EUR"), "no such money"),
    (Annotated[Money, stored_as(two_euro, Money.parse)], Money(1, "EUR"), "would come back as"),
    (Annotated[Handle, stored_as(itself, itself)], Handle(1), "recursion"),
    (int, 10**5000, "Exceeds the limit"),
]


@pytest.mark.parametrize(("annotation", "value", "reason"), REFUSED, ids=[entry[2][:40] for entry in REFUSED])
def test_a_value_that_would_not_come_back_is_refused(annotation: Any, value: object, reason: str) -> None:
    codec = ValueCodec[Any](annotation, "the result of OrderFlow.price (flows.py:3)")

    with pytest.raises(ValueNotStorable) as refused:
        codec.round_trip(value)

    assert str(refused.value).startswith("the result of OrderFlow.price (flows.py:3) cannot be stored: ")
    assert reason in str(refused.value)


def test_a_list_that_holds_itself_is_refused() -> None:
    endless: list[Any] = []
    endless.append(endless)

    with pytest.raises(ValueNotStorable, match="recursion"):
        ValueCodec[Any](Json, "the result of F.s").round_trip(endless)


def test_a_value_larger_than_the_log_takes_is_refused_with_both_sizes() -> None:
    with pytest.raises(ValueTooLarge, match=r"takes 1,002 bytes of JSON, the log takes 1,000; store large data"):
        ValueCodec[str](str, "the result of F.s").round_trip("a" * 1000, max_bytes=1000)


@pytest.mark.parametrize("text", ["", "nul", '"text"', "1.5", "[1"])
def test_recorded_text_of_another_type_is_a_corrupt_row(text: str) -> None:
    with pytest.raises(CorruptRow, match=r"the result of F\.s: the log has"):
        ValueCodec[int](int, "the result of F.s").decode(text)
