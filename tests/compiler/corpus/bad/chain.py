"""Functions that lead to a clock, and some that do not."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

from .chain_ends import now_text


def outlined(text: str) -> str:
    return f"{text} {now_text()}"


def is_even(number: int) -> bool:
    return number == 0 or is_odd(number - 1)


def is_odd(number: int) -> bool:
    return number != 0 and is_even(number - 1)


def deadline(number: int) -> float:
    return extended(number) if number else 0.0


def extended(number: int) -> float:
    if number > 3:
        return deadline(number - 1)
    return time.time() + number


def timed(function: Callable[[int], int]) -> Callable[[int], int]:
    @functools.wraps(function)
    def wrapper(number: int) -> int:
        begun = time.perf_counter()
        result = function(number)
        print(time.perf_counter() - begun)
        return result

    return wrapper


@timed
def timed_price(number: int) -> int:
    return number * 2
