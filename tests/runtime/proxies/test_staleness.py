"""Every edit of a flow class that the generated module does not know of is an error at import, naming the method."""

import re

import pytest

from persistasaurus import StaleProxy
from tests.runtime.proxies.modules import GENERATED, SOURCE, edited, generated

PRICE = """    @step
    async def price(self, lines: list[Line]) -> "Decimal":
        return sum(line.count for line in lines)
"""

STALE: list[tuple[str, str, str]] = [
    (
        'note: str | None = None) -> "Dec',
        'note: str | None = None, rush: bool = False) -> "Dec',
        "place * parameter 'rush' is new",
    ),
    (", note: str | None = None) ->", ") ->", "place * parameter 'note' is gone"),
    ("self, by: str, at: datetime", "self, who: str, at: datetime", "approve * parameter 'who' is new"),
    (
        "self, by: str, at: datetime",
        "self, at: datetime, by: str",
        "approve * its parameters come in another order: at, by",
    ),
    (
        'amount: "Decimal", *, times',
        'amount: "Decimal", times',
        "charge * 'times' is positional or by keyword now, keyword-only in",
    ),
    (
        "sku: str, /, *more",
        "sku: str, *more",
        "place_quickly * 'sku' is positional or by keyword now, positional-only in",
    ),
    ("*more: str, speed", "*, more: str, speed", "place_quickly * 'more' is keyword-only now, `*` in"),
    ("**options: int", "options: int", "place_quickly * 'options' is keyword-only now, `**` in"),
    ("times: int = 3", "times: int = 4", "charge * 'times' has the default 4 now, 3 in the generated code"),
    ("times: int = 3", "times: int = True", "charge * 'times' has the default True now, 3 in"),
    ("times: int = 3", "times: int", "charge * 'times' has no default any more"),
    ("self, number: int, boxes", "self, number: int = 1, boxes", "pack * 'number' has a default now, 1"),
    (
        "boxes: list[int] = [1, 2]",
        "boxes: list[int] = [1, 2, 3]",
        "pack * 'boxes' has the default [1, 2, 3] now, [1, 2] in",
    ),
    ("speed: Speed = Speed.FAST", "speed: Speed = Speed.SLOW", "place_quickly * 'speed' has the default <Speed.SLOW"),
    (
        "self, by: str, at",
        "self, by: str | None, at",
        "approve * parameter 'by' is str | None now, str in the generated",
    ),
    ("price(self, lines: list[Line])", "price(self, lines: list[str])", "price * parameter 'lines' is list[str] now"),
    ('amount: "Decimal", *', 'amount: "float", *', "charge * parameter 'amount' is float now, Decimal in"),
    ('amount: "Decimal", *', 'amount: "Nowhere", *', "charge * an annotation cannot be resolved: name 'Nowhere'"),
    ("self, by: str, at", "self, by, at", "approve * parameter 'by' has lost its annotation"),
    ("at: datetime) -> str", "at: datetime) -> bool", "approve * the result is bool now, str in the generated code"),
    ("at: datetime) -> str", "at: datetime)", "approve * the result has lost its annotation"),
    ("    @signal\n", "    @step\n", "approve * it is a step now, the generated code has a signal"),
    (
        "    @step(at_most_once=True)\n    def pack",
        "    @flow\n    def pack",
        "pack * it is a flow now, the generated code has a step",
    ),
    ("    @signal\n", "", "approve * it is no longer marked @signal"),
    ("    def helper(", "    @step\n    def helper(", "helper: it is a step now, the generated code lacks it"),
    (PRICE, "", "price: OrderFlow has no such method any more"),
    ("async def price", "async def cost", "price: OrderFlow has no such method any more"),
    ("async def price", "def price", "price * it is a plain `def` now"),
    ("    def pack", "    async def pack", "pack * it is `async def` now"),
    (
        "    @signal\n",
        "    @staticmethod\n    @signal\n",
        "approve: it is a staticmethod now, the generated code has a signal",
    ),
    ("    @signal\n", "    @property\n    @signal\n", "approve: it is a property now, the generated code has a signal"),
    ("raises=(Declined,)", "raises=(Declined, Expired)", "charge: raises=Expired is not in the generated code's table"),
    (
        "    def helper(",
        "    async def audit(self, text: str) -> None: ...\n    def helper(",
        "audit * it is no longer marked @step",
    ),
    (
        "class Base:",
        "class Base:\n    @step\n    async def log(self) -> None: ...",
        "log: it is a step now, the generated code lacks",
    ),
    ("OrderFlow(Base)", "OrderFlow", "audit: OrderFlow has no such method any more"),
]


