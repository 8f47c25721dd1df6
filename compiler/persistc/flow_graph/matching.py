"""Whether the recorded history of a flow fits its graph.

The history of a flow under way is the beginning of one: it fits if some path through the graph makes these calls in
this order. Conditions and the number of rounds of a loop are not looked at, parallel branches come in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from persistc.flow_graph.automaton import Call, CallKind, Unknown, automaton_of
from persistc.flow_graph.regions import FlowGraph, Place
from persistc.flow_graph.threads import LIMIT, OpenRegion, Threads, TooManyWays

__all__ = ["Call", "CallKind", "Expected", "Fit", "Verdict", "match"]


class Verdict(StrEnum):
    FITS = "fits"
    CANNOT_FIT = "cannot fit"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Expected:
    """A call that the graph makes next, and where."""

    call: Call
    place: Place


@dataclass(frozen=True, slots=True)
class Fit:
    """What a history is to a graph."""

    verdict: Verdict
    position: int
    """How many calls fit: the index of the first that does not, or of the first that is not known."""
    expected: tuple[Expected, ...]
    """What the graph calls there, in the order of the source; nothing where the flow would have ended."""
    after: Place | None
    """Where the last call that fits stands in the source."""
    reason: str = ""
    """Why it cannot be told."""


def match(graph: FlowGraph, calls: Sequence[Call]) -> Fit:
    """Hold a history against a graph.

    Args:
        graph: The flow.
        calls: What the log has of it, in the order of the step numbers; all of it, or what there is so far.

    Returns:
        Whether it fits, up to where, and what the graph expects there.
    """
    threads = Threads(automaton_of(graph))
    steps: dict[tuple[OpenRegion, Call], tuple[tuple[OpenRegion, int | None], ...]] = {}
    flows: dict[OpenRegion, int | None] = {threads.start(): None}
    before = flows
    try:
        for position, call in enumerate(calls):
            following: dict[OpenRegion, int | None] = {}
            for flow, passed in flows.items():
                key = (flow, call)
                if key not in steps:
                    steps[key] = tuple(dict.fromkeys(threads.after(flow, call)))
                for reached, unknown in steps[key]:
                    known = passed if passed is not None else unknown
                    if following.get(reached, 0) is not None:
                        following[reached] = known
            if len(following) > LIMIT:
                raise TooManyWays
            if not following:
                after = _places(threads, before, calls[position - 1]) if position else None
                return Fit(Verdict.CANNOT_FIT, position, _expected(threads, flows), after)
            before, flows = flows, following
        position = len(calls)
        after = _places(threads, before, calls[-1]) if calls else None
        expected = _expected(threads, flows)
    except TooManyWays:
        return Fit(Verdict.CANNOT_TELL, position, (), None, "there are too many ways through the graph")
    if None in flows.values():
        return Fit(Verdict.FITS, position, expected, after)
    node = threads.automaton.nodes[next(passed for passed in flows.values() if passed is not None)]
    assert isinstance(node, Unknown)
    return Fit(Verdict.CANNOT_TELL, position, expected, after, f"{node.place}: {node.why}")


def _expected(threads: Threads, flows: Mapping[OpenRegion, int | None]) -> tuple[Expected, ...]:
    return _in_order(Expected(node.call, node.place) for flow in flows for node in threads.offers(flow))


def _places(threads: Threads, flows: Mapping[OpenRegion, int | None], call: Call) -> Place | None:
    """Where a call stands that these flows make next."""
    return next((each.place for each in _expected(threads, flows) if each.call == call), None)


def _in_order(expected: Iterable[Expected]) -> tuple[Expected, ...]:
    return tuple(sorted(dict.fromkeys(expected), key=lambda each: (each.place.span, each.call.method_name)))
