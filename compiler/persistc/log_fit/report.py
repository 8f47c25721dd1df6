"""What becomes of flows in flight, as text: for people, for programs, for GitHub."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from persistc.flow_graph.matching import Verdict
from persistc.log_fit.judging import Judgement
from persistc.reporting import OutputFormat, github_command

SHOWN = 5
"""Ids in a line; JSON has them all."""
_ORDER = (Verdict.CANNOT_FIT, Verdict.CANNOT_TELL, Verdict.FITS)


def render_judgements(found: Mapping[Judgement, Sequence[str]], output_format: OutputFormat) -> str:
    """One paragraph for each thing that becomes of flows, the worst first; JSON is always a document."""
    listed = sorted(found.items(), key=lambda item: (_ORDER.index(item[0].verdict), item[0].flow, item[0].reason))
    match output_format:
        case OutputFormat.JSON:
            return json.dumps([_json_object(*each) for each in listed], indent=2, ensure_ascii=False) + "\n"
        case OutputFormat.GITHUB:
            return "".join(_github(*each) for each in listed if each[0].verdict is not Verdict.FITS)
        case OutputFormat.CONCISE:
            return "".join(f"{_line(*each)}\n" for each in listed)
        case OutputFormat.TEXT:
            return "".join(_paragraph(*each) for each in listed) + _advice(found) + _summary(found)


def breaks(found: Mapping[Judgement, Sequence[str]]) -> bool:
    """Whether a flow that would go on under the code it began with cannot under this one."""
    return any(each.verdict is Verdict.CANNOT_FIT and not each.is_parked for each in found)


def _line(found: Judgement, flow_ids: Sequence[str]) -> str:
    place = f"{found.place}: " if found.place is not None else ""
    return f"{place}{found.verdict}: {_sentence(found, flow_ids)}"


def _sentence(found: Judgement, flow_ids: Sequence[str]) -> str:
    number = f"{len(flow_ids)} {'parked ' if found.is_parked else ''}flow{'s' if len(flow_ids) > 1 else ''}"
    version = f" version {found.version}" if found.version > 1 else ""
    return f"{number} of {found.flow}{version} {found.reason if len(flow_ids) > 1 else _of_one(found.reason)}"


def _of_one(reason: str) -> str:
    verb, space, rest = reason.partition(" ")
    return f"{_SINGULAR.get(verb, verb)}{space}{rest.replace(' and expect ', ' and expects ', 1)}"


_SINGULAR = {"are": "is", "go": "goes", "have": "has", "run": "runs", "stand": "stands"}


def _paragraph(found: Judgement, flow_ids: Sequence[str]) -> str:
    place = f"  --> {found.place}\n" if found.place is not None and found.verdict is not Verdict.FITS else ""
    more = f", and {len(flow_ids) - SHOWN} more" if len(flow_ids) > SHOWN else ""
    return f"{found.verdict}: {_sentence(found, flow_ids)}\n{place}  {', '.join(flow_ids[:SHOWN])}{more}\n\n"


def _advice(found: Mapping[Judgement, Sequence[str]]) -> str:
    remedies = dict.fromkeys(each.remedy for each in found if each.remedy)
    return "".join(f"help: {remedy}\n" for remedy in remedies)


def _summary(found: Mapping[Judgement, Sequence[str]]) -> str:
    if not found:
        return "no flow is in flight\n"
    counts = {verdict: sum(len(ids) for each, ids in found.items() if each.verdict is verdict) for verdict in _ORDER}
    told = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    return f"{sum(counts.values())} in flight: {told}\n"


def _json_object(found: Judgement, flow_ids: Sequence[str]) -> dict[str, object]:
    place = found.place
    return {
        "flow": found.flow,
        "version": found.version,
        "verdict": found.verdict,
        "message": _sentence(found, flow_ids),
        "help": found.remedy,
        "parked": found.is_parked,
        "file": None if place is None else place.file,
        "line": None if place is None else place.line,
        "flow_ids": list(flow_ids),
    }


def _github(found: Judgement, flow_ids: Sequence[str]) -> str:
    level = "error" if found.verdict is Verdict.CANNOT_FIT and not found.is_parked else "warning"
    properties = {"title": f"persistc diff ({found.verdict})"}
    if found.place is not None:
        properties |= {"file": found.place.file, "line": str(found.place.line)}
    return f"{github_command(level, properties, _sentence(found, flow_ids))}\n"
