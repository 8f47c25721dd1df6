"""Exceptions come back as the class the user's `except` expects, whatever they are and however they behave."""

import asyncio
import builtins
import enum
import errno
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path, PureWindowsPath
from typing import Any

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from persistasaurus import (
    CorruptRow,
    Evicted,
    FlowParked,
    IncompatibleChange,
    OutcomeNotStorable,
    SignalTimeout,
    StepFailed,
    StepInterrupted,
)
from persistasaurus.failures import FailureCodec, joined


class Reason(enum.Enum):
    FUNDS = "funds"
    LIMIT = (1, 2)


class PaymentError(Exception):
    def __init__(self, *, code: int, reason: Reason, **more: object) -> None:
        super().__init__(f"code {code}")
        self.code = code
        self.reason = reason
        self.__dict__.update(more)


class CardExpired(PaymentError):
    pass


class Unlisted(ValueError):
    pass


class NotFound(OSError):
    pass


class Slotted(Exception):
    __slots__ = ("detail", "empty", "note")

    def __init__(self, detail: tuple[int, ...]) -> None:
        self.detail = detail
        self.note = None


@dataclass(frozen=True)
class Frozen(Exception):
    number: int
    when: date


class WithProperty(Exception):
    def __init__(self) -> None:
        self.__dict__["message"] = "held"

    @property
    def message(self) -> str:
        raise AssertionError("not asked")


class Group(ExceptionGroup[Exception]):
    pass


class Choosy(type):
    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "Choosy":
        if name.startswith("StepFailed"):
            raise TypeError("not here")
        return super().__new__(mcs, name, bases, namespace)


class Mixless(LookupError, metaclass=Choosy):
    pass


class MixlessChild(Mixless):
    pass


LISTED = (PaymentError, Slotted, Frozen, WithProperty, Group, Mixless)
CODEC = FailureCodec(LISTED)


def round_trip(exception: BaseException, codec: FailureCodec = CODEC) -> Any:
    """What a flow sees of it; live and replayed are the same, so it is stored twice."""
    text = codec.encode(exception)
    back, again = codec.decode(text), codec.decode(text)
    assert type(back) is type(again)
    assert str(back) == str(again)
    twice = codec.decode(codec.encode(back))
    assert (type(twice), str(twice)) == (type(back), str(back))
    return back


def raised(code: str) -> BaseException:
    try:
        exec(code, {})
    except Exception as exception:
        return exception
    raise AssertionError(f"{code} raises nothing")


def test_a_listed_exception_comes_back_without_its_init_and_with_its_attributes() -> None:
    new_year = datetime(2024, 1, 1, tzinfo=UTC)

    back = round_trip(PaymentError(code=3, reason=Reason.FUNDS, at=new_year, sums={1: Decimal(2)}))

    assert type(back) is PaymentError
    assert (back.args, str(back)) == (("code 3",), "code 3")
    assert vars(back) == {"code": 3, "reason": Reason.FUNDS, "at": new_year, "sums": {1: Decimal(2)}}


def test_an_unlisted_subclass_comes_back_as_a_failed_step_that_its_listed_ancestor_catches() -> None:
    with pytest.raises(PaymentError) as caught:
        raise round_trip(CardExpired(code=3, reason=Reason.LIMIT))

    failed: Any = caught.value
    assert type(failed).__bases__ == (StepFailed, PaymentError)
    assert str(failed) == f"{__name__}.CardExpired: code 3"
    assert (failed.type_name, failed.message, failed.code, failed.reason) == (
        f"{__name__}.CardExpired",
        "code 3",
        3,
        Reason.LIMIT,
    )


def test_an_unlisted_exception_comes_back_with_name_message_and_traceback_as_text() -> None:
    back = round_trip(raised("raise LookupError.__subclasses__()[1]('a', 3)"))
    unlisted = round_trip(raised("class Odd(ArithmeticError): pass\ndef fail(): raise Odd('no')\nfail()"))

    assert type(back) is KeyError
    assert isinstance(unlisted, StepFailed)
    assert isinstance(unlisted, ArithmeticError)
    assert unlisted.message == "no"
    assert 'File "<string>", line 2, in fail' in unlisted.traceback_text


@pytest.mark.parametrize(
    "exception",
    [
        ValueError("a", (1, 2), None),
        KeyError("k"),
        FileNotFoundError(errno.ENOENT, "No such file", "there"),
        OSError(errno.EXDEV, "Cross-device", "a", None, "b"),
        OSError(),
        TimeoutError("late"),
        UnicodeDecodeError("utf8", b"a", 0, 1, "bad"),
        raised("a b"),
        raised("import nowhere_to_be_found"),
        raised("None.attribute"),
        raised("undefined"),
        StopAsyncIteration(3),
        NotImplementedError(),
        SignalTimeout("late"),
        StepInterrupted("cut off"),
        OutcomeNotStorable("a socket"),
        IncompatibleChange("other"),
    ],
    ids=repr,
)
def test_a_builtin_exception_and_one_of_this_package_come_back_as_themselves(exception: BaseException) -> None:
    back = round_trip(exception)

    assert type(back) is type(exception)
    assert str(back) == str(exception)
    assert back.args == exception.args


