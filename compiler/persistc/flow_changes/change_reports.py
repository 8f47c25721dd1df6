"""What has changed, as text: for people, for editors, for programs, for GitHub.

The JSON document is a list with an object for each flow that has changed: `flow`, `verdict`, and `reasons`, each with
`verdict`, `message`, `old` and `new` (`file`, `line`, `column` counted from 1; null where there is none) and `help`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from persistc.flow_changes.verdicts import FlowChange, Reason, Verdict
from persistc.flow_graph.regions import Place
from persistc.reporting import OutputFormat, github_command

NOTHING = "Nothing has changed for flows under way.\n"


def render_changes(changes: Sequence[FlowChange], output_format: OutputFormat) -> str:
    """All changes as one text that ends with a line break."""
    match output_format:
        case OutputFormat.TEXT:
            return "".join(f"{_text(change)}\n" for change in changes) + (_summary(changes) or NOTHING)
        case OutputFormat.CONCISE:
            lines = [_concise(change, reason) for change in changes for reason in change.reasons]
            return "".join(f"{line}\n" for line in lines) + (_summary(changes) or NOTHING)
        case OutputFormat.JSON:
            return json.dumps([_json(change) for change in changes], indent=2, ensure_ascii=False) + "\n"
        case OutputFormat.GITHUB:
            return "".join(f"{_github(change, reason)}\n" for change in changes for reason in change.reasons)


def _text(change: FlowChange) -> str:
    lines = [f"{change.verdict}: {change.flow}"]
    for reason in change.reasons:
        word = "" if reason.verdict is change.verdict else f"{reason.verdict}: "
        lines.append(f"  - {word}{reason.message}")
        if reason.old is not None or reason.new is not None:
            lines.append(f"    {_places(reason)}")
        if reason.help:
            lines.append(f"    = help: {reason.help}")
    return "\n".join(lines) + "\n"


def _places(reason: Reason) -> str:
    was = f"was {reason.old}" if reason.old is not None else ""
    return ", ".join(each for each in (str(reason.new or ""), was) if each)


def _concise(change: FlowChange, reason: Reason) -> str:
    place = reason.new or reason.old
    return f"{place}: {reason.verdict}: {change.flow}: {reason.message}"


def _summary(changes: Sequence[FlowChange]) -> str:
    counts = []
    for verdict in reversed(Verdict):
        number = sum(change.verdict is verdict for change in changes)
        if number:
            counts.append(f"{verdict}: {number}")
    return (
        f"{len(changes)} {'flow' if len(changes) == 1 else 'flows'} changed; {', '.join(counts)}.\n" if counts else ""
    )


def _json(change: FlowChange) -> dict[str, object]:
    return {
        "flow": change.flow,
        "verdict": change.verdict,
        "reasons": [
            {
                "verdict": reason.verdict,
                "message": reason.message,
                "old": _json_place(reason.old),
                "new": _json_place(reason.new),
                "help": reason.help,
            }
            for reason in change.reasons
        ],
    }


def _json_place(place: Place | None) -> dict[str, object] | None:
    if place is None:
        return None
    return {"file": place.file, "line": place.line, "column": place.span.start.column + 1}


def _github(change: FlowChange, reason: Reason) -> str:
    level = {Verdict.COMPATIBLE: "notice", Verdict.NEEDS_KEPT_VERSION: "warning", Verdict.BREAKING: "error"}
    place = reason.new or reason.old
    properties = {"title": f"persistc diff ({reason.verdict})"}
    if place is not None:
        properties |= {"file": place.file, "line": str(place.line)}
    message = f"{change.flow}: {reason.message}"
    return github_command(level[reason.verdict], properties, f"{message}\n{reason.help}" if reason.help else message)
