"""The flows of a project by the names people call them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from persistc.cannot_run import CannotRun
from persistc.checks.flow_class import flow_classes
from persistc.flow_graph.building import flow_graph
from persistc.flow_graph.regions import FlowGraph
from persistc.model import Kind
from persistc.project import Project

SHOWN = 20
"""A longer list helps nobody."""


def flow_graphs(project: Project) -> Iterator[FlowGraph]:
    """The graph of every flow of every class that gets a proxy, inherited flows too."""
    for flow_class in flow_classes(project):
        if not project.is_abstract(flow_class.cls, flow_class.module):
            for owned in flow_class.members.values():
                if owned.method.kind is Kind.FLOW:
                    yield flow_graph(flow_class, owned)


def find_flow(project: Project, name: str) -> FlowGraph:
    """The flow called `Class.flow`, `module.Class.flow`, by its own name where only one has it, or as the log has it.

    Raises:
        CannotRun: There is none, or more than one; the message lists them.
    """
    graphs = sorted(flow_graphs(project), key=_full_name)
    found = [graph for graph in graphs if name in {graph.name, graph.label, _full_name(graph)}]
    if not found:  # `@flow(name=...)`, which its kept bodies share
        recorded = [graph for graph in graphs if graph.recorded == name]
        found = sorted(recorded, key=lambda graph: graph.version)[-1:]
    if len(found) == 1:
        return found[0]
    if found:
        raise CannotRun(f"`{name}` is the name of several flows: write one of\n{_listed(found)}")
    if not graphs:
        raise CannotRun("there are no flows: no class below the paths has a method marked `@flow`")
    names = {each: graph for graph in graphs for each in (graph.name, graph.label, _full_name(graph))}
    near = dict.fromkeys(names[each] for each in difflib.get_close_matches(name, names, n=6, cutoff=0.6))
    if near:
        raise CannotRun(f"there is no flow `{name}`; these have names like it:\n{_listed(list(near))}")
    raise CannotRun(f"there is no flow `{name}`; these are the flows:\n{_listed(graphs)}")


def _full_name(graph: FlowGraph) -> str:
    return f"{graph.module}.{graph.label}"


def _listed(graphs: list[FlowGraph]) -> str:
    labels = [graph.label for graph in graphs]
    lines = [graph.label if labels.count(graph.label) == 1 else _full_name(graph) for graph in graphs[:SHOWN]]
    if len(graphs) > SHOWN:
        lines.append(f"and {len(graphs) - SHOWN} more: name the file of the one you mean behind its name")
    return "\n".join(f"  {line}" for line in lines)
