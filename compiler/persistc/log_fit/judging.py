"""What becomes of the flows in flight of a log under the code as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from persistc.flow_graph.automaton import Call, CallKind
from persistc.flow_graph.matching import Expected, Fit, Verdict, match
from persistc.flow_graph.regions import FlowGraph, Place


@dataclass(frozen=True, slots=True)
class InFlight:
    """A flow in flight, as a log has it."""

    flow_id: str
    name: str
    """The recorded one, `Class.method` or what `@flow(name=...)` says."""
    version: int
    is_parked: bool
    calls: tuple[Call, ...]
    unreadable: tuple[tuple[str, str], ...] = ()
    """Rows that are not of today's types, and what is wrong with them; known with `--decode` only."""
    replay: Replay | None = None
    """What a replay came to; known with `--replay` only."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The outcome of a replay in memory: what would park the flow, or nothing."""

    problem: str | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What becomes of a flow: `reason` continues the sentence "12 flows of SignupFlow.sign_up ..."."""

    flow: str
    version: int
    verdict: Verdict
    reason: str
    place: Place | None
    is_parked: bool


@dataclass(frozen=True, slots=True)
class Code:
    """What there is in the source: the body of each flow by recorded name and version, and all steps and signals."""

    graphs: Mapping[tuple[str, int], FlowGraph]
    marked: frozenset[tuple[str, str]]
    """Class and name of every step and signal; the class is empty for those of flows with names of their own."""


def in_flight(told: Mapping[str, Any]) -> InFlight:
    """A flow as `persistasaurus.offline` tells it."""
    return InFlight(
        flow_id=told["flow_id"],
        name=told["name"],
        version=told["version"],
        is_parked=told["status"] == "PARKED",
        calls=tuple(_call(*call) for call in told["calls"]),
        unreadable=tuple((what, problem) for what, problem in told.get("unreadable", ())),
        replay=Replay(told["replay"]) if "replay" in told else None,
    )


def _call(kind: str, class_name: str, method_name: str) -> Call:
    return Call(CallKind(kind), class_name, method_name)


def judge(flows: Iterable[InFlight], code: Code) -> dict[Judgement, list[str]]:
    """The ids of the flows by what becomes of them."""
    found: dict[Judgement, list[str]] = {}
    for flow in flows:
        found.setdefault(_judged(flow, code), []).append(flow.flow_id)
    return found


def _judged(flow: InFlight, code: Code) -> Judgement:
    verdict, reason, place = _found(flow, code)
    return Judgement(flow.name, flow.version, verdict, reason, place, flow.is_parked)


def _found(flow: InFlight, code: Code) -> tuple[Verdict, str, Place | None]:
    graph = code.graphs.get((flow.name, flow.version))
    if graph is None:
        return Verdict.CANNOT_FIT, _without_body(flow, code), None
    if flow.unreadable:
        what, problem = flow.unreadable[0]
        more = f", and {len(flow.unreadable) - 1} more like it" if len(flow.unreadable) > 1 else ""
        return Verdict.CANNOT_FIT, f"have {what} on record, which cannot be read: {problem}{more}", graph.place
    if flow.replay is not None:
        if flow.replay.problem is None:
            return Verdict.FITS, "are replayed without a difference", graph.place
        return Verdict.CANNOT_FIT, f"would be parked: {flow.replay.problem}", graph.place
    fit = match(graph, flow.calls)
    match fit.verdict:
        case Verdict.FITS:
            return Verdict.FITS, "go on, as far as their steps tell", graph.place
        case Verdict.CANNOT_TELL:
            return Verdict.CANNOT_TELL, f"may go on or not: {fit.reason}", fit.after or graph.place
        case Verdict.CANNOT_FIT:
            return Verdict.CANNOT_FIT, _difference(flow, fit, code), fit.after or graph.place


def _without_body(flow: InFlight, code: Code) -> str:
    versions = sorted(version for name, version in code.graphs if name == flow.name)
    if not versions:
        return "have no flow of this name in the code any more"
    there = ", ".join(map(str, versions))
    return f"run on version {flow.version}, whose body is gone; there {'is' if len(versions) == 1 else 'are'} {there}"


def _difference(flow: InFlight, fit: Fit, code: Code) -> str:
    recorded = flow.calls[fit.position]
    where = f"stand after {flow.calls[fit.position - 1]}" if fit.position else "have just begun"
    if recorded.kind is not CallKind.TIMER and (recorded.class_name, recorded.method_name) not in code.marked:
        return f"{where} and expect {recorded}, which is gone"
    return f"{where} and expect {recorded}, where the code {_instead(fit.expected)}"


def _instead(expected: tuple[Expected, ...]) -> str:
    if not expected:
        return "ends"
    calls = list(dict.fromkeys(f"{each.call} ({each.place})" for each in expected))
    return f"calls {calls[0]}" if len(calls) == 1 else f"calls {', '.join(calls[:-1])} or {calls[-1]}"
