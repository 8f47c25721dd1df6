"""Retries: which failures are tried again, after which pauses, and which options are refused."""

from asyncio import CancelledError
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persistasaurus import OutcomeNotStorable, Retry

SECOND = timedelta(seconds=1)


def test_pauses_grow_by_the_factor_up_to_the_maximum() -> None:
    retry = Retry(initial=SECOND, factor=3, maximum=20 * SECOND, jitter=0)

    assert [retry.pause(failures, lambda: 0.5) / SECOND for failures in (1, 2, 3, 4, 5)] == [1, 3, 9, 20, 20]


def test_jitter_leaves_out_a_random_part_of_the_pause() -> None:
    retry = Retry(initial=10 * SECOND, jitter=0.4)

    assert retry.pause(1, lambda: 0.0) == 10 * SECOND
    assert retry.pause(1, lambda: 0.5) == 8 * SECOND


@given(
    failures=st.integers(1, 10**6),
    chance=st.floats(0, 1, exclude_max=True),
    factor=st.floats(1, 1e308),
    jitter=st.floats(0, 1),
    initial=st.timedeltas(timedelta(0), timedelta(days=1)),
)
def test_a_pause_is_never_negative_nor_longer_than_the_maximum(
    failures: int, chance: float, factor: float, jitter: float, initial: timedelta
) -> None:
    retry = Retry(initial=initial, factor=factor, maximum=timedelta(days=2), jitter=jitter)

    assert timedelta(0) <= retry.pause(failures, lambda: chance) <= timedelta(days=2)


def test_only_listed_failures_are_tried_again_and_excepted_ones_are_not() -> None:
    retry = Retry(retry_on=(OSError, ValueError), never_on=(FileNotFoundError,))

    assert retry.retries(ConnectionError())
    assert retry.retries(UnicodeError())
    assert not retry.retries(FileNotFoundError())
    assert not retry.retries(KeyError())


@pytest.mark.parametrize("raised", [CancelledError(), KeyboardInterrupt(), SystemExit(), OutcomeNotStorable("acted")])
def test_what_is_no_failure_of_the_body_is_never_tried_again(raised: BaseException) -> None:
    assert not Retry().retries(raised)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"max_attempts": 0}, "max_attempts=0.*give a whole number, 1 or more"),
        ({"max_attempts": 1.5}, "give a whole number"),
        ({"max_attempts": True}, "give a whole number"),
        ({"initial": 1}, r"initial=1\): give a timedelta"),
        ({"initial": timedelta(seconds=-1)}, "a pause cannot be negative"),
        ({"maximum": timedelta(0)}, "maximum=.* is shorter than initial="),
        ({"factor": 0.5}, "factor=0.5.*give a number, 1 or more"),
        ({"factor": float("nan")}, "give a number"),
        ({"jitter": 2}, "jitter=2.*give a number from 0 to 1"),
        ({"retry_on": ValueError}, "give a tuple of exception classes"),
        ({"retry_on": (3,)}, "3 is not a subclass of Exception"),
        ({"never_on": (KeyboardInterrupt,)}, "not a subclass of Exception"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises((TypeError, ValueError), match=reason):
        Retry(**options)
