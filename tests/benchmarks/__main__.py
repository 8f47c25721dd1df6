"""`make bench`: prints `name: value` lines; every ratio is the median of pairs of ours and the reference."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks import compiling, reference, running

Figures = dict[str, float]


def pairs(count: int, ours: Callable[[Path], float], theirs: Callable[[Path], float]) -> tuple[float, float, float]:
    """Measure ours and theirs in turn; returns the median ratio and both medians."""
    found: list[tuple[float, float]] = []
    for number in range(count):
        with tempfile.TemporaryDirectory(prefix="persistasaurus-bench-", dir=".") as folder:
            place = Path(folder)
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


def running_figures(rounds: int, scale: float) -> Figures:
    """Steps a second against plain sqlite3."""
    figures: Figures = {}
    cases = [("sequential", 1, int(2000 * scale), 1), ("concurrent", 50, int(400 * scale), 500)]
    cases.append(("concurrent", 500, int(60 * scale), 500))
    for plain in (False, True):
        for name, flows, steps, steps_a_commit in cases:
            ratio, mine, theirs = pairs(
                rounds,
                lambda path, flows=flows, steps=steps, plain=plain: asyncio.run(  # type: ignore[misc]
                    running.steps_per_second(path, flows=flows, steps=steps, plain=plain)
                ),
                lambda path, flows=flows, steps=steps, chunk=steps_a_commit: reference.steps_per_second(  # type: ignore[misc]
                    path, flows=flows, steps=steps, steps_a_commit=chunk
                ),
            )
            label = f"{'plain_' if plain else ''}{name}_ratio" + ("" if flows == 1 else f"_{flows}")
            figures[label] = ratio
            figures[label.replace("ratio", "steps_per_s")] = mine
            figures[label.replace("ratio", "reference_steps_per_s")] = theirs
    return figures


def replay_figures(rounds: int, scale: float) -> Figures:
    """Steps a second of a replay against reading and decoding the same rows."""
    steps = int(10_000 * scale)
    found: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory(prefix="persistasaurus-bench-", dir=".") as folder:
        path = Path(folder) / "log.db"
        flow_id = asyncio.run(running.leave_waiting(path, steps))
        for _ in range(rounds):
            mine = asyncio.run(running.replayed_per_second(path, flow_id, steps))
            found.append((mine, reference.rows_per_second(path, flow_id)))
    return {
        "replay_ratio": statistics.median(mine / theirs for mine, theirs in found),
        "replay_steps_per_s": statistics.median(mine for mine, _ in found),
        "replay_reference_rows_per_s": statistics.median(theirs for _, theirs in found),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs for each ratio (default 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the work, 1.0 by default")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--only", choices=["running", "replay", "compiling"], help="measure one group")
    options = parser.parse_args()
    groups: dict[str, Callable[[], Figures]] = {
        "running": lambda: running_figures(options.rounds, options.scale),
        "replay": lambda: replay_figures(options.rounds, options.scale),
        "compiling": lambda: compiling.figures(options.rounds),
    }
    figures: Figures = {}
    for name, measure in groups.items():
        if options.only in (None, name):
            for label, value in measure().items():
                figures[label] = value
                print(f"{label}: {value:.3f}" if value < 100 else f"{label}: {value:.0f}", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