def test_what_a_builtin_exception_holds_beside_its_arguments_comes_back() -> None:
    missing = round_trip(FileNotFoundError(errno.ENOENT, "No such file", Path("there")))
    syntax = round_trip(raised("a b\n"))

    assert (missing.errno, missing.strerror, missing.filename) == (errno.ENOENT, "No such file", Path("there"))
    assert (syntax.lineno, syntax.offset, syntax.text) == (1, 3, "a b\n")


def test_an_unlisted_subclass_of_a_builtin_with_a_layout_of_its_own_is_caught_by_it() -> None:
    with pytest.raises(OSError, match="NotFound") as caught:
        raise round_trip(NotFound(errno.ENOENT, "gone"))

    assert isinstance(caught.value, StepFailed)
    assert caught.value.errno == errno.ENOENT


def test_slots_frozen_dataclasses_and_properties_come_back() -> None:
    slotted = round_trip(Slotted((1, 2)))
    frozen = round_trip(Frozen(3, date(2024, 1, 2)))
    with_property = round_trip(WithProperty())

    assert (slotted.detail, slotted.note, hasattr(slotted, "empty")) == ((1, 2), None, False)
    assert frozen == Frozen(3, date(2024, 1, 2))
    assert vars(with_property) == {"message": "held"}


@pytest.mark.parametrize(
    "exception",
    [KeyboardInterrupt(), SystemExit(3), GeneratorExit(), asyncio.CancelledError("x"), Evicted(), StopIteration(3)],
    ids=repr,
)
def test_what_steers_control_flow_comes_back_as_a_failed_step_alone(exception: BaseException) -> None:
    back = round_trip(exception)

    assert type(back) is StepFailed
    assert back.type_name.endswith(type(exception).__name__)


def test_a_group_comes_back_member_by_member() -> None:
    inner = ExceptionGroup("inner", [PaymentError(code=2, reason=Reason.LIMIT)])
    group = ExceptionGroup("several", [ValueError(1), CardExpired(code=1, reason=Reason.FUNDS), inner])

    back = round_trip(group)

    assert type(back) is ExceptionGroup
    assert (back.message, str(back)) == ("several", "several (3 sub-exceptions)")
    first, second, third = back.exceptions
    assert (type(first), first.args) == (ValueError, (1,))
    assert type(second).__bases__ == (StepFailed, PaymentError)
    assert vars(third.exceptions[0])["reason"] is Reason.LIMIT
    matched, rest = back.split(PaymentError)
    assert matched is not None
    assert rest is not None
    assert len(rest.exceptions) == 1


def test_a_group_class_comes_back_when_listed_and_as_a_group_when_not() -> None:
    class Other(ExceptionGroup[Exception]):
        pass

    listed, other = round_trip(Group("g", [ValueError(1)])), round_trip(Other("o", [ValueError(1)]))
    base = round_trip(BaseExceptionGroup("b", [KeyboardInterrupt()]))

    assert type(listed) is Group
    assert isinstance(other, StepFailed)
    assert isinstance(other, ExceptionGroup)
    assert other.message == "o (1 sub-exception)"
    assert [type(member) for member in other.exceptions] == [ValueError]
    assert [type(member) for member in base.exceptions] == [StepFailed]


def test_a_failed_step_that_a_body_raises_on_stays_what_failed_first() -> None:
    first = round_trip(CardExpired(code=3, reason=Reason.LIMIT))
    second = round_trip(first, FailureCodec((PaymentError, CardExpired)))

    assert type(second) is type(first)
    assert (second.type_name, second.traceback_text) == (first.type_name, first.traceback_text)


def test_cause_context_and_notes_do_not_come_back() -> None:
    exception = PaymentError(code=1, reason=Reason.FUNDS)
    exception.add_note("remember")
    exception.__cause__ = exception.__context__ = ValueError()

    back = round_trip(exception)

    assert (back.__cause__, back.__context__, back.__traceback__) == (None, None, None)
    assert not hasattr(back, "__notes__")


def test_an_attribute_that_is_not_plain_is_left_out_and_an_argument_becomes_text() -> None:
    exception = PaymentError(code=1, reason=Reason.FUNDS, socket=object(), inner=[object()])
    exception.args = (object(), 2)
    exception.__dict__["half \ud800"] = exception.__dict__["__special__"] = 3

    back = round_trip(exception)

    assert vars(back).keys() == {"code", "reason", "inner"}
    assert back.inner[0].startswith("<object object at")
    assert back.args[0].startswith("<object object at")
    assert back.args[1] == 2


