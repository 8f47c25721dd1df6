"""The arguments of a call to JSON text and back, for one signature."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import partial
from inspect import Parameter, Signature
from types import GenericAlias
from typing import Any, Final

import msgspec

from persistasaurus.codecs import MAX_BYTES, decoder_for, encoder_for, equal_text, refusal, too_large, unreadable
from persistasaurus.differences import difference, equal
from persistasaurus.errors import CorruptRow, ValueNotStorable
from persistasaurus.storable import Storage, storage_of

_BY_POSITION: Final = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_BY_NAME: Final = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
_as_tuple: Final = msgspec.structs.astuple

Arguments = tuple[tuple[Any, ...], dict[str, Any]]


class ParametersCodec:
    """Stores the arguments of one method, as a JSON object with a member for each parameter.

    An argument that is the parameter's default is left out: a default that changes then makes no difference at replay
    (G5), and the body gets today's. `*args` is stored as a list and `**kwargs` as an object, under their own names.
    """

    __slots__ = (
        "_bind",
        "_by_name",
        "_decode",
        "_defaults",
        "_encode",
        "_keywords",
        "_many",
        "_positions",
        "_record",
        "_rest",
        "_where",
        "signature",
    )

    def __init__(self, signature: Signature, hints: Mapping[str, Any], where: str) -> None:
        """Build it.

        Args:
            signature: The signature, without `self`.
            hints: The parameters' types, resolved.
            where: The method, for errors: "SignupFlow.sign_up (app/flows.py:12)".

        Raises:
            ValueNotStorable: A parameter has no type, or one that cannot be stored.
        """
        self.signature = signature
        self._where = where
        parameters = list(signature.parameters.values())
        types = {parameter.name: _stored_type(parameter, hints, where) for parameter in parameters}
        storages = [storage_of(types[p.name], f"parameter {p.name!r} of {where}") for p in parameters]
        self._positions = sum(p.kind in _BY_POSITION for p in parameters)
        self._keywords = tuple(p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY)
        self._many = next((p.name for p in parameters if p.kind is Parameter.VAR_POSITIONAL), None)
        self._rest = next((p.name for p in parameters if p.kind is Parameter.VAR_KEYWORD), None)
        self._by_name = frozenset(p.name for p in parameters if p.kind in _BY_NAME)
        self._defaults = tuple((p.name, p.default) for p in parameters if _copied(p.default))
        self._record = _record_type(signature, types)
        storage = _joined(self._record, storages)
        self._encode = encoder_for(storage)
        self._decode: Callable[[str | bytes], msgspec.Struct] = decoder_for(self._record, storage)
        self._bind: Callable[..., msgspec.Struct] = self._record
        if self._many or self._rest or any(p.kind is Parameter.POSITIONAL_ONLY for p in parameters):
            self._bind = self._bind_all

    @property
    def fields(self) -> tuple[msgspec.structs.FieldInfo, ...]:
        """The members of the object: each parameter with the type it is stored as."""
        return msgspec.structs.fields(self._record)

    def round_trip(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], max_bytes: int = MAX_BYTES
    ) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
        """What to record of a call, and its arguments as they come back, ready for calling the body.

        Raises:
            TypeError: The arguments do not fit the signature.
            ValueNotStorable: One of them would not come back as it is.
            ValueTooLarge: Their JSON is longer than `max_bytes`.
        """
        given = self._given(args, kwargs)
        try:
            data = self._encode(given) if not self._defaults else self._encode_record(given)
            back = self._decode(data)
        except Exception as reason:
            raise self._refusal(given, reason) from reason
        if not equal(given, back):
            self._require_same(given, back)
        if len(data) > max_bytes:
            raise too_large(f"the arguments of {self._where}", len(data), max_bytes)
        return data.decode(), *self._arguments(back)

    def encode(self, args: tuple[Any, ...], kwargs: dict[str, Any], max_bytes: int = MAX_BYTES) -> str:
        """What to record of a call; refuses what `round_trip` refuses."""
        return self.round_trip(args, kwargs, max_bytes)[0]

    def text(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """What to record of a call, unchecked: enough to compare with what is on record.

        Raises:
            TypeError: The arguments do not fit the signature.
            ValueNotStorable: They are not JSON.
        """
        given = self._given(args, kwargs)
        try:
            return (self._encode(given) if not self._defaults else self._encode_record(given)).decode()
        except Exception as reason:
            raise self._refusal(given, reason) from reason

    def decode(self, text: str) -> Arguments:
        """The arguments on record, ready for calling the body.

        Raises:
            CorruptRow: They do not fit the signature.
        """
        try:
            record = self._decode(text)
        except Exception as reason:
            raise unreadable(f"the arguments of {self._where}", text, reason) from reason
        return self._arguments(record)

    def same(self, recorded: str, today: str) -> bool:
        """Whether two texts are the same arguments: alike to the letter, or equal as today's codec reads them (G5)."""
        if recorded == today:
            return True
        try:
            before, now = self.decode(recorded), self.decode(today)
        except CorruptRow:
            return False
        return difference(before, now, self._same_text) is None

    def _given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> msgspec.Struct:
        try:
            return self._bind(*args, **kwargs)
        except TypeError as reason:
            raise self._misfit(args, kwargs, reason) from None

    def _encode_record(self, given: msgspec.Struct) -> bytes:
        # msgspec leaves out what is unset; what it does leave out by itself are defaults that cannot be changed.
        left_out = [(name, default) for name, default in self._defaults if getattr(given, name) is default]
        for name, _ in left_out:
            setattr(given, name, msgspec.UNSET)
        try:
            return self._encode(given)
        finally:
            for name, default in left_out:
                setattr(given, name, default)

    def _arguments(self, record: msgspec.Struct) -> Arguments:
        for name, default in self._defaults:
            if getattr(record, name) is default:
                setattr(record, name, deepcopy(default))  # a body that changes its argument changes no later call
        values = _as_tuple(record)
        if len(values) == self._positions:
            return values, {}
        at = self._positions
        args, kwargs = values[:at], dict(zip(self._keywords, values[at:], strict=False))
        if self._many is not None:
            args += getattr(record, self._many)
        if self._rest is not None:
            kwargs.update(getattr(record, self._rest))
        return args, kwargs

    def _bind_all(self, *args: Any, **kwargs: Any) -> msgspec.Struct:
        """Bind what a struct's constructor cannot: `*args`, `**kwargs` and parameters that have no name to call by."""
        more = args[self._positions :]
        named = {name: value for name, value in kwargs.items() if name in self._by_name}
        rest = {name: value for name, value in kwargs.items() if name not in self._by_name}
        if self._many is not None:
            named[self._many] = more
        if self._rest is not None:
            named[self._rest] = rest
        if (more and self._many is None) or (rest and self._rest is None):
            raise TypeError("too many arguments")
        return self._record(*args[: self._positions], **named)

    def _misfit(self, args: tuple[Any, ...], kwargs: dict[str, Any], reason: TypeError) -> TypeError:
        try:
            self.signature.bind(*args, **kwargs)
        except TypeError as exact:
            reason = exact
        return TypeError(f"{self._where}: {reason}")

    def _refusal(self, given: msgspec.Struct, reason: Exception) -> ValueNotStorable:
        """Find out which argument it is: rare, so it may take its time."""
        for name in self._record.__struct_fields__:
            try:
                self._decode_alone(name, getattr(given, name))
            except Exception as found:
                return refusal(f"parameter {name!r} of {self._where}", getattr(given, name), found, name)
        return refusal(f"the arguments of {self._where}", given, reason)

    def _decode_alone(self, name: str, value: object) -> None:
        data = self._encode({name: value})
        try:
            self._decode(data)
        except msgspec.ValidationError as reason:
            text, _, at = str(reason).partition(" - at `$")
            if at.startswith(f".{name}"):
                raise ValueError(f"{text} - at `${at.removeprefix(f'.{name}')}") from reason

    def _require_same(self, given: msgspec.Struct, back: msgspec.Struct) -> None:
        for name in self._record.__struct_fields__:
            differs = difference(getattr(given, name), getattr(back, name), self._same_text, name)
            if differs is not None:
                raise ValueNotStorable(f"parameter {name!r} of {self._where} cannot be stored: {differs}")

    def _same_text(self, a: object, b: object) -> bool:
        return equal_text(self._encode, a, b)


