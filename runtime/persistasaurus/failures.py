"""Exceptions to JSON text and back: what a flow sees of a step's failure, live and replayed (G3).

A listed exception, a builtin one and one of this package come back as their own class. Any other comes back as
`StepFailed`, of a class that also derives from its nearest ancestor among those, so that an `except` still matches.
Which class a name on record means is decided by what the code lists today; nothing is imported for it (G12).
"""

from __future__ import annotations

import builtins
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import lru_cache
from types import new_class
from typing import Any, Final, cast

import msgspec

from persistasaurus import errors
from persistasaurus.codecs import MAX_BYTES
from persistasaurus.conversions import Json
from persistasaurus.errors import CorruptRow, StepFailed
from persistasaurus.exception_state import arguments_of, attributes_of, rebuild
from persistasaurus.marks import NEVER_LISTED
from persistasaurus.plain_values import Allowance, NotPlain, PlainReader, PlainWriter, TooMuch, text_of, type_name

LONGEST_TRACEBACK: Final = 20_000
"""Characters kept of a traceback, its end."""
_DEEPEST: Final = 100
"""Levels of exceptions in exceptions; nobody makes more on purpose, and each tells its traceback and those below."""
_MOST_VALUES: Final = 100_000
_VALUES_A_RECORD: Final = 20
"""What one exception is reckoned as, beside its arguments and attributes."""

_ITS_OWN_WAY: Final = (*NEVER_LISTED, StopIteration)
"""No future can hold these, or they stop more than a step: they come back as `StepFailed` alone."""


class FailureOnRecord(msgspec.Struct, omit_defaults=True):
    """An exception as the log holds it."""

    type: str
    message: str
    ancestors: list[str] = []
    args: list[Any] = []
    attributes: dict[str, Any] = {}
    members: list[FailureOnRecord] = []
    """The members of an exception group."""
    failed: bool = False
    """It was a `StepFailed`, or is one whatever is listed; `type` is what failed."""
    traceback: str = ""


_to_json: Final = msgspec.json.Encoder(order="deterministic").encode
_from_json: Final = msgspec.json.Decoder(FailureOnRecord).decode


def _by_name(classes: Iterable[object]) -> dict[str, type[BaseException]]:
    return {
        type_name(cls): cls
        for cls in classes
        if isinstance(cls, type) and issubclass(cls, BaseException) and not issubclass(cls, _ITS_OWN_WAY)
    }


_ALWAYS: Final = _by_name((*vars(builtins).values(), *vars(errors).values()))
"""The exceptions that need no listing, but `BaseException`: what only that describes is `StepFailed` alone."""
del _ALWAYS["builtins.BaseException"]


class FailureCodec:
    """Stores exceptions for the flows of one class."""

    __slots__ = ("_classes", "_enums", "_modules", "listed")

    def __init__(self, listed: Iterable[type[BaseException]], modules: Iterable[str] = ()) -> None:
        """Build it.

        Args:
            listed: Exceptions that come back as their own class.
            modules: Names of loaded modules whose enums come back in attributes, beside those of the listed classes.
        """
        self.listed = tuple(dict.fromkeys(listed))
        self._modules = tuple(dict.fromkeys((*modules, *(cls.__module__ for cls in self.listed))))
        self._classes = _ALWAYS | _by_name(self.listed)
        self._enums: dict[str, type[Enum]] | None = None

    def encode(self, exception: BaseException, max_bytes: int = MAX_BYTES) -> str:
        """What to record of an exception; never raises.

        Args:
            exception: Any exception, however ill-behaved.
            max_bytes: Bytes of JSON it may take. One that takes more comes back as a `StepFailed` without arguments,
                attributes and members, as does one that holds very many values or exceptions nested 100 deep.
        """
        try:
            data = _to_json(self._record(exception, (), Allowance(_MOST_VALUES, max_bytes)))
            if len(data) <= max_bytes:
                return data.decode()
        except KeyboardInterrupt:
            raise
        except BaseException:
            pass  # or its class is hostile enough to break taking it apart
        cls = type(exception)
        name, message = text_of(cls, type_name), text_of(exception, str, 1000)
        return _to_json(FailureOnRecord(name, message, _ancestors(cls, itself=True), failed=True)).decode()

    def decode(self, text: str) -> BaseException:
        """The exception on record.

        Raises:
            CorruptRow: The text is no exception on record.
        """
        try:
            return self._exception(_from_json(text))
        except Exception as reason:
            raise CorruptRow(f"the log has a failure that cannot be read: {reason}: {text[:200]}") from reason

    # -- writing ------------------------------------------------------------------------------------------------------

    def _record(self, exception: BaseException, above: tuple[int, ...], allowance: Allowance) -> FailureOnRecord:
        if len(above) >= _DEEPEST:
            raise TooMuch
        allowance.spend(_VALUES_A_RECORD)
        cls = type(exception)
        above = (*above, id(exception))
        grouped = cast("BaseExceptionGroup[BaseException]", exception).exceptions if _is_group(cls) else ()
        members = [self._record(member, above, allowance) for member in grouped]  # first: its own text holds theirs
        name, message, trace = type_name(cls), text_of(exception, str), text_of(exception, _trace, LONGEST_TRACEBACK)
        allowance.spend(0, len(message) + len(trace))
        attributes = dict(attributes_of(exception))
        failed = self._classes.get(name, cls) is not cls
        handed_on = cls is StepFailed or cls in _MADE.values()
        if handed_on:
            # Raised on by a body that was given it: what failed stays what failed.
            name = str(attributes.pop("type_name", name))
            message = str(attributes.pop("message", message))
            trace = str(attributes.pop("traceback_text", trace))
        if members:
            attributes.pop("exceptions", None)

        def inside(exception: BaseException) -> Json:
            if id(exception) in above:
                raise NotPlain
            return cast(Json, msgspec.to_builtins(self._record(exception, above, allowance)))

        writer = PlainWriter(self._known_enums(), inside, allowance)
        return FailureOnRecord(
            type=name,
            message=message,
            ancestors=_ancestors(cls, itself=handed_on),
            args=[] if members else [writer.write_or_text(argument) for argument in arguments_of(exception)],
            attributes=dict(_plain(writer, attributes)),
            members=members,
            failed=failed or handed_on,
            traceback=trace,
        )

    # -- reading ------------------------------------------------------------------------------------------------------

    def _exception(self, record: FailureOnRecord) -> BaseException:
        reader = PlainReader(
            self._known_enums(), lambda plain: self._exception(msgspec.convert(plain, FailureOnRecord))
        )
        arguments = reader.read(record.args)
        attributes = {name: reader.read(plain) for name, plain in record.attributes.items()}
        members = [self._exception(member) for member in record.members]
        group = (str(attributes.get("message", record.message)), members) if members else None
        own = None if record.failed else self._classes.get(record.type)
        ancestors = [self._classes[name] for name in record.ancestors if name in self._classes]
        for ancestor in ancestors if own is None else (own, *ancestors):
            try:
                cls = own if ancestor is own else step_failed_class(ancestor)
                exception = rebuild(cls, arguments, attributes, group if _is_group(cls) else None)
                break
            except (TypeError, ValueError):
                continue  # only its own constructor can make it
        else:
            exception = rebuild(StepFailed, arguments, attributes, None)
        if isinstance(exception, StepFailed) and type(exception) is not own:
            # Into its `__dict__`, past any `__setattr__` of the ancestor.
            object.__getattribute__(exception, "__dict__").update(
                type_name=record.type.removeprefix("builtins."),
                message=record.message,
                traceback_text=record.traceback,
            )
        return exception

    def _known_enums(self) -> Mapping[str, type[Enum]]:
        if self._enums is None:
            self._enums = {type_name(enum): enum for name in self._modules for enum in _enums_of(name)}
        return self._enums


