"""A chart as a Mermaid flowchart, which GitHub draws: https://mermaid.js.org/syntax/flowchart.html."""

from __future__ import annotations

import re

from persistc.flow_graph.chart import Arrow, Box, Chart, Shape

_BRACKETS = {
    Shape.START: ("([", "])"),
    Shape.END: ("([", "])"),
    Shape.STEP: ("[", "]"),
    Shape.SIGNAL: ("[/", "/]"),
    Shape.TIMER: ("(", ")"),
    Shape.DECISION: ("{", "}"),
    Shape.LOOP: ("{{", "}}"),
    Shape.FORK: ("[[", "]]"),
    Shape.JOIN: ("[[", "]]"),
    Shape.TRY: ("(", ")"),
    Shape.RAISE: (">", "]"),
    Shape.UNKNOWN: ("((", "))"),
}


def mermaid(chart: Chart) -> str:
    """The chart as text."""
    lines = ["flowchart TD", *map(_box, chart.boxes), *map(_arrow, chart.arrows)]
    return "\n    ".join(lines) + "\n"


def _box(box: Box) -> str:
    opening, closing = _BRACKETS[box.shape]
    note = f"<br/>{_escaped(box.note)}" if box.note else ""
    return f'n{box.number}{opening}"{_escaped(box.text)}{note}"{closing}'


def _arrow(arrow: Arrow) -> str:
    line = "-.->" if arrow.is_dashed else "-->"
    label = f'|"{_escaped(arrow.label)}"|' if arrow.label else ""
    return f"n{arrow.source} {line}{label} n{arrow.target}"


def _escaped(text: str) -> str:
    """Anything that Mermaid, Markdown or HTML could read as more than a character, by its number."""
    return re.sub(r"[^\w\s.,:()/+=-]", lambda found: f"#{ord(found[0])};", text)