def _stored_type(parameter: Parameter, hints: Mapping[str, Any], where: str) -> Any:
    if parameter.name not in hints:
        raise ValueNotStorable(f"parameter {parameter.name!r} of {where} has no annotation; write the type it holds")
    hint = hints[parameter.name]
    if parameter.kind is Parameter.VAR_POSITIONAL:
        return GenericAlias(tuple, (hint, ...))
    if parameter.kind is Parameter.VAR_KEYWORD:
        return GenericAlias(dict, (str, hint))
    return hint


def _copied(default: object) -> bool:
    """Whether this default may be changed by a body; msgspec would refuse or copy it."""
    return isinstance(default, list | dict | set | bytearray | msgspec.Struct)


def _itself(default: Any) -> Any:
    return default


def _record_type(signature: Signature, types: Mapping[str, Any]) -> type[msgspec.Struct]:
    """A struct whose constructor binds arguments as the signature does, at C speed."""
    by_position: list[Any] = []
    by_name: list[Any] = []
    in_the_end: list[Any] = []  # where `_arguments` does not look
    for parameter in signature.parameters.values():
        name, default = parameter.name, parameter.default
        field: tuple[Any, ...]
        if parameter.kind is Parameter.VAR_POSITIONAL:
            in_the_end.append((name, types[name], ()))
            continue
        if parameter.kind is Parameter.VAR_KEYWORD:
            in_the_end.append((name, types[name], msgspec.field(default_factory=dict)))
            continue
        if default is Parameter.empty:
            field = (name, types[name])
        elif _copied(default):
            field = (name, types[name], msgspec.field(default_factory=partial(_itself, default)))
        else:
            field = (name, types[name], default)
        (by_position if parameter.kind in _BY_POSITION else by_name).append(field)
    # A member on record that the signature lacks is a changed call, not something to overlook (G5). No record is part
    # of a cycle, so the garbage collector need not look at it.
    options: dict[str, Any] = {"omit_defaults": True, "forbid_unknown_fields": True, "gc": False}
    record = msgspec.defstruct("Arguments", by_position, **options)
    if by_name or in_the_end:
        record = msgspec.defstruct("Arguments", by_name + in_the_end, bases=(record,), kw_only=True, **options)
    return record


def _joined(record: type[msgspec.Struct], storages: list[Storage]) -> Storage:
    """What storing all parameters takes."""
    conversions = {cls: conversion for storage in storages for cls, conversion in storage.conversions.items()}
    return Storage(msgspec.inspect.type_info(record), conversions, all(storage.sorts_itself for storage in storages))