@lru_cache(maxsize=256)
def joined(first: FailureCodec, second: FailureCodec) -> FailureCodec:
    """A codec for what either of two lists: for a step of one flow class called by a flow of another."""
    return FailureCodec((*first.listed, *second.listed), (*first._modules, *second._modules))


def _plain(writer: PlainWriter, attributes: Mapping[str, object]) -> Iterable[tuple[str, Json]]:
    """The attributes that come back. Others are left out: an `AttributeError` is plainer than a text in their place."""
    for name, value in attributes.items():
        try:
            name.encode()  # a name of half a surrogate pair is no JSON
            yield name, writer.write(value)
        except (KeyboardInterrupt, TooMuch):
            raise
        except BaseException:
            continue


def _is_group(cls: type) -> bool:
    # Asked of the class: a hostile exception may answer for its instance.
    return issubclass(cls, BaseExceptionGroup)


def _ancestors(cls: type[BaseException], *, itself: bool = False) -> list[str]:
    """The names of the exception classes above `cls`, nearest first; with it, of a `StepFailed` what it stands for."""
    apart = StepFailed.__mro__ if itself and issubclass(cls, StepFailed) else ()
    classes = cls.__mro__ if itself else cls.__mro__[1:]
    return [text_of(base, type_name) for base in classes if issubclass(base, BaseException) and base not in apart]


def _trace(exception: BaseException) -> str:
    return "".join(traceback.format_exception(exception))[-LONGEST_TRACEBACK:]


def _enums_of(module_name: str) -> Iterable[type[Enum]]:
    names = vars(sys.modules[module_name]) if module_name in sys.modules else {}
    for value in list(names.values()):
        if isinstance(value, type) and issubclass(value, Enum):
            yield value
        elif isinstance(value, type) and vars(value).get("__module__") == module_name:
            yield from (item for item in vars(value).values() if isinstance(item, type) and issubclass(item, Enum))


class _Kept:
    """An attribute of a `StepFailed` in spite of a property or builtin member of that name in the other ancestor."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, exception: object, owner: type) -> Any:
        return self if exception is None else vars(exception)[self._name]

    def __set__(self, exception: object, value: object) -> None:
        vars(exception)[self._name] = value


_MADE: Final[dict[type, type[StepFailed]]] = {}


def step_failed_class(ancestor: type[BaseException]) -> type[StepFailed]:
    """The class of a `StepFailed` that is also an instance of `ancestor`.

    Raises:
        TypeError: The two do not mix: a metaclass, an `__init_subclass__` or a layout of its own.
    """
    if issubclass(StepFailed, ancestor):
        return StepFailed
    made = _MADE.get(ancestor)
    if made is None:
        bases = (ancestor,) if issubclass(ancestor, StepFailed) else (StepFailed, ancestor)
        held = {name: _Kept() for name in ("type_name", "message", "traceback_text")}
        try:
            made = cast(type[StepFailed], new_class(f"StepFailed_{ancestor.__name__}", bases, exec_body=_filling(held)))
        except Exception as reason:
            raise TypeError(f"StepFailed and {ancestor.__qualname__} do not mix: {reason}") from reason
        made.__module__ = StepFailed.__module__
        made.__doc__ = f"A step raised an unlisted exception that is a {ancestor.__name__}."
        _MADE[ancestor] = made
    return made


def _filling(held: Mapping[str, object]) -> Callable[[dict[str, object]], None]:
    return lambda namespace: namespace.update(held)
