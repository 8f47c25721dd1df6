"""Makes a failing program smaller, as long as it goes on failing under the schedules of the same seed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from .grammar import NOTHING, Node, Option, Program

FIXED: Final = frozenset(
    ("branch", "loop", "attempt", "ensure", "limit", "cancel", "stubborn", "split", "background", "event")
)
"""Statements that need all their children."""
SIMPLER: Final[Mapping[str, Option]] = {
    "fails": 0, "retry": 0, "delay": 0, "once": False, "behaviour": "obeys", "form": "async", "listed": True,
    "times": 1, "ends_early": False, "limit": None, "key": None, "seconds": 1, "keeps": False, "early": False,
    "stop_after": 0, "consumers": 1, "ordered": True, "width": 1,
}  # fmt: skip
"""The plainest value of each option."""

Fails = Callable[[Sequence[Program]], Sequence[bool]]
"""Which of these programs fail."""


def shrink(program: Program, fails: Fails, *, at_once: int = 16, rounds: int = 50) -> Program:
    """The smallest failing program that is found.

    Args:
        program: It fails.
        fails: Tells which programs fail.
        at_once: How many candidates are tried together, since compiling many costs little more than compiling one.
        rounds: How many times that is done at most.
    """
    candidates = smaller(program)
    for _ in range(rounds):
        tried = list(itertools.islice(candidates, at_once))
        if not tried:
            break
        found = next((each for each, failing in zip(tried, fails(tried), strict=True) if failing), None)
        if found is not None:
            program = found
            candidates = smaller(program)
    return program


def smaller(program: Program) -> Iterator[Program]:
    """Programs that are a little smaller, those that are much smaller first."""
    seen = {program}
    for change in (_without, _simpler):
        for root in change(program.root, program):
            candidate = replace(program, root=root)
            if candidate not in seen:
                seen.add(candidate)
                yield candidate


def _without(node: Node, program: Program) -> Iterator[Node]:
    """The statement with something left out."""
    if node != NOTHING:
        yield NOTHING
    yield from node.children
    if node.kind not in FIXED and len(node.children) > 1:
        for index in range(len(node.children)):
            yield replace(node, children=(*node.children[:index], *node.children[index + 1 :]))
    yield from _below(node, program, _without)


def _simpler(node: Node, program: Program) -> Iterator[Node]:
    """The statement with plainer options."""
    for name, value in node.options:
        plainest = "plain" if name == "form" and program.plain else SIMPLER.get(name, value)
        # A calm program must stay one: without time limits, and with the order of results hidden.
        if value != plainest and not (program.calm and (name == "ordered" or value is None)):
            yield node.having(**{name: plainest})
    yield from _below(node, program, _simpler)


def _below(node: Node, program: Program, change: Callable[[Node, Program], Iterator[Node]]) -> Iterator[Node]:
    for index, child in enumerate(node.children):
        for each in change(child, program):
            yield replace(node, children=(*node.children[:index], each, *node.children[index + 1 :]))
