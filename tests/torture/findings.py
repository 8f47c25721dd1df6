"""Checks random programs by their seeds, and tells of each that fails with a shrunk program that does, too."""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .checking import Check
from .compiling import NotCompiled, compiled
from .grammar import Program, random_program
from .shrinking import shrink
from .source import class_source

LONGEST = 1500
"""How many characters of a trouble are shown."""


@dataclass
class Checked:
    """What came of checking some programs."""

    programs: int = 0
    runs: int = 0
    trouble: dict[int, list[str]] = field(default_factory=dict)
    """What went wrong, by seed."""


def check_seeds(seeds: Sequence[int]) -> Checked:
    """Check the programs of some seeds, compiled together."""
    return _check([(seed, random_program(seed)) for seed in seeds])


def finding(seed: int) -> str:
    """A report of the failing program of a seed; empty if it does not fail.

    The program in it is shrunk: the same seed always comes to the same one.
    """
    program = random_program(seed)
    if not trouble_of(program, seed):
        return ""
    small = shrink(program, lambda programs: [bool(each) for each in _troubles(programs, seed)])
    trouble = "\n".join(each[:LONGEST] for each in trouble_of(small, seed)[:3])
    sizes = [sum(1 for _ in each.root.walk()) for each in (program, small)]
    kind = "calm" if small.calm else "wild"
    return (
        f"seed {seed}, {kind}, shrunk from {sizes[0]} statements to {sizes[1]}:\n{trouble}\n\n"
        f"{class_source(f'Program{seed}', small)}\nagain: python -m tests.torture --again {seed}\n"
    )


def trouble_of(program: Program, seed: int) -> list[str]:
    """What goes wrong with a program under the schedules of a seed."""
    return _troubles([program], seed)[0]


def _troubles(programs: Sequence[Program], seed: int) -> list[list[str]]:
    """What goes wrong with each of some programs under the schedules of one seed."""
    try:
        return _checked_together(programs, seed)
    except NotCompiled as refused:
        if len(programs) == 1:
            return [[str(refused)]]
        return [trouble for program in programs for trouble in _troubles([program], seed)]


def _checked_together(programs: Sequence[Program], seed: int) -> list[list[str]]:
    named = {f"Program{number}": program for number, program in enumerate(programs)}
    with compiled(named) as proxies:
        return [Check(program, proxies[name], seed).run() for name, program in named.items()]


def _check(programs: Sequence[tuple[int, Program]]) -> Checked:
    checked = Checked(programs=len(programs))
    named: Mapping[str, Program] = {f"Program{seed}": program for seed, program in programs}
    try:
        with compiled(named) as proxies:
            gc.collect()
            gc.freeze()  # what is here now is no garbage: collections at random points must be cheap
            for seed, program in programs:
                check = Check(program, proxies[f"Program{seed}"], seed)
                if trouble := check.run():
                    checked.trouble[seed] = trouble
                checked.runs += check.runs
    except NotCompiled as refused:
        if len(programs) == 1:
            checked.trouble[programs[0][0]] = [str(refused)]
        else:
            for each in programs:
                found = _check([each])
                checked.runs += found.runs
                checked.trouble |= found.trouble
    finally:
        gc.unfreeze()
    return checked
