"""`persistc graph`: what a flow calls in which order, as text, as a drawing, or for programs."""

from __future__ import annotations

import argparse

from persistc.commands.options import add_sources
from persistc.exit_codes import CLEAN

FORMATS = ("text", "mermaid", "dot", "json")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser("graph", help="show the steps of a flow")
    parser.add_argument(
        "flow", metavar="FLOW", help="`OrderFlow.place_order`, `place_order` where only one flow has that name, or "
        "`app.flows.OrderFlow.place_order`"
    )  # fmt: skip
    add_sources(parser)
    parser.add_argument("--format", choices=FORMATS, default="text", help="what to print (default: %(default)s)")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the graph of the flow."""
    from persistc.commands.printing import print_text
    from persistc.flow_graph.chart import chart_of
    from persistc.flow_graph.document import document
    from persistc.flow_graph.dot import dot
    from persistc.flow_graph.finding import find_flow
    from persistc.flow_graph.listing import listing
    from persistc.flow_graph.mermaid import mermaid
    from persistc.sound_projects import sound_project

    graph = find_flow(sound_project(options.paths), options.flow)
    match options.format:
        case "mermaid":
            text = mermaid(chart_of(graph))
        case "dot":
            text = dot(chart_of(graph), graph.label)
        case "json":
            text = document(graph)
        case _:
            text = listing(graph)
    print_text(text)
    return CLEAN
