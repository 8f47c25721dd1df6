"""`make bench`: prints `name: value` lines, every value the median of some rounds.

Ratios are medians of pairs of ours and the reference, measured in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.benchmarks import (
    compare,
    compiling,
    evicting,
    latency,
    long_flows,
    processes,
    recovery,
    reference,
    running,
    sizes,
    waiting,
)
from tests.benchmarks.measuring import Figures, pairs, scaled, scratch


def running_figures(rounds: int, scale: float) -> Figures:
    """Steps a second against plain sqlite3."""
    figures: Figures = {}
    cases = [("sequential", 1, scaled(2000, scale), 1), ("concurrent", 50, scaled(400, scale), 500)]
    cases.append(("concurrent", 500, scaled(60, scale), 500))
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
    steps = scaled(10_000, scale)
    found: list[tuple[float, float]] = []
    with scratch() as place:
        path = place / "log.db"
        flow_id = asyncio.run(running.leave_waiting(path, steps))
        for _ in range(rounds):
            mine = asyncio.run(running.replayed_per_second(path, flow_id, steps))
            found.append((mine, reference.rows_per_second(path, flow_id)))
    return {
        "replay_ratio": statistics.median(mine / theirs for mine, theirs in found),
        "replay_steps_per_s": statistics.median(mine for mine, _ in found),
        "replay_reference_rows_per_s": statistics.median(theirs for _, theirs in found),
    }


GROUPS: Mapping[str, Callable[[int, float], Figures]] = {
    "running": running_figures,
    "replay": replay_figures,
    "compiling": compiling.figures,
    "dbos": compare.figures,
    "waiting": waiting.figures,
    "recovery": recovery.figures,
    "latency": latency.figures,
    "processes": processes.figures,
    "sizes": sizes.figures,
    "evicting": evicting.figures,
    "long": long_flows.figures,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="pairs for each ratio (default 5)")
    parser.add_argument("--scale", type=float, default=1.0, help="size of the work, 1.0 by default")
    parser.add_argument("--json", type=Path, help="write the figures to this file, too")
    parser.add_argument("--only", choices=GROUPS, help="measure one group")
    parser.add_argument("--million", action="store_true", help="with the group `waiting`, a million flows as well")
    options = parser.parse_args(arguments)
    figures: Figures = {}
    groups = dict(GROUPS) if options.only is None else {options.only: GROUPS[options.only]}
    if options.million and "waiting" in groups:
        groups["million"] = waiting.figures_of_a_million
    for measure in groups.values():
        for label, value in measure(options.rounds, options.scale).items():
            figures[label] = value
            print(f"{label}: {value:.3f}" if value < 100 else f"{label}: {value:.0f}", flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