@pytest.mark.parametrize(("before", "after", "told"), STALE, ids=[entry[2] for entry in STALE])
def test_an_edit_without_generating_again_is_an_error_at_import_naming_the_method(
    before: str, after: str, told: str
) -> None:
    with pytest.raises(StaleProxy) as stale:
        generated(edited(SOURCE, (before, after)))

    message = str(stale.value)
    assert re.search(re.escape(told).replace(r"\ \*\ ", r" \(app/flows\.py:\d+\): .*"), message), message
    assert re.match(r"flows_\d+_durable\.DurableOrderFlow does not fit OrderFlow any more: ", message)
    assert message.endswith(". Run `persistc generate`")
    assert isinstance(stale.value, ImportError)


FITTING: list[tuple[str, str]] = [
    ('"""Place an order."""', '"""Place an order, quickly."""  # and cheaply'),
    ("timedelta(days=1)", "timedelta(days=9)"),
    ("max_attempts=2", "max_attempts=9"),
    ("number + 1", "number + 2"),
    ("raises=(Declined,)", "raises=(KeyError,)"),
    ('name="quick-order"', 'name="slow-order"'),
    ("boxes: list[int] = [1, 2]", "boxes: list[int] = list((1, 2))"),
    ("lines: list[Line], note", 'lines: "list[Line]", note'),
    ("    def helper(", "    def assist(self) -> None: ...\n    def helper("),
    ("from dataclasses", "from __future__ import annotations\nfrom dataclasses"),
    ("    from decimal import Decimal", "    from decimal import *"),
    ("import Retry,", "import Retry as Retry,"),
    ("speed: Speed = Speed.FAST", "speed: Speed = Speed('fast')"),
]


@pytest.mark.parametrize(("before", "after"), FITTING, ids=[entry[1] for entry in FITTING])
def test_an_edit_that_changes_no_signature_needs_no_generating(before: str, after: str) -> None:
    generated(edited(SOURCE, (before, after)))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("_p.step(super().price, lines)", "super().price(lines)", "price: its generated code is of another format"),
        (
            "lines: list[Line]) ->",
            'lines: "list[Nowhere]") ->',
            "an annotation of the generated code has name 'Nowhere'",
        ),
        ("self, text: str", "self, text", "audit"),
    ],
)
def test_generated_code_edited_by_hand_is_an_error_at_import(before: str, after: str, told: str) -> None:
    with pytest.raises(StaleProxy, match=told):
        generated(proxy=edited(GENERATED, (before, after)))


def test_a_decorator_below_the_mark_that_hides_the_name_is_an_error() -> None:
    hiding = "    @step\n    @(lambda method: lambda self, lines: method(self, lines))\n    async def price"

    with pytest.raises(
        TypeError, match=r"OrderFlow\.price is a function that calls itself '<lambda>'.* functools\.wraps"
    ):
        generated(edited(SOURCE, ("    @step\n    async def price", hiding)))


def test_a_decorator_below_the_mark_that_uses_wraps_is_seen_through() -> None:
    wrapping = "    @step\n    @wrapping\n    async def price"
    helper = (
        "import functools\n"
        "def wrapping(method):\n"
        "    @functools.wraps(method)\n"
        "    def wrapper(*args, **kwargs):\n"
        "        return method(*args, **kwargs)\n"
        "    return wrapper\n"
    )
    module = generated(edited(helper + SOURCE, ("    @step\n    async def price", wrapping)))

    assert module.DurableOrderFlow.__persistasaurus__.methods["price"].is_async