def test_an_exception_inside_an_exception_comes_back() -> None:
    parked = round_trip(FlowParked("flow-1", "parked", IncompatibleChange("other")))

    assert (parked.flow_id, type(parked.reason), str(parked.reason)) == ("flow-1", IncompatibleChange, "other")


def test_a_class_that_does_not_mix_with_failed_step_leaves_it_to_the_next_ancestor() -> None:
    assert type(round_trip(Mixless("a"))) is Mixless
    assert type(round_trip(MixlessChild("a"))).__bases__ == (StepFailed, LookupError)


def test_a_listed_class_that_only_its_constructor_can_make_comes_back_as_its_ancestor() -> None:
    class Model(pydantic.BaseModel):
        number: int

    with pytest.raises(pydantic.ValidationError) as caught:
        Model(number="x")  # type: ignore[arg-type]

    back = round_trip(caught.value, FailureCodec((pydantic.ValidationError,)))

    assert isinstance(back, StepFailed)
    assert isinstance(back, ValueError)
    assert "unable to parse string as an integer" in back.message


class HostileText(Exception):
    def __str__(self) -> str:
        raise SystemExit

    __repr__ = __str__


class HostileAccess(ValueError):
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class HostileState(ValueError):
    args = property(lambda self: 1 / 0)
    __slots__ = ("empty",)

    def __reduce__(self) -> Any:
        raise RuntimeError

    def __setattr__(self, name: str, value: object) -> None:
        raise RuntimeError


class HostileName(type):
    @property
    def __module__(cls) -> str:  # type: ignore[override]
        raise RuntimeError


class HostileClass(Exception, metaclass=HostileName):
    pass


class HostileValue:
    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__


def endless() -> Exception:
    exception = ValueError()
    exception.args = (exception, [exception], {"self": exception})
    return exception


def nested(levels: int) -> Exception:
    exception = Exception("innermost")
    for _ in range(levels):
        exception = ExceptionGroup("outer", [exception])
    return exception


def chained(length: int) -> Exception:
    first = exception = ValueError()
    for _ in range(length):
        exception.__cause__ = ValueError()
        exception = exception.__cause__
    return first


def chatty() -> Exception:
    return ValueError("half \ud800", "a" * 10**6, 10**6000, b"\xff", HostileValue(), {HostileValue(): 1})


@pytest.mark.parametrize(
    "make",
    [
        lambda: HostileText("a"),
        lambda: HostileAccess("a"),
        lambda: HostileState("a"),
        lambda: HostileClass("a"),
        chatty,
        endless,
        lambda: nested(3000),
        lambda: chained(3000),
    ],
    ids=["text", "access", "state", "class", "values", "endless", "nested", "chained"],
)
def test_an_exception_however_hostile_is_recorded_and_comes_back(make: Callable[[], BaseException]) -> None:
    exception = make()

    back = CODEC.decode(CODEC.encode(exception))

    assert isinstance(back, StepFailed) or type(back) is type(exception)


def test_groups_in_groups_come_back_down_to_a_hundredth_and_deeper_ones_as_their_name() -> None:
    back = CODEC.decode(CODEC.encode(nested(99)))
    for _ in range(99):
        assert isinstance(back, ExceptionGroup)
        (back,) = back.exceptions
    assert str(back) == "innermost"
    deeper = CODEC.decode(CODEC.encode(nested(100)))
    assert isinstance(deeper, StepFailed)
    assert (deeper.type_name, deeper.message) == ("ExceptionGroup", "outer (1 sub-exception)")


class Wrapped(LookupError):
    def __init__(self, original: BaseException) -> None:
        super().__init__("wrapped", original)
        self.original = original


def test_an_exception_that_holds_others_twice_over_at_every_level_is_recorded_without_delay() -> None:
    exception: BaseException = ValueError("the innermost")
    for _ in range(60):
        exception = Wrapped(exception)
    back = CODEC.decode(CODEC.encode(exception))  # 2 ** 60 records, taken apart to the end
    assert isinstance(back, LookupError)
    shared: object = []
    for _ in range(18):
        shared = [shared, shared]
    assert isinstance(CODEC.decode(CODEC.encode(ValueError(shared))), ValueError)  # 2 ** 18 lists


def test_an_exception_too_large_for_the_log_is_still_caught_by_its_ancestor() -> None:
    back = CODEC.decode(CODEC.encode(Unlisted("a" * 10**6), max_bytes=5000))
    assert isinstance(back, StepFailed)
    assert isinstance(back, Unlisted.__mro__[1])
    deep = CODEC.decode(CODEC.encode(Wrapped(nested(3000))))
    assert isinstance(deep, LookupError)


