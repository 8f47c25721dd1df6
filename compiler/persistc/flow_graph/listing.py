"""A graph as a listing: its lines, each with the number of the line in the source."""

from __future__ import annotations

from persistc.flow_graph.lines import lines_of
from persistc.flow_graph.regions import FlowGraph, Place

NOTE_COLUMN = 44
"""Notes stand in a column, as long as the names leave room for it."""


def listing(graph: FlowGraph) -> str:
    """The listing of a flow; a line of another file names it."""
    lines = lines_of(graph.body, with_unknown=True)
    widest = max((len(str(line.place.line)) for line in lines if line.place is not None), default=1)
    noted = [2 * line.depth + len(line.text) for line in lines if line.note]
    column = max((width for width in noted if width <= NOTE_COLUMN), default=0) + 4
    told = [f"flow {graph.label}, {graph.place}\n"]
    for line in lines:
        text = f"{'  ' * line.depth}{line.text}"
        notes = [each for each in (line.note, _elsewhere(line.place, graph)) if each]
        padded = f"{text:<{column}}{', '.join(notes)}" if len(text) + 2 <= column else f"{text}  {', '.join(notes)}"
        number = str(line.place.line) if line.place is not None else ""
        told.append(f"{number:>{widest + 2}}  {padded}".rstrip() + "\n")
    return "".join(told) if lines else f"{told[0]}  calls nothing\n"


def _elsewhere(place: Place | None, graph: FlowGraph) -> str:
    return f"in {place.file}" if place is not None and place.file != graph.place.file else ""
