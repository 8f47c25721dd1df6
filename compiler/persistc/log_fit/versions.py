"""The versions of flows: which bodies there are, which flows in flight run on them, and which can be removed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from persistc.flow_graph.regions import FlowGraph
from persistc.log_fit.judging import InFlight
from persistc.log_fit.report import SHOWN
from persistc.reporting import OutputFormat


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a flow.

    Attributes:
        flow: The recorded name.
        number: The version.
        graph: Its body; None if only the log knows of it.
        is_newest: New flows start on it.
        flow_ids: The flows in flight on it; None if no log was looked at.
    """

    flow: str
    number: int
    graph: FlowGraph | None
    is_newest: bool
    flow_ids: tuple[str, ...] | None

    @property
    def is_missing(self) -> bool:
        """Flows run on it, and there is no body."""
        return self.graph is None

    @property
    def can_be_removed(self) -> bool:
        """It is kept for flows that have all ended."""
        return self.graph is not None and not self.is_newest and self.flow_ids == ()


def versions_of(bodies: Mapping[tuple[str, int], FlowGraph], flows: Iterable[InFlight] | None) -> tuple[Version, ...]:
    """Every version in the code, or on record, by flow; the newest first.

    Args:
        bodies: The flows of the code by recorded name and version.
        flows: Those in flight; None if no log is looked at.
    """
    ids: dict[tuple[str, int], list[str]] = {}
    for flow in flows or ():
        ids.setdefault((flow.name, flow.version), []).append(flow.flow_id)
    newest = {name: max(number for each, number in bodies if each == name) for name, _ in bodies}
    return tuple(
        Version(
            flow=name,
            number=number,
            graph=bodies.get((name, number)),
            is_newest=newest.get(name) == number,
            flow_ids=None if flows is None else tuple(ids.get((name, number), ())),
        )
        for name, number in sorted({*bodies, *ids}, key=lambda key: (key[0], -key[1]))
    )


def render_versions(versions: Sequence[Version], output_format: OutputFormat) -> str:
    """A line for each version, under the name of its flow; JSON is always a document."""
    if output_format is OutputFormat.JSON:
        return json.dumps([_json_object(each) for each in versions], indent=2, ensure_ascii=False) + "\n"
    lines: list[str] = []
    for number, version in enumerate(versions):
        if number == 0 or versions[number - 1].flow != version.flow:
            lines.append(version.flow)
        lines.append(f"  version {version.number}  {_body(version)}{_flows(version)}")
    return "".join(f"{line}\n" for line in lines) or "no flows found\n"


def _body(version: Version) -> str:
    if version.graph is None:
        return "no body here"
    newest = ", newest" if version.is_newest else ""
    return f"{version.graph.name} ({version.graph.place}{newest})"


def _flows(version: Version) -> str:
    if version.flow_ids is None:
        return ""
    if version.can_be_removed:
        return ": no flow in flight, it can be removed"
    if not version.flow_ids:
        return ": no flow in flight"
    more = ", ..." if len(version.flow_ids) > SHOWN else ""
    number = len(version.flow_ids)
    return f": {number} flow{'s' if number > 1 else ''} in flight, {', '.join(version.flow_ids[:SHOWN])}{more}"


def _json_object(version: Version) -> dict[str, object]:
    place = version.graph.place if version.graph is not None else None
    return {
        "flow": version.flow,
        "version": version.number,
        "method": None if version.graph is None else version.graph.name,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "newest": version.is_newest,
        "can_be_removed": version.can_be_removed,
        "flow_ids": None if version.flow_ids is None else list(version.flow_ids),
    }
