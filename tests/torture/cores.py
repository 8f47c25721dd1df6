"""The torture by random programs: every core checks batches of them until the time is over."""

from __future__ import annotations

import logging
import multiprocessing
import os
import queue
import time
from multiprocessing.queues import Queue
from typing import Final

from .findings import check_seeds, finding

BATCH: Final = 16
"""Programs compiled together. More would be no faster: in larger modules the compiler takes longer for each."""
SHRUNK: Final = 2
"""How many findings each core shrinks; of the others only the seeds are told."""
EVERY: Final = 10.0
"""Seconds between two lines of progress."""
PATIENCE: Final = 300.0
"""Seconds that a core may take for its last batch, and for shrinking. One that takes longer hangs, a finding."""

News = tuple[int, int, int, str | None]
"""From which core, how many programs and runs were done, and a finding or None when the core is done."""


def torture(seconds: float, seed: int) -> list[str]:
    """Check random programs on all cores; returns the findings as text."""
    cores = os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")
    news: Queue[News] = context.Queue()
    workers = [
        context.Process(target=_work, args=(number, cores, seconds, seed, news), daemon=True) for number in range(cores)
    ]
    for worker in workers:
        worker.start()
    findings = _listen(news, set(range(cores)), seconds)
    for worker in workers:
        worker.terminate()
        worker.join()
    return findings


def _listen(news: Queue[News], busy: set[int], seconds: float) -> list[str]:
    begun = told = time.monotonic()
    programs = runs = 0
    findings: list[str] = []
    while busy and time.monotonic() - begun < seconds + PATIENCE:
        try:
            core, more_programs, more_runs, text = news.get(timeout=1)
        except queue.Empty:
            continue
        finally:
            if time.monotonic() - told >= EVERY:
                told = time.monotonic()
                _tell(programs, runs, min(told - begun, seconds), len(findings))
        programs += more_programs
        runs += more_runs
        if text is None:
            busy.discard(core)
        elif text:
            findings.append(text)
            print(text.partition("\n")[0], flush=True)
    _tell(programs, runs, min(time.monotonic() - begun, seconds), len(findings))
    return findings + [f"core {core} does not come to an end" for core in sorted(busy)]


def _tell(programs: int, runs: int, seconds: float, findings: int) -> None:
    a_minute = programs / max(seconds, 0.001) * 60
    print(
        f"{seconds:5.0f} s: {programs} programs, {runs} runs, {a_minute:.0f} programs/minute, {findings} findings",
        flush=True,
    )


def _work(number: int, cores: int, seconds: float, seed: int, news: Queue[News]) -> None:
    """Check one batch after the other; each core has seeds of its own."""
    logging.disable(logging.CRITICAL)  # thousands of flows fail as they should
    end = time.monotonic() + seconds
    batch = number
    shrunk = 0
    while time.monotonic() < end:
        first = seed * 10_000_000 + batch * BATCH
        checked = check_seeds(range(first, first + BATCH))
        news.put((number, checked.programs, checked.runs, ""))
        for failing, trouble in checked.trouble.items():
            shrunk += 1
            text = finding(failing) if shrunk <= SHRUNK else ""
            news.put(
                (
                    number,
                    0,
                    0,
                    text or f"seed {failing}: {trouble[0]}\nagain: python -m tests.torture --again {failing}\n",
                )
            )
        batch += cores
    news.put((number, 0, 0, None))
