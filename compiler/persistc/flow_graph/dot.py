"""A chart in the language of Graphviz: https://graphviz.org/doc/info/lang.html."""

from __future__ import annotations

from persistc.flow_graph.chart import Arrow, Box, Chart, Shape

_SHAPES = {
    Shape.START: "oval",
    Shape.END: "oval",
    Shape.STEP: "box",
    Shape.SIGNAL: "parallelogram",
    Shape.TIMER: "note",
    Shape.DECISION: "diamond",
    Shape.LOOP: "hexagon",
    Shape.FORK: "box3d",
    Shape.JOIN: "box3d",
    Shape.TRY: "tab",
    Shape.RAISE: "octagon",
    Shape.UNKNOWN: "circle",
}


def dot(chart: Chart, name: str) -> str:
    """The chart of a flow of that name as text."""
    lines = [f"digraph {_quoted(name)} {{", *map(_box, chart.boxes), *map(_arrow, chart.arrows)]
    return "\n    ".join(lines) + "\n}\n"


def _box(box: Box) -> str:
    text = f"{box.text}\n{box.note}" if box.note else box.text
    return f"n{box.number} [label={_quoted(text)}, shape={_SHAPES[box.shape]}];"


def _arrow(arrow: Arrow) -> str:
    options = [f"label={_quoted(arrow.label)}"] if arrow.label else []
    options += ["style=dashed"] if arrow.is_dashed else []
    listed = f" [{', '.join(options)}]" if options else ""
    return f"n{arrow.source} -> n{arrow.target}{listed};"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
