"""Arguments of a call: every kind of parameter, what is left out, and when two records are the same call."""

import inspect
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistasaurus import CorruptRow, Json, ValueNotStorable, ValueTooLarge, stored_as
from persistasaurus.parameters import ParametersCodec
from tests.runtime.values.stored_types import Color, Line, Money

NEW_YEAR = datetime(2024, 1, 1)
DEFAULT_LINES = [Line("default")]
texts = st.text(st.characters(exclude_categories=["Cs"]))


def codec_of(function: Callable[..., Any]) -> ParametersCodec:
    hints = get_type_hints(function, include_extras=True)
    return ParametersCodec(inspect.signature(function), hints, "F.s (flows.py:3)")


def plain(name: str, count: int) -> Any:
    return locals()


def optional(name: str, count: int = 3, color: Color = Color.RED, note: str | None = None) -> Any:
    return locals()


def mutable(lines: list[Line] = DEFAULT_LINES, empty: list[int] = []) -> Any:  # noqa: B006
    return locals()


def keyword_only(name: str, *, count: int, color: Color = Color.RED, at: datetime) -> Any:
    return locals()


def positional_only(name: str, count: int = 1, /, **rest: int) -> Any:
    return locals()


def everything(a: int, /, b: str, c: int = 2, *more: Line, d: int, e: Path | None = None, **rest: Json) -> Any:
    return locals()


def nothing() -> Any:
    return locals()


CALLS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    (plain, ("a", 1), {}, '{"name":"a","count":1}'),
    (plain, ("a",), {"count": 1}, '{"name":"a","count":1}'),
    (plain, (), {"count": 1, "name": "a"}, '{"name":"a","count":1}'),
    (optional, ("a",), {}, '{"name":"a"}'),
    (optional, ("a", 3, Color.RED, None), {}, '{"name":"a"}'),
    (optional, ("a",), {"color": Color.BLUE}, '{"name":"a","color":"blue"}'),
    (mutable, (), {}, "{}"),
    (mutable, ([Line("default")],), {"empty": []}, '{"lines":[{"sku":"default","count":1,"price":"0"}],"empty":[]}'),
    (
        keyword_only,
        ("a",),
        {"at": datetime(2024, 1, 2), "count": 1},
        '{"name":"a","count":1,"at":"2024-01-02T00:00:00"}',
    ),
    (positional_only, ("a",), {"name": 3, "count": 4}, '{"name":"a","rest":{"count":4,"name":3}}'),
    (everything, (1, "b"), {"d": 4}, '{"a":1,"b":"b","d":4}'),
    (
        everything,
        (1, "b", 3, Line("x"), Line("y")),
        {"d": 4, "e": Path("f"), "a": None, "z": [1]},
        '{"a":1,"b":"b","c":3,"d":4,"e":"f","more":[{"sku":"x","count":1,"price":"0"},'
        '{"sku":"y","count":1,"price":"0"}],"rest":{"a":null,"z":[1]}}',
    ),
    (nothing, (), {}, "{}"),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "text"), CALLS)
def test_arguments_are_recorded_by_name_and_come_back_as_they_were_bound(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], text: str
) -> None:
    codec = codec_of(function)

    recorded, back_args, back_kwargs = codec.round_trip(args, kwargs)

    assert recorded == codec.text(args, kwargs) == text
    assert function(*back_args, **back_kwargs) == function(*args, **kwargs)
    assert codec.decode(text) == (back_args, back_kwargs)


@given(texts, st.integers(), st.lists(st.builds(Line, texts)), st.integers(), st.dictionaries(texts, st.integers()))
def test_any_arguments_of_all_kinds_come_back(b: str, c: int, more: list[Line], d: int, rest: dict[str, int]) -> None:
    rest = {f"_{name}": value for name, value in rest.items()}

    _, args, kwargs = codec_of(everything).round_trip((1, b, c, *more), {"d": d, **rest})

    assert args == (1, b, c, *more)
    assert kwargs == {"d": d, "e": None, **rest}


def test_an_argument_left_out_does_not_change_the_types_of_the_others() -> None:
    _, args, _ = codec_of(optional).round_trip(("a",), {"color": Color.BLUE})

    assert args == ("a", 3, Color.BLUE, None)


def test_a_default_of_today_reaches_the_body_of_a_call_recorded_without_it() -> None:
    def before(name: str, count: int = 3) -> None: ...
    def today(name: str, count: int = 5) -> None: ...

    recorded = codec_of(before).encode(("a", 3), {})

    assert codec_of(today).same(recorded, codec_of(today).encode(("a", 5), {}))
    assert codec_of(today).decode(recorded) == (("a", 5), {})


