"""`python -m tests.torture --seconds N`: random programs, and processes killed at random, on all cores.

Exits with 1 if anything is found, and prints what reproduces it.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Final

Torture = Callable[[float, int], list[str]]
"""Runs for so many seconds from a seed; returns the findings as text."""

KINDS: Final = {"source": "tests.torture.cores", "processes": "tests.torture.processes"}
"""The modules with a function `torture(seconds, seed)`; one that is not there is left out."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tortures that are asked for, one after the other, with equal shares of the time."""
    options = _options(arguments)
    if options.again is not None:
        return _again(options.again)
    wanted: Sequence[str] = options.programs or tuple(KINDS)
    tortures = {kind: each for kind in wanted if (each := _torture(KINDS[kind])) is not None}
    findings: list[str] = []
    for kind, torture in tortures.items():
        print(f"{kind}, seed {options.seed}", flush=True)
        findings += torture(options.seconds / len(tortures), options.seed)
    for text in findings:
        print(f"\n{text}")
    print(f"\n{len(findings)} findings")
    return 1 if findings else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long in all")
    parser.add_argument("--seed", type=int, default=1, help="where everything random comes from")
    parser.add_argument("--programs", choices=tuple(KINDS), action="append", help="only this kind; may be repeated")
    parser.add_argument("--again", type=int, metavar="SEED", help="check the program of one seed again, and shrink it")
    return parser.parse_args(arguments)


def _torture(module: str) -> Torture | None:
    if importlib.util.find_spec(module) is None:
        return None
    torture: Torture = importlib.import_module(module).torture
    return torture


def _again(seed: int) -> int:
    from .findings import finding

    logging.disable(logging.CRITICAL)  # its flows fail as they should
    try:
        found = finding(seed)
    finally:
        logging.disable(logging.NOTSET)
    print(found or f"seed {seed}: nothing found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