def test_a_hostile_exception_is_still_caught_by_its_ancestor() -> None:
    assert isinstance(CODEC.decode(CODEC.encode(HostileAccess("a"))), ValueError)
    assert isinstance(CODEC.decode(CODEC.encode(HostileState("a"))), ValueError)


def test_an_exception_larger_than_the_log_takes_keeps_its_name_and_the_start_of_its_message() -> None:
    text = CODEC.encode(Unlisted("a" * 10**6), max_bytes=5000)

    assert len(text) < 5000
    assert str(CODEC.decode(text)).startswith(f"{__name__}.Unlisted: aaa")


names = st.text().filter(lambda name: not name.startswith("__"))
keys = st.text() | st.integers() | st.booleans() | st.none() | st.tuples(st.integers(), st.text())
plain_values: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | st.text(st.characters(categories=["Cs", "L"]))
    | st.binary()
    | st.binary().map(bytearray)
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.none() | st.just(UTC))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
    | st.sampled_from(Reason)
    | st.sampled_from([Path("a/b"), PureWindowsPath("c:\\d")]),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.lists(inside, max_size=3).map(tuple)
        | st.dictionaries(keys, inside, max_size=3)
        | st.dictionaries(st.sampled_from(["$tuple", "$", "a"]), inside, max_size=2)
        | st.sets(keys, max_size=3)
        | st.frozensets(keys, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(plain_values, max_size=3), st.dictionaries(names, plain_values, max_size=3))
def test_plain_arguments_and_attributes_come_back_equal_and_of_their_types(
    arguments: list[Any], attributes: dict[str, Any]
) -> None:
    exception = PaymentError(code=1, reason=Reason.FUNDS)
    exception.args = tuple(arguments)
    exception.__dict__.update(attributes)

    back = CODEC.decode(CODEC.encode(exception))

    assert back.args == tuple(arguments)
    assert repr_of_types(back.args) == repr_of_types(tuple(arguments))
    assert vars(back) == vars(exception)


def repr_of_types(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((repr(key), str(repr_of_types(key)), str(repr_of_types(item))) for key, item in value.items())
    if isinstance(value, list | tuple):
        return type(value), [repr_of_types(item) for item in value]
    return type(value)


def test_an_enum_no_longer_in_the_code_comes_back_as_its_value() -> None:
    text = CODEC.encode(PaymentError(code=1, reason=Reason.LIMIT)).replace("Reason", "Gone")
    back: Any = CODEC.decode(text)

    assert back.reason == (1, 2)


def test_nothing_is_imported_or_built_because_the_log_names_it() -> None:
    text = json.dumps(
        {
            "type": "wsgiref.handlers.BaseHandler",
            "message": "m",
            "ancestors": ["xmlrpc.client.Fault", "builtins.eval", "os.system"],
            "args": [{"$enum": ["wsgiref.util.FileWrapper", 1]}],
        }
    )
    before = set(sys.modules)

    back = CODEC.decode(text)

    assert type(back) is StepFailed
    assert back.args == (1,)
    assert set(sys.modules) == before


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"type": 1, "message": ""}', '{"type": "a", "message": "", "args": [{"$x": 1}]}']
)
def test_text_that_is_no_failure_is_a_corrupt_row(text: str) -> None:
    with pytest.raises(CorruptRow, match="the log has a failure that cannot be read"):
        CODEC.decode(text)


def test_a_joined_codec_knows_what_either_lists() -> None:
    both = joined(FailureCodec((PaymentError,)), FailureCodec((Slotted,)))

    assert type(round_trip(PaymentError(code=1, reason=Reason.FUNDS), both)) is PaymentError
    assert type(round_trip(Slotted(()), both)) is Slotted


def test_a_class_newly_listed_comes_back_as_itself_from_an_earlier_record() -> None:
    text = FailureCodec(()).encode(PaymentError(code=1, reason=Reason.FUNDS))

    assert type(FailureCodec((PaymentError,)).decode(text)) is PaymentError


BUILTIN = {cls for cls in vars(builtins).values() if isinstance(cls, type) and issubclass(cls, Exception)}


@pytest.mark.parametrize("cls", sorted(BUILTIN - {StopIteration, ExceptionGroup}, key=str))
def test_every_builtin_exception_comes_back_as_itself_and_catches_its_unlisted_children(cls: Any) -> None:
    child: Any = type("Child", (cls,), {})

    assert type(CODEC.decode(CODEC.encode(cls.__new__(cls)))) is cls
    assert isinstance(CODEC.decode(CODEC.encode(child.__new__(child))), StepFailed)
    assert isinstance(CODEC.decode(CODEC.encode(child.__new__(child))), cls)