@pytest.mark.parametrize(
    ("recorded", "today", "same"),
    [
        ('{"name":"a","count":1}', '{"name":"a","count":1}', True),
        ('{"count":1,"name":"a"}', '{"name":"a","count":1}', True),
        ('{"name":"a","count":1}', '{"name":"a","count":2}', False),
        ('{"name":"a"}', '{"name":"a","count":1}', False),
        ('{"name":"a","count":1,"gone":2}', '{"name":"a","count":1}', False),
        ('{"name":"a","count":"1"}', '{"name":"a","count":1}', False),
        ("broken", '{"name":"a","count":1}', False),
    ],
)
def test_a_call_is_the_same_when_todays_types_read_equal_arguments(recorded: str, today: str, same: bool) -> None:
    assert codec_of(plain).same(recorded, today) is same


def test_a_value_recorded_in_another_form_is_the_same_when_it_is_equal() -> None:
    def lines(lines: list[Line]) -> None: ...

    assert codec_of(lines).same('{"lines":[{"sku":"a"}]}', '{"lines":[{"sku":"a","count":1,"price":"0"}]}')


MISFITS: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], str]] = [
    (plain, ("a",), {}, r"F\.s \(flows\.py:3\): missing a required argument: 'count'"),
    (plain, ("a", 1, 2), {}, "too many positional arguments"),
    (plain, ("a", 1), {"other": 2}, "got an unexpected keyword argument 'other'"),
    (plain, ("a", 1), {"name": "b"}, "multiple values for argument 'name'"),
    (keyword_only, ("a", 1), {}, "too many positional arguments"),
    (positional_only, (), {"name": "a"}, "[Mm]issing .*argument:? 'name'|'name' parameter is positional only"),
    (everything, (1,), {}, "missing a required argument: 'b'"),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "reason"), MISFITS)
def test_arguments_that_do_not_fit_the_signature_are_a_type_error_naming_the_method(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TypeError, match=reason):
        codec_of(function).round_trip(args, kwargs)


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "reason"),
    [
        (
            plain,
            ("a", "1"),
            {},
            r"parameter 'count' of F\.s \(flows\.py:3\) cannot be stored: Expected `int`, got `str`$",
        ),
        (plain, (1, True), {}, "parameter 'name' .* Expected `str`, got `int`$"),
        (everything, (1, "b", 2, Line("a"), "x"), {"d": 1}, r"parameter 'more' .* got `str`, at more\[1\]$"),
        (everything, (1, "b"), {"d": 1, "z": [float("nan")]}, r"parameter 'rest' .*not JSON, at rest\['z'\]\[0\]$"),
        (everything, (1, "b", 2, Line("\ud800")), {"d": 1}, r"parameter 'more' .* surrogate pair, at more\[0\]\.sku$"),
    ],
)
def test_an_argument_that_cannot_be_stored_is_refused_by_its_name(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueNotStorable, match=reason):
        codec_of(function).round_trip(args, kwargs)


def test_arguments_larger_than_the_log_takes_are_refused() -> None:
    with pytest.raises(ValueTooLarge, match=r"the arguments of F\.s \(flows\.py:3\) takes 121 bytes"):
        codec_of(plain).round_trip(("a" * 100, 1), {}, max_bytes=100)


def test_a_body_that_changes_its_argument_does_not_change_the_record() -> None:
    given_lines = [Line("a")]
    codec = codec_of(mutable)

    recorded, (lines, _), _ = codec.round_trip((given_lines,), {})
    lines.append(Line("b"))

    assert given_lines == [Line("a")]
    assert codec.decode(recorded)[0][0] == [Line("a")]


def test_a_body_that_changes_a_default_changes_no_later_call() -> None:
    codec = codec_of(mutable)

    for _ in range(2):
        recorded, (lines, empty), _ = codec.round_trip((), {})
        assert (recorded, lines, empty) == ("{}", [Line("default")], [])
        lines.append(Line("b"))
        empty.append(1)

    assert [Line("default")] == DEFAULT_LINES


def test_recorded_arguments_of_another_signature_are_a_corrupt_row() -> None:
    with pytest.raises(CorruptRow, match=r"the arguments of F\.s .* missing required field `count`"):
        codec_of(plain).decode('{"name":"a"}')


def test_a_parameter_without_a_type_is_refused() -> None:
    def untyped(name, count: int) -> None: ...  # type: ignore[no-untyped-def]

    with pytest.raises(ValueNotStorable, match=r"parameter 'name' of .* has no annotation; write the type it holds"):
        codec_of(untyped)


def test_a_parameter_that_cannot_be_stored_is_refused_by_its_name() -> None:
    def handed(money: list[Money]) -> None: ...

    with pytest.raises(ValueNotStorable, match=r"parameter 'money' of F\.s .* in `list\[Money\]`, `Money` is none of"):
        codec_of(handed)


def test_parameters_may_use_types_of_their_own_way_of_storing() -> None:
    def pay(amounts: dict[int, Annotated[Money, stored_as(Money.text, Money.parse)]]) -> None: ...

    text, args, _ = codec_of(pay).round_trip(({2: Money(3, "EUR"), 1: Money(1, "USD")},), {})

    assert text == '{"amounts":{"1":"1 USD","2":"3 EUR"}}'
    assert args == ({2: Money(3, "EUR"), 1: Money(1, "USD")},)
