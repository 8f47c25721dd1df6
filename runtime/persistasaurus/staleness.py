"""Whether a generated proxy still fits the user's class, told at import."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from inspect import Parameter
from types import CodeType, FunctionType
from typing import Any, Final, NoReturn

from persistasaurus.annotations import resolved, same_type, type_text
from persistasaurus.differences import equal, shortened
from persistasaurus.errors import StaleProxy
from persistasaurus.flow_classes import KINDS, Declared, Kind
from persistasaurus.marks import Mark, StepMark, hand_on, mark_of

_DOORS: Final[dict[str, Kind]] = {
    "flow": "flow",
    "plain_flow": "flow",
    "step": "step",
    "plain_step": "step",
    "signal": "signal",
    "plain_signal": "signal",
}
_KIND_NAMES: Final = {
    Parameter.POSITIONAL_ONLY: "positional-only",
    Parameter.POSITIONAL_OR_KEYWORD: "positional or by keyword",
    Parameter.VAR_POSITIONAL: "`*`",
    Parameter.KEYWORD_ONLY: "keyword-only",
    Parameter.VAR_KEYWORD: "`**`",
}


class Comparison:
    """A proxy class held against the class it was generated from."""

    def __init__(self, proxy_class: type, listed: tuple[type[BaseException], ...]) -> None:
        self._proxy_class = proxy_class
        self._user_class: type = proxy_class.__bases__[0]
        self._listed = listed

    def declared(self) -> Iterator[Declared]:
        """Every flow, step and signal.

        Raises:
            StaleProxy: One of them differs; the message says which and how.
        """
        overrides = {name: value for name, value in vars(self._proxy_class).items() if isinstance(value, FunctionType)}
        for name, override in overrides.items():
            kind = _door_of(override.__code__)
            if kind is None:
                self._differ(name, "its generated code is of another format, or was edited")
            function, mark = self._user_method(name, kind, override)
            self._compare_parameters(name, function, override)
            hints = self._compare_types(name, function, override)
            self._require_listed(name, mark)
            hand_on(mark, override)  # the flow instance is made of overrides, and must offer no kept body
            yield Declared(name, function, mark, override, hints)
        for name in dict.fromkeys(name for cls in self._user_class.__mro__ for name in vars(cls)):
            mark_found = mark_of(inspect.getattr_static(self._user_class, name, None))
            if mark_found is not None and name not in overrides:
                self._differ(name, f"it is a {KINDS[type(mark_found)]} now, the generated code lacks it")

    def _user_method(self, name: str, kind: Kind, override: FunctionType) -> tuple[FunctionType, Mark]:
        missing = object()
        function = inspect.getattr_static(self._user_class, name, missing)
        if function is missing:
            self._differ(name, f"{self._user_class.__name__} has no such method any more")
        if not isinstance(function, FunctionType):
            self._differ(name, f"it is a {type(function).__name__} now, the generated code has a {kind}")
        mark = mark_of(function)
        if mark is None:
            self._differ(name, f"it is no longer marked @{kind}", function)
        if KINDS[type(mark)] != kind:
            self._differ(name, f"it is a {KINDS[type(mark)]} now, the generated code has a {kind}", function)
        if function.__name__ != name:
            raise TypeError(
                f"{self._user_class.__name__}.{name} is a function that calls itself {function.__name__!r}: "
                "the decorator below the mark must use functools.wraps"
            )
        is_async = inspect.iscoroutinefunction(inspect.unwrap(function))
        if is_async != inspect.iscoroutinefunction(override):
            self._differ(name, f"it is {'`async def`' if is_async else 'a plain `def`'} now", function)
        return function, mark

    def _compare_parameters(self, name: str, function: FunctionType, override: FunctionType) -> None:
        now = list(inspect.signature(function).parameters.values())[1:]
        then = list(inspect.signature(override).parameters.values())[1:]
        for difference in _parameter_differences(now, then):
            self._differ(name, difference, function)

    def _compare_types(self, name: str, function: FunctionType, override: FunctionType) -> dict[str, Any]:
        hints, hints_now = self._hints(name, function, override)
        for key in {**hints_now, **hints}:
            what = "the result" if key == "return" else f"parameter {key!r}"
            if key not in hints_now or key not in hints:
                self._differ(name, f"{what} {'has lost its' if key in hints else 'has an'} annotation", function)
            if not same_type(hints_now[key], hints[key]):
                change = f"{type_text(hints_now[key])} now, {type_text(hints[key])} in the generated code"
                self._differ(name, f"{what} is {change}", function)
        return hints

    def _hints(
        self, name: str, function: FunctionType, override: FunctionType
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The types of the override and of the user's method."""
        try:
            hints = resolved(override)
        except NameError as reason:
            self._differ(name, f"an annotation of the generated code has {reason}", function)
        owner = next(cls for cls in self._user_class.__mro__ if name in vars(cls))
        unwrapped = inspect.unwrap(function)
        try:
            # What the user imports under TYPE_CHECKING only is a real import of the generated module.
            return hints, resolved(unwrapped, vars(owner), override.__globals__)
        except NameError as reason:
            if unwrapped.__annotations__ != override.__annotations__:
                self._differ(name, f"an annotation cannot be resolved: {reason}", function)
            return hints, hints

    def _require_listed(self, name: str, mark: Mark) -> None:
        if isinstance(mark, StepMark):
            for cls in mark.raises:
                if cls not in self._listed and cls.__module__ != "builtins":
                    self._differ(name, f"raises={cls.__name__} is not in the generated code's table of errors")

    def _differ(self, name: str, what: str, function: FunctionType | None = None) -> NoReturn:
        where = ""
        if function is not None:
            code = inspect.unwrap(function).__code__
            where = f" ({code.co_filename}:{code.co_firstlineno})"
        raise StaleProxy(
            f"{self._proxy_class.__module__}.{self._proxy_class.__name__} does not fit {self._user_class.__name__} "
            f"any more: {name}{where}: {what}. Run `persistc generate`",
            name=self._proxy_class.__module__,
        )


