"""The decorators `@flow`, `@step` and `@signal`: they leave a mark on the method and change nothing else.

What runs durably is decided by the generated proxy; without it a marked method is a plain method.
"""

from __future__ import annotations

import inspect
from asyncio import CancelledError
from collections.abc import Callable
from datetime import timedelta
from types import FunctionType
from typing import Any, Final, TypeVar, overload

from msgspec import Struct

from persistasaurus.errors import Evicted
from persistasaurus.retry import Retry

MethodT = TypeVar("MethodT", bound=Callable[..., Any])

_ATTRIBUTE: Final = "__persistasaurus_mark__"

NEVER_LISTED: Final = (CancelledError, KeyboardInterrupt, SystemExit, GeneratorExit, Evicted)
"""What steers control flow is no failure a flow can be given back."""


class FlowMark(Struct, frozen=True):
    """The method is a flow, recorded under `name`, or under `Class.method` if that is None.

    `version` numbers its bodies; `of` names the flow of which it is a kept, older body.
    """

    name: str | None = None
    version: int = 1
    of: str | None = None


class StepMark(Struct, frozen=True):
    """The method is a step, with these options."""

    delay: timedelta | None = None
    retry: Retry | None = None
    at_most_once: bool = False
    raises: tuple[type[BaseException], ...] = ()


class SignalMark(Struct, frozen=True):
    """The method is a signal: a step whose arguments come from outside."""


Mark = FlowMark | StepMark | SignalMark


@overload
def flow(method: MethodT, /) -> MethodT: ...
@overload
def flow(
    *, name: str | None = None, version: int = 1, of: Callable[..., Any] | None = None
) -> Callable[[MethodT], MethodT]: ...
def flow(
    method: MethodT | None = None,
    /,
    *,
    name: str | None = None,
    version: int = 1,
    of: Callable[..., Any] | None = None,
) -> MethodT | Callable[[MethodT], MethodT]:
    """Mark a method as a flow: plain Python that calls steps and waits for signals, and goes on after a crash.

    Args:
        method: The method, when the decorator is written without parentheses.
        name: The name under which it is recorded; `Class.method` if left out. A name of its own lets the method be
            renamed while flows are under way.
        version: The number of this body, 1 or more, raised when a change of the body would not fit flows under way;
            it is recorded once, when a flow starts.
        of: The flow, defined above, of which this is the kept body of an older version: flows that started on it end
            on it, new ones start on the newest.
    """
    if name is not None and not name.strip():
        raise ValueError(f"@flow(name={name!r}): give a name, or leave it out for Class.method")
    if type(version) is not int or version < 1:
        raise ValueError(f"@flow(version={version!r}): versions are numbered 1, 2, 3, ...")
    if of is None:
        return _marking(FlowMark(name, version), "flow", method)
    newest = mark_of(of)
    if not isinstance(newest, FlowMark) or newest.of is not None:
        raise TypeError(f"@flow(of={of!r}): name the flow itself, which is defined above: `of=place_order`")
    if version >= newest.version:
        newer = f"the flow's version {newest.version}"
        raise ValueError(f"@flow(version={version}, of=...): a kept body is older than {newer}")
    if name is not None:
        raise ValueError(f"@flow(name={name!r}, of=...): a kept body is recorded under the name of its flow")
    return _marking(FlowMark(None, version, getattr(of, "__name__", None)), "flow", method)


@overload
def step(method: MethodT, /) -> MethodT: ...
@overload
def step(
    *,
    delay: timedelta | None = None,
    retry: Retry | None = None,
    at_most_once: bool = False,
    raises: tuple[type[BaseException], ...] = (),
) -> Callable[[MethodT], MethodT]: ...
def step(
    method: MethodT | None = None,
    /,
    *,
    delay: timedelta | None = None,
    retry: Retry | None = None,
    at_most_once: bool = False,
    raises: tuple[type[BaseException], ...] = (),
) -> MethodT | Callable[[MethodT], MethodT]:
    """Mark a method as a step: it is logged, and not run again once it has ended.

    Args:
        method: The method, when the decorator is written without parentheses.
        delay: How long to wait before the body runs; the wait survives restarts (G9).
        retry: How often to try; a step without it has one attempt.
        at_most_once: Never run the body twice: if a crash cuts it off, the step fails with `StepInterrupted` (G2).
        raises: Exceptions that come back to the flow as their own class; others come back as `StepFailed`, which is
            also an instance of their nearest listed or builtin ancestor (G3). Builtin exceptions need no listing.
    """
    if delay is not None and not isinstance(delay, timedelta):
        raise TypeError(f"@step(delay={delay!r}): give a timedelta, such as timedelta(days=3)")
    if delay is not None and delay < timedelta(0):
        raise ValueError(f"@step(delay={delay!r}): a delay cannot be negative")
    if retry is not None and not isinstance(retry, Retry):
        raise TypeError(f"@step(retry={retry!r}): give a Retry, such as Retry(max_attempts=5)")
    if at_most_once and retry is not None:
        raise ValueError("@step(at_most_once=True, retry=...): a step that may run at most once cannot be tried again")
    _require_listable(raises)
    return _marking(StepMark(delay, retry, bool(at_most_once), raises), "step", method)


@overload
def signal(method: MethodT, /) -> MethodT: ...
@overload
def signal() -> Callable[[MethodT], MethodT]: ...
def signal(method: MethodT | None = None, /) -> MethodT | Callable[[MethodT], MethodT]:
    """Mark a method as a signal: a flow waits for it with `wait_for_signal`, its arguments come from outside.

    Args:
        method: The method, when the decorator is written without parentheses.
    """
    return _marking(SignalMark(), "signal", method)


def mark_of(function: object) -> Mark | None:
    """The mark a decorator left on a function or method, None if there is none."""
    mark = getattr(function, _ATTRIBUTE, None)
    return mark if isinstance(mark, FlowMark | StepMark | SignalMark) else None


def hand_on(mark: Mark, override: FunctionType) -> None:
    """Let the method of a proxy carry the mark of what it overrides."""
    setattr(override, _ATTRIBUTE, mark)


def _marking(mark: Mark, word: str, method: MethodT | None) -> MethodT | Callable[[MethodT], MethodT]:
    def attach(method: MethodT) -> MethodT:
        if not isinstance(method, FunctionType):
            raise TypeError(
                f"@{word} marks a method, not {method!r}; write it above `def`, below @staticmethod and the like"
            )
        where = f"{method.__qualname__} ({method.__code__.co_filename}:{method.__code__.co_firstlineno})"
        if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
            raise TypeError(f"@{word} on {where}: a generator has no single outcome to record; return a list instead")
        earlier = mark_of(method)
        if earlier is not None:
            raise TypeError(f"@{word} on {where}: it is marked already, as {earlier}; a method has one mark")
        setattr(method, _ATTRIBUTE, mark)
        return method

    return attach if method is None else attach(method)


def _require_listable(raises: object) -> None:
    if not isinstance(raises, tuple):
        raise TypeError(f"@step(raises={raises!r}): give a tuple of exception classes, such as (PaymentDeclined,)")
    for item in raises:
        if not (isinstance(item, type) and issubclass(item, BaseException)):
            raise TypeError(f"@step(raises=...): {item!r} is not an exception class")
        if issubclass(item, NEVER_LISTED):
            raise TypeError(f"@step(raises=...): {item.__name__} steers control flow, it is no failure of a step")
