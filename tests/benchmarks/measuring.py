"""How things are measured: pairs, medians, processes of their own, memory."""

from __future__ import annotations

import gc
import math
import os
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import ParamSpec, TypeVar

Figures = dict[str, float]
P = ParamSpec("P")
T = TypeVar("T")


def scaled(count: int, scale: float) -> int:
    """How much of something at this size of the work."""
    return max(round(count * scale), 1)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for logs where the program runs: the system's temporary folder may be in memory, where fsync is free."""
    with tempfile.TemporaryDirectory(prefix="persistasaurus-bench-", dir=".") as folder:
        yield Path(folder).resolve()


def pairs(count: int, ours: Callable[[Path], float], theirs: Callable[[Path], float]) -> tuple[float, float, float]:
    """Measure ours and theirs in turn; returns the median ratio and both medians."""
    found: list[tuple[float, float]] = []
    for number in range(count):
        with scratch() as place:
            if number % 2:
                second = theirs(place / "reference.db")
                found.append((ours(place / "ours.db"), second))
            else:
                first = ours(place / "ours.db")
                found.append((first, theirs(place / "reference.db")))
    return (
        statistics.median(first / second for first, second in found),
        statistics.median(first for first, _ in found),
        statistics.median(second for _, second in found),
    )


def medians(found: Sequence[Figures]) -> Figures:
    """Of each figure the median."""
    return {label: statistics.median(each[label] for each in found) for label in found[0]}


def repeated(rounds: int, measure: Callable[[Path], Figures]) -> Figures:
    """The medians of so many measurements, each in a folder of its own."""
    found: list[Figures] = []
    for _ in range(rounds):
        with scratch() as place:
            found.append(measure(place))
    return medians(found)


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that so many percent of the values do not exceed."""
    return sorted(values)[max(math.ceil(len(values) * percent / 100), 1) - 1]


def in_fresh_process(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of a module in a new process, which has nothing in memory yet, and nothing to clean up."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def resident_mb() -> float:
    """Megabytes (10^6 bytes) of this process in memory now, its garbage collected.

    `VmRSS` of /proc/self/status; where there is none, `ps` is asked for the same.
    """
    gc.collect()
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6
    told = subprocess.run(["ps", "-o", "rss=", "-p", str(os.getpid())], check=True, capture_output=True, text=True)
    return int(told.stdout) * 1024 / 1e6