def _door_of(code: CodeType) -> Kind | None:
    """Through which function of `persistasaurus.generated` an override goes: `_p.step` is the first name it uses."""
    return _DOORS.get(code.co_names[1]) if code.co_names[:1] == ("_p",) and len(code.co_names) > 1 else None


def _parameter_differences(now: list[Parameter], then: list[Parameter]) -> Iterator[str]:
    names_now, names_then = [p.name for p in now], [p.name for p in then]
    for name in names_now:
        if name not in names_then:
            yield f"parameter {name!r} is new"
    for name in names_then:
        if name not in names_now:
            yield f"parameter {name!r} is gone"
    if names_now != names_then:
        yield f"its parameters come in another order: {', '.join(names_now)}"
    for parameter, before in zip(now, then, strict=True):
        if parameter.kind is not before.kind:
            kinds = f"{_KIND_NAMES[parameter.kind]} now, {_KIND_NAMES[before.kind]} in the generated code"
            yield f"parameter {parameter.name!r} is {kinds}"
        if not _same_default(parameter.default, before.default):
            yield f"parameter {parameter.name!r} {_default_change(parameter.default, before.default)}"


def _same_default(now: object, then: object) -> bool:
    if now is then:
        return True
    if type(now) is not type(then):
        return False
    if equal(now, then) or shortened(now) == shortened(then) == "nan":
        return True
    # Written out twice, an object without `__eq__` never equals its double; what it holds is all there is to compare.
    unique = isinstance(now, Enum | type | FunctionType)
    return not unique and type(now).__eq__ is object.__eq__ and equal(_held(now), _held(then))


def _held(value: object) -> object:
    return getattr(value, "__dict__", None)


def _default_change(now: object, then: object) -> str:
    if now is Parameter.empty:
        return "has no default any more"
    if then is Parameter.empty:
        return f"has a default now, {shortened(now)}"
    return f"has the default {shortened(now)} now, {shortened(then)} in the generated code"
