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
    is_replayed: bool = False
    """Whether a replay was asked for; `replay` is None where the list of proxies had none of the flow."""
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
    remedy: str = ""
    """What to do, said once for all that have it."""


@dataclass(frozen=True, slots=True)
class Code:
    """What there is in the source: the body of each flow by recorded name and version, and all steps and signals."""

    graphs: Mapping[tuple[str, int], FlowGraph]
    marked: frozenset[tuple[str, str]]
    """Class and name of every step and signal; the class is empty for those of flows with names of their own."""


def in_flight(told: Mapping[str, Any], *, is_replayed: bool) -> InFlight:
    """A flow as `persistasaurus.offline` tells it."""
    return InFlight(
        flow_id=told["flow_id"],
        name=told["name"],
        version=told["version"],
        is_parked=told["status"] == "PARKED",
        calls=tuple(_call(*call) for call in told["calls"]),
        unreadable=tuple((what, problem) for what, problem in told.get("unreadable", ())),
        is_replayed=is_replayed,
        replay=Replay(told["replay"]) if "replay" in told else None,
    )


def _call(kind: str, class_name: str, method_name: str) -> Call:
    return Call(CallKind(kind), class_name, method_name)


def judge(flows: Iterable[InFlight], code: Code) -> dict[Judgement, list[str]]:
    """The ids of the flows by what becomes of them."""
    found: dict[Judgement, list[str]] = {}
    fits: dict[tuple[str, int, tuple[Call, ...]], Fit] = {}
    for flow in flows:
        found.setdefault(_judged(flow, code, fits), []).append(flow.flow_id)
    return found


def _judged(flow: InFlight, code: Code, fits: dict[tuple[str, int, tuple[Call, ...]], Fit]) -> Judgement:
    """`fits` holds what was found of other flows: thousands stand at the same place."""
    graph = code.graphs.get((flow.name, flow.version))
    if graph is None:
        return _without_body(flow, code)

    def judgement(verdict: Verdict, reason: str, place: Place | None = None, remedy: str = "") -> Judgement:
        return Judgement(flow.name, flow.version, verdict, reason, place or graph.place, flow.is_parked, remedy)

    if flow.unreadable:
        what, problem = flow.unreadable[0]
        more = f", and {len(flow.unreadable) - 1} more like it" if len(flow.unreadable) > 1 else ""
        reason = f"have {what} on record, which cannot be read: {problem}{more}"
        return judgement(Verdict.CANNOT_FIT, reason, remedy=_READABLE)
    if flow.replay is not None:
        if flow.replay.problem is None:
            return judgement(Verdict.FITS, "are replayed without a difference")
        return judgement(Verdict.CANNOT_FIT, f"would be parked: {flow.replay.problem}", remedy=_keep(graph, code))
    history = (flow.name, flow.version, flow.calls)
    fit = fits[history] = fits.get(history) or match(graph, flow.calls)
    if fit.verdict is Verdict.CANNOT_FIT:
        return judgement(fit.verdict, _difference(flow, fit, code), fit.after, _keep(graph, code))
    if flow.is_replayed:
        return judgement(Verdict.CANNOT_TELL, "were not replayed: the list of `--replay` has no proxy of their class")
    if fit.verdict is Verdict.CANNOT_TELL:
        return judgement(fit.verdict, f"may go on or not: {fit.reason}", fit.after, _REPLAY)
    return judgement(fit.verdict, "go on, as far as their steps tell")


_READABLE = (
    "bring back types that read what is on record: a new field needs a default, a changed one the old type beside the "
    "new, `int | str`; until then these flows are parked, and lose nothing"
)
_REPLAY = "`--replay app.main:flows` replays them in memory, and tells exactly"


def _keep(graph: FlowGraph, code: Code) -> str:
    newest = max(
        (each for each in code.graphs.values() if each.recorded == graph.recorded), key=lambda each: each.version
    )
    return (
        f"keep the body they run on beside the new one, `persistc keep {newest.label}`, and they end on that; "
        "without it they are parked, and lose nothing"
    )


def _without_body(flow: InFlight, code: Code) -> Judgement:
    versions = sorted(version for name, version in code.graphs if name == flow.name)
    if not versions:
        reason = "have no flow of this name in the code any more"
        remedy = (
            f"nobody runs them until the name is back: that of the class and the method, or `@flow(name={flow.name!r})`"
        )
    else:
        there = ", ".join(map(str, versions))
        reason = (
            f"run on version {flow.version}, whose body is gone; there {'is' if len(versions) == 1 else 'are'} {there}"
        )
        remedy = (
            "put the body back from git, with `version=` and `of=`; until then these flows are parked, and lose nothing"
        )
    return Judgement(flow.name, flow.version, Verdict.CANNOT_FIT, reason, None, flow.is_parked, remedy)


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
