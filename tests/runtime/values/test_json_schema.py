"""The JSON Schema of a type is that of what is stored for it (G12)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import pydantic
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from jsonschema import Draft202012Validator

from persistasaurus import Json, ValueNotStorable, stored_as
from persistasaurus.codecs import ValueCodec
from persistasaurus.json_schema import schemas_of
from tests.runtime.values.annotation_names import named
from tests.runtime.values.stored_types import Box, Customer, Money
from tests.runtime.values.test_round_trips import SUPPORTED, StoredMoney, aware, jsons, money, texts

T = TypeVar("T")


class Address(pydantic.BaseModel):
    street: str
    lines: dict[int, set[str]] = {}


class Person(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)

    full_name: str = pydantic.Field(alias="fullName")
    home: Address | None = None
    friends: list[Person] = []
    owed: Decimal = Decimal(0)

    @pydantic.computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated property
    @property
    def greeting(self) -> str:
        return f"hello {self.full_name}"


class Page(pydantic.BaseModel, Generic[T]):
    items: list[T]


def parts(value: Money) -> dict[str, int | str]:
    return {"amount": value.amount, "currency": value.currency}


def whole(plain: dict[str, Any]) -> Money:
    return Money(plain["amount"], plain["currency"])


def anything(value: Money) -> Json:
    return [value.amount, value.currency]


MoneyInParts = Annotated[Money, stored_as(parts, whole)]
MoneyUnsaid = Annotated[Money, stored_as(lambda value: value.text(), Money.parse)]
MoneyAsJson = Annotated[Money, stored_as(anything, lambda plain: Money(*plain))]


@dataclass
class Invoice:
    total: MoneyInParts
    note: Json
    payer: Person | None = None


people: SearchStrategy[Person] = st.deferred(
    lambda: st.builds(
        Person,
        fullName=texts,
        home=st.none() | st.builds(Address, street=texts, lines=st.dictionaries(st.integers(), st.sets(texts))),
        friends=st.lists(people, max_size=2),
        owed=st.decimals(allow_nan=False, allow_infinity=False, places=2),
    )
)
CONVERTED: list[tuple[Any, SearchStrategy[Any]]] = [
    (Person, people),
    (dict[str, Person | None], st.dictionaries(texts, st.none() | people, max_size=2)),
    (Page[Address], st.builds(Page[Address], items=st.lists(st.builds(Address, street=texts), max_size=3))),
    (Box[Person], st.builds(Box, people)),
    (MoneyInParts, money),
    (MoneyUnsaid, money),
    (MoneyAsJson, money),
    (dict[str, Box[list[MoneyInParts]]], st.dictionaries(texts, st.builds(Box, st.lists(money)))),
    (Invoice, st.builds(Invoice, money, jsons, st.none() | people)),
    (Annotated[int, msgspec.Meta(ge=3)], st.integers(3)),
]


def validator(annotation: Any) -> Draft202012Validator:
    schemas, definitions = schemas_of([annotation])
    schema = {**schemas[0], "$defs": definitions}
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.mark.parametrize(
    ("annotation", "values"), [*SUPPORTED, *CONVERTED], ids=[named(each[0]) for each in [*SUPPORTED, *CONVERTED]]
)
def test_what_is_stored_fits_the_schema(annotation: Any, values: SearchStrategy[Any]) -> None:
    codec = ValueCodec[Any](annotation, "the result of F.s")
    fits = validator(annotation)

    @given(values)
    @settings(max_examples=30, deadline=None)
    def holds(value: Any) -> None:
        fits.validate(json.loads(codec.encode(value)))

    holds()


UNSAID = {Json, MoneyUnsaid, MoneyAsJson}


@pytest.mark.parametrize("annotation", [each for each, _ in [*SUPPORTED, *CONVERTED] if each not in UNSAID], ids=named)
def test_a_schema_refuses_something(annotation: Any) -> None:
    fits = validator(annotation)
    assert not all(fits.is_valid(plain) for plain in (None, True, 7, "text", 1.5, [object()], {"a": object()}))


def test_models_and_converted_types_are_definitions_of_their_own() -> None:
    (box, other), definitions = schemas_of([Box[StoredMoney], list[Customer]])

    assert (box, other) == ({"$ref": "#/$defs/Box_Money_"}, {"type": "array", "items": {"$ref": "#/$defs/Customer"}})
    assert definitions["Money"] == {"title": "Money", "type": "string"}
    assert definitions["Customer"]["required"] == ["name", "since"]


def test_two_ways_to_store_a_class_are_alternatives() -> None:
    _, definitions = schemas_of([StoredMoney, MoneyInParts, MoneyUnsaid])

    assert definitions["Money"] == {
        "title": "Money",
        "anyOf": [
            {"type": "string"},
            {"type": "object", "additionalProperties": {"anyOf": [{"type": "integer"}, {"type": "string"}]}},
            {},
        ],
    }


def test_models_of_one_name_are_told_apart() -> None:
    @dataclass
    class Customer:
        name: str

    theirs = next(each for each, _ in SUPPORTED if getattr(each, "__name__", "") == "Customer")
    (mine, other), definitions = schemas_of([Customer, theirs])

    assert mine == {"$ref": "#/$defs/Customer"}
    assert other == {"$ref": "#/$defs/tests.runtime.values.stored_types.Customer"}
    assert definitions["Customer"]["required"] == ["name"]


def test_a_model_that_has_no_schema_is_named() -> None:
    class Open(pydantic.BaseModel):
        model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

        money: Money

    with pytest.raises(ValueNotStorable, match=r"pydantic model .*Open has no JSON Schema: .*Money"):
        schemas_of([Open])


@given(st.builds(Customer, name=texts, since=aware))
def test_a_model_in_a_list_fits(customer: Customer) -> None:
    text = ValueCodec[list[Customer]](list[Customer], "it").encode([customer])
    validator(list[Customer]).validate(json.loads(text))
