"""Matching: a history that some path through the graph makes fits, and no other does."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from types import FrameType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from persistc.flow_graph.automaton import Call, CallKind
from persistc.flow_graph.matching import Fit, Verdict, match
from persistc.flow_graph.regions import (
    Arm,
    Branch,
    Break,
    Continue,
    Dynamic,
    FlowGraph,
    Handler,
    Loop,
    Managed,
    Parallel,
    Place,
    Raise,
    Region,
    Return,
    Sequence,
    Started,
    Step,
    Task,
    Try,
)
from persistc.spans import Span
from tests.compiler.graphs.paths import Paths

HERE = Place("flows.py", Span.within_line(1, 0, 1))
LETTERS = "abc"


def step(name: str) -> Step:
    return Step(HERE, "OrderFlow", name)


def called(*names: str) -> list[Call]:
    return [Call(CallKind.STEP, "OrderFlow", name) for name in names]


def sequence(*parts: Region | str) -> Sequence:
    return Sequence(tuple(step(part) if isinstance(part, str) else part for part in parts))


def graph(*parts: Region | str) -> FlowGraph:
    return FlowGraph("flows", "OrderFlow", "place", "OrderFlow.place", 1, HERE, sequence(*parts))


def loop(*parts: Region | str, endless: bool = False) -> Loop:
    return Loop(HERE, "for line in lines", Sequence(), sequence(*parts), Sequence(), endless)


def branch(*arms: Sequence, complete: bool = False) -> Branch:
    return Branch(HERE, "", tuple(Arm(HERE, "if", Sequence(), arm) for arm in arms), complete)


def caught(body: Sequence, *handlers: Sequence, final: Sequence = Sequence(), all_of_them: bool = True) -> Try:  # noqa: B008
    return Try(HERE, body, tuple(Handler(HERE, "except", each, all_of_them) for each in handlers), Sequence(), final)


def joined(*parts: Region | str, group: int = 0) -> Task:
    return Task(HERE, Started.JOINED, sequence(*parts), group)


def elsewhere(branch: Task, line: int) -> Task:
    """A branch that stands in a line of its own."""
    place = replace(HERE, span=Span.within_line(line, 0, 1))
    parts = (replace(each, place=place) if isinstance(each, Step) else each for each in branch.body.parts)
    return replace(branch, place=place, body=Sequence(tuple(parts)))


def task(*parts: Region | str) -> Task:
    return Task(HERE, Started.TASK, sequence(*parts))


def parallel(*parts: Region | str, how: str = "gather") -> Parallel:
    return Parallel(HERE, how, sequence(*parts))


def verdict(flow: FlowGraph, word: str) -> Verdict:
    return match(flow, called(*word)).verdict


def fitting(flow: FlowGraph, *words: str) -> dict[str, bool]:
    return {word: verdict(flow, word) is Verdict.FITS for word in words}


# --- random graphs --------------------------------------------------------------------------------------------------


def _regions(depth: int, *, in_loop: bool, in_task: bool, in_try: bool, groups: int) -> some.SearchStrategy[Region]:
    calls = some.sampled_from(LETTERS).map(step)
    leaves: list[some.SearchStrategy[Region]] = [calls, calls, some.just(Return(HERE, False))]
    if in_loop:
        leaves += [some.just(Break(HERE)), some.just(Continue(HERE))]
    if depth == 0:
        return some.one_of(leaves)

    def blocks(
        *, loops: bool = in_loop, tasks: bool = in_task, tries: bool = in_try, inner: int = groups
    ) -> some.SearchStrategy[Sequence]:
        region = _regions(depth - 1, in_loop=loops, in_task=tasks, in_try=tries, groups=inner)
        return some.lists(region, max_size=2).map(lambda parts: Sequence(tuple(parts)))

    def started(group: int | None) -> some.SearchStrategy[Region]:
        inner = blocks(loops=False, tasks=True, tries=False)
        return inner.map(lambda body: Task(HERE, Started.JOINED, body, group))

    compound: list[some.SearchStrategy[Region]] = [
        some.builds(lambda body: Loop(HERE, "for", Sequence(), body, Sequence()), blocks(loops=True)),
        some.builds(lambda one, other: branch(one, other, complete=True), blocks(), blocks()),
        some.builds(branch, blocks()),
        some.builds(caught, blocks(tries=True), blocks()),
        some.builds(lambda body: Managed(HERE, body), blocks(tries=True)),
        started(None),
        *(started(group) for group in range(groups)),
    ]
    if not in_task:
        compound.append(
            some.builds(
                lambda body, handler, final, all_of_them: caught(body, handler, final=final, all_of_them=all_of_them),
                blocks(tries=True),
                blocks(tries=True),
                blocks(),
                some.booleans(),
            )
        )
    if not in_try:
        compound += [blocks(inner=groups + 1).map(lambda body: Parallel(HERE, "TaskGroup", body))] * 2
    return some.one_of(*leaves, *compound)


GRAPHS = some.lists(_regions(2, in_loop=False, in_task=False, in_try=False, groups=0), min_size=1, max_size=3).map(
    lambda parts: graph(*parts)
)
LENGTH = 3


@settings(max_examples=300, deadline=None)
@given(GRAPHS)
def test_exactly_the_beginnings_of_paths_fit(flow: FlowGraph) -> None:
    allowed = Paths(LENGTH).words(flow.body)
    for length in range(LENGTH + 1):
        for word in product(LETTERS, repeat=length):
            found = match(flow, called(*word)).verdict
            assert (found is Verdict.FITS) == (word in allowed), word


# --- what the reference leaves out ----------------------------------------------------------------------------------


def test_a_branch_that_fails_stops_the_others_of_a_task_group_which_clear_up() -> None:
    clearing = caught(sequence("b"), final=sequence("c"), all_of_them=False)
    flow = graph(caught(sequence(parallel(joined("a"), joined(clearing), how="TaskGroup")), sequence("d")), "e")
    assert fitting(flow, "abcd", "bacd", "acd", "abce", "abdc", "de") == {
        "abcd": True,
        "bacd": True,
        "acd": True,
        "abce": True,
        "abdc": False,
        "de": True,
    }


def test_the_other_branches_of_a_failed_gather_go_on_beside_the_handler() -> None:
    flow = graph(caught(sequence(parallel(joined("a"), joined("b", "c"))), sequence("d")), "e")
    assert fitting(flow, "abdce", "adbec", "abcde", "abcd", "edbc") == {
        "abdce": True,
        "adbec": True,
        "abcde": True,
        "abcd": True,
        "edbc": False,
    }


def test_leaving_a_parallel_region_early_waits_for_its_branches() -> None:
    flow = graph(loop(parallel(joined("a"), branch(sequence(Break(HERE))), how="TaskGroup"), "b"), "c")
    assert fitting(flow, "abac", "ac", "abab", "c", "bab", "aac") == {
        "abac": True,
        "ac": True,
        "abab": True,
        "c": True,
        "bab": False,
        "aac": False,
    }


def test_a_branch_that_failed_by_itself_ends_the_flow() -> None:
    failing = sequence("a", Raise(HERE, "raise Declined", True))
    flow = graph(parallel(Task(HERE, Started.JOINED, failing, 0), how="TaskGroup"), "b")
    assert fitting(flow, "a", "ab") == {"a": True, "ab": False}


# --- what the answer says -------------------------------------------------------------------------------------------


def test_what_does_not_fit_is_told_with_what_was_expected() -> None:
    found = match(graph("a", branch(sequence("b"), sequence("c"), complete=True)), called("a", "a", "c"))
    assert (found.verdict, found.position) == (Verdict.CANNOT_FIT, 1)
    assert [each.call.method_name for each in found.expected] == ["b", "c"]
    assert found.after == HERE


def test_a_call_behind_the_end_of_the_flow_cannot_fit_and_nothing_is_expected() -> None:
    found = match(graph("a"), called("a", "b"))
    assert (found.verdict, found.position, found.expected) == (Verdict.CANNOT_FIT, 1, ())


def test_an_empty_history_fits_every_flow() -> None:
    assert match(graph(), called()) == Fit(Verdict.FITS, 0, (), None)


@pytest.mark.parametrize(
    "call",
    [Call(CallKind.SIGNAL, "OrderFlow", "a"), Call(CallKind.STEP, "BillingFlow", "a"), Call(CallKind.TIMER)],
    ids=["another kind", "another class", "a timer"],
)
def test_a_call_of_another_kind_or_class_cannot_fit(call: Call) -> None:
    assert match(graph("a"), [call]).verdict is Verdict.CANNOT_FIT


def test_behind_what_is_not_known_nothing_can_be_told() -> None:
    flow = graph("a", Dynamic(HERE, "`getattr(self, name)` may be any step"), "b")
    assert verdict(flow, "a") is Verdict.FITS
    assert verdict(flow, "b") is Verdict.CANNOT_FIT
    found = match(flow, called("a", "c", "c", "b"))
    assert (found.verdict, found.reason) == (Verdict.CANNOT_TELL, "flows.py:1: `getattr(self, name)` may be any step")
    assert verdict(flow, "ab") is Verdict.CANNOT_TELL


def test_what_is_not_known_in_one_arm_does_not_hide_the_other() -> None:
    flow = graph(branch(sequence("a", "b"), sequence(Dynamic(HERE, "unknown")), complete=True))
    assert verdict(flow, "ab") is Verdict.FITS
    assert verdict(flow, "ba") is Verdict.CANNOT_TELL


# --- how long it takes ----------------------------------------------------------------------------------------------


@contextmanager
def counted_calls() -> Iterator[Callable[[], int]]:
    """Count what is called, which is the same on every machine."""
    calls = 0

    def count(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        yield lambda: calls
    finally:
        sys.setprofile(before)


@pytest.mark.parametrize(
    ("flow", "word"),
    [
        (graph(loop("a", branch(sequence("b")))), "aab"),
        (graph(loop(caught(sequence("a", "b"), sequence("c")))), "abac"),
        (graph(loop(parallel(joined("a"), joined("b")))), "abba"),
        (graph(parallel(loop(joined("a", "b")))), "aabb"),
        (graph(loop(task("a"), "b")), "bba"),
    ],
    ids=["a loop", "a try in a loop", "branches in a loop", "branches from a loop", "tasks from a loop"],
)
def test_a_history_of_ten_thousand_calls_takes_time_in_proportion(flow: FlowGraph, word: str) -> None:
    def work(rounds: int) -> int:
        history = called(*(word * rounds))
        with counted_calls() as count:
            assert match(flow, history).verdict is Verdict.FITS
        return count()

    few, many = work(10_000 // len(word) // 8), work(10_000 // len(word))
    assert many < 16 * few


@pytest.mark.parametrize("branch_of", [lambda: joined("a", "b", "c"), lambda: joined(loop("a", "b"), "c")])
def test_branches_that_do_the_same_are_counted_in_whatever_order_they_go_on(branch_of: Callable[[], Task]) -> None:
    branches = [branch_of() for _ in range(12)]
    flow = graph(parallel(*(elsewhere(each, line) for line, each in enumerate(branches))), "d")
    assert fitting(flow, "a" * 12 + "b" * 12 + "c" * 12 + "d", "abc" * 12 + "d", "aabbcc" * 6 + "d") == {
        "a" * 12 + "b" * 12 + "c" * 12 + "d": True,
        "abc" * 12 + "d": True,
        "aabbcc" * 6 + "d": True,
    }
    assert verdict(flow, "a" * 12 + "b" * 12 + "c" * 13) is Verdict.CANNOT_FIT


def test_a_graph_with_too_many_ways_is_given_up() -> None:
    flow = graph(parallel(loop(joined("a", "a", "a"))))
    found = match(flow, called(*"a" * 400))
    assert (found.verdict, found.reason) == (Verdict.CANNOT_TELL, "there are too many ways through the graph")
