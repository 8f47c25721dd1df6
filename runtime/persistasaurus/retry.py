"""When a failed step is tried again, and after which pause."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from persistasaurus.clock import LONGEST_WAIT
from persistasaurus.errors import OutcomeNotStorable


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a step is tried, and how long the pauses are.

    The pause after failure n is `initial * factor ** (n - 1)`, at most `maximum`, of which a random part, up to the
    share `jitter`, is left out so that steps which failed together do not come back together. `jitter=1` is the
    "full jitter" and `jitter=0.5` the "equal jitter" of Marc Brooker, "Exponential Backoff And Jitter",
    AWS Architecture Blog, 2015.

    Attributes:
        max_attempts: Attempts in all, the first included. An attempt that a crash cut off does not count (G6).
        initial: The pause after the first failure.
        factor: How much longer each pause is than the one before.
        maximum: The longest pause.
        jitter: The share of a pause that chance may leave out, from 0 to 1.
        retry_on: Exceptions, subclasses included, that are tried again.
        never_on: Exceptions among these that are not.
    """

    max_attempts: int = 3
    initial: timedelta = timedelta(seconds=1)
    factor: float = 2.0
    maximum: timedelta = timedelta(minutes=5)
    jitter: float = 0.5
    retry_on: tuple[type[Exception], ...] = (Exception,)
    never_on: tuple[type[Exception], ...] = ()

    def __post_init__(self) -> None:
        if type(self.max_attempts) is not int or self.max_attempts < 1:
            raise ValueError(f"Retry(max_attempts={self.max_attempts!r}): give a whole number, 1 or more")
        for name, pause in (("initial", self.initial), ("maximum", self.maximum)):
            if not isinstance(pause, timedelta):
                raise TypeError(f"Retry({name}={pause!r}): give a timedelta, such as timedelta(seconds=1)")
            if pause < timedelta(0):
                raise ValueError(f"Retry({name}={pause!r}): a pause cannot be negative")
        if self.maximum < self.initial:
            raise ValueError(f"Retry: maximum={self.maximum!r} is shorter than initial={self.initial!r}")
        _require_number("factor", self.factor, 1, math.inf)
        _require_number("jitter", self.jitter, 0, 1)
        for name, classes in (("retry_on", self.retry_on), ("never_on", self.never_on)):
            _require_exceptions(name, classes)

    def pause(self, failures: int, random: Callable[[], float]) -> timedelta:
        """The pause after so many failures.

        Args:
            failures: Failed attempts so far, 1 or more.
            random: Gives a number from 0 up to, not including, 1, like `random.random`.
        """
        try:
            grown = self.initial.total_seconds() * self.factor ** (failures - 1)
        except OverflowError:
            grown = math.inf if self.initial else 0.0
        longest = min(self.maximum, LONGEST_WAIT).total_seconds()
        return timedelta(seconds=min(grown, longest) * (1 - self.jitter * random()))

    def retries(self, exception: BaseException) -> bool:
        """Whether a step that raised this is tried again, attempts permitting.

        Never after what is no `Exception` (`CancelledError`, `KeyboardInterrupt`, ...), and never when the outcome
        could not be stored: the body has acted (G3).
        """
        return (
            isinstance(exception, Exception)
            and isinstance(exception, self.retry_on)
            and not isinstance(exception, (*self.never_on, OutcomeNotStorable))
        )


def _require_number(name: str, number: object, least: float, most: float) -> None:
    if not (isinstance(number, int | float) and math.isfinite(number) and least <= number <= most):
        wanted = f"a number from {least} to {most}" if most < math.inf else f"a number, {least} or more"
        raise ValueError(f"Retry({name}={number!r}): give {wanted}")


def _require_exceptions(name: str, classes: object) -> None:
    if not isinstance(classes, tuple):
        raise TypeError(f"Retry({name}={classes!r}): give a tuple of exception classes, such as (ConnectionError,)")
    for item in classes:
        if not (isinstance(item, type) and issubclass(item, Exception)):
            raise TypeError(f"Retry({name}=...): {item!r} is not a subclass of Exception; only those are tried again")
