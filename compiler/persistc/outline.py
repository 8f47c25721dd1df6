"""The outline of a flow: its steps in order, with branches, loops, what runs side by side, delays and waits.

It stands above the flow in the generated file, so that the change of a process shows in a review as a change of a few
words. It is the flow's graph as text, without what cannot be known.
"""

from __future__ import annotations

from persistc.checks.flow_class import FlowClass
from persistc.flow_graph.building import flow_graph
from persistc.flow_graph.lines import Line, lines_of
from persistc.project import Owned


def outline(flow_class: FlowClass, flow: Owned) -> tuple[Line, ...]:
    """The outline of a flow of a class."""
    return lines_of(flow_graph(flow_class, flow).body)
