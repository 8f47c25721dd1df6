"""The decorators mark a method and leave it the function it was."""

import functools
from asyncio import CancelledError
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from persistasaurus import Retry, flow, signal, step
from persistasaurus.marks import FlowMark, SignalMark, StepMark, mark_of

untyped_step: Any = step  # for calls that a type checker refuses, too


def plain(self: object, count: int) -> int:
    return count


@pytest.mark.parametrize(
    ("decorator", "mark"),
    [
        (flow, FlowMark()),
        (flow(), FlowMark()),
        (flow(name="sign-up"), FlowMark("sign-up")),
        (step, StepMark()),
        (step(), StepMark()),
        (
            step(delay=timedelta(days=3), retry=Retry(max_attempts=5), raises=(KeyError,)),
            StepMark(timedelta(days=3), Retry(max_attempts=5), False, (KeyError,)),
        ),
        (step(at_most_once=True), StepMark(at_most_once=True)),
        (signal, SignalMark()),
        (signal(), SignalMark()),
    ],
)
def test_a_decorator_returns_the_same_function_with_a_mark(decorator: Callable[[Any], Any], mark: object) -> None:
    def method(self: object) -> int:
        return 3

    decorated = decorator(method)

    assert decorated is method
    assert mark_of(decorated) == mark
    assert decorated(None) == 3


def test_what_is_not_marked_has_no_mark() -> None:
    assert mark_of(plain) is None
    assert mark_of(None) is None


def test_a_decorator_above_that_uses_wraps_keeps_the_mark() -> None:
    @functools.wraps(step(lambda self: 3))
    def timed(self: object) -> int:
        return 3

    assert mark_of(timed) == StepMark()


async def agenerator(self: object) -> AsyncIterator[int]:
    yield 1


def generator(self: object) -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("mark", "reason"),
    [
        (lambda: step(delay=timedelta(seconds=-1)), "a delay cannot be negative"),
        (lambda: untyped_step(delay=3), r"@step\(delay=3\): give a timedelta"),
        (lambda: untyped_step(retry=3), r"@step\(retry=3\): give a Retry"),
        (lambda: step(at_most_once=True, retry=Retry()), "at most once cannot be tried again"),
        (lambda: untyped_step(raises=KeyError), "give a tuple of exception classes"),
        (lambda: untyped_step(raises=("KeyError",)), "'KeyError' is not an exception class"),
        (lambda: step(raises=(CancelledError,)), "CancelledError steers control flow"),
        (lambda: flow(name=" "), r"@flow\(name=' '\): give a name"),
        (lambda: step(generator), "a generator has no single outcome"),
        (lambda: signal(agenerator), "a generator has no single outcome"),
        (lambda: step(flow(lambda self: 3)), "it is marked already, as FlowMark"),
        (lambda: step(staticmethod(plain)), "@step marks a method, not <staticmethod"),
        (lambda: flow(int), "@flow marks a method, not <class 'int'>"),
    ],
)
def test_options_and_methods_that_make_no_sense_are_refused(mark: Callable[[], Any], reason: str) -> None:
    with pytest.raises((TypeError, ValueError), match=reason):
        mark()
