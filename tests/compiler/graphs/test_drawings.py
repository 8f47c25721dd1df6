"""`persistc graph`: the exact drawing of a flow that has everything, and drawings of every flow there is.

With `PERSISTC_FIXTURES=write` in the environment a run writes the drawings anew.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from persistc.configuration import Configuration
from persistc.flow_graph.chart import Chart, Shape, chart_of
from persistc.flow_graph.document import document
from persistc.flow_graph.dot import dot
from persistc.flow_graph.finding import flow_graphs
from persistc.flow_graph.listing import listing
from persistc.flow_graph.mermaid import mermaid
from persistc.flow_graph.regions import FlowGraph, Step
from persistc.reading import read_project
from persistc.sound_projects import sound_project
from persistc.sources import find_sources
from tests.compiler.projects import FLOWS, REPOSITORY, Ended, Project

DRAWINGS = Path(__file__).parent / "drawings"
FORMATS = {"text": "everything.txt", "mermaid": "everything.mmd", "dot": "everything.dot", "json": "everything.json"}
ALL_FLOWS = [
    *flow_graphs(sound_project([REPOSITORY / "examples"])),
    *flow_graphs(sound_project([REPOSITORY / "tests" / "golden" / "orders"])),
    *flow_graphs(sound_project([REPOSITORY / "tests" / "runtime"])),
    *flow_graphs(sound_project([DRAWINGS])),
]


@pytest.fixture
def everything(project: Project) -> Project:
    shutil.copy(DRAWINGS / "flows.py", project.root)
    return project


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_flow_is_drawn_exactly_so(everything: Project, output_format: str) -> None:
    ended = everything.persistc("graph", "everything", "--format", output_format)
    drawing = DRAWINGS / FORMATS[output_format]
    if os.environ.get("PERSISTC_FIXTURES") == "write":
        drawing.write_text(ended.stdout, encoding="utf-8")
    assert ended == Ended(0, drawing.read_text(encoding="utf-8"), "")


# --- every flow there is --------------------------------------------------------------------------------------------

_ID = r"n\d+"
_QUOTED = r'"[^"`<>|&\\\n]*(?:<br/>[^"`<>|&\\\n]*)?"'
_BRACKETS = [
    (r"\(\[", r"\]\)"),
    (r"\[\[", r"\]\]"),
    (r"\[/", r"/\]"),
    (r"\[", r"\]"),
    (r"\{\{", r"\}\}"),
    (r"\{", r"\}"),
    (r"\(\(", r"\)\)"),
    (r"\(", r"\)"),
    (r">", r"\]"),
]
MERMAID_BOX = re.compile(
    rf"    ({_ID})(?:{'|'.join(f'{opening}{_QUOTED}{closing}' for opening, closing in _BRACKETS)})"
)
MERMAID_ARROW = re.compile(rf"    ({_ID}) (?:-->|-\.->)(?:\|{_QUOTED}\|)? ({_ID})")
_DOT_QUOTED = r'"(?:[^"\\\n]|\\["\\n])*"'
DOT_BOX = re.compile(rf"    ({_ID}) \[label={_DOT_QUOTED}, shape=\w+\];")
DOT_ARROW = re.compile(rf"    ({_ID}) -> ({_ID})(?: \[(?:label={_DOT_QUOTED})?(?:, )?(?:style=dashed)?\])?;")


def _require_syntax(lines: list[str], box: re.Pattern[str], arrow: re.Pattern[str], chart: Chart) -> None:
    """Every line is a box or an arrow between boxes, and all of them are there."""
    boxes = [found[1] for line in lines if (found := box.fullmatch(line))]
    arrows = [(found[1], found[2]) for line in lines if (found := arrow.fullmatch(line))]
    assert len(boxes) + len(arrows) == len(lines)
    assert boxes == [f"n{each.number}" for each in chart.boxes]
    assert len(arrows) == len(chart.arrows)
    assert {name for pair in arrows for name in pair} <= set(boxes)


@pytest.mark.parametrize("graph", ALL_FLOWS, ids=lambda graph: f"{graph.module}.{graph.label}")
def test_every_flow_is_drawn_in_every_format(graph: FlowGraph) -> None:
    chart = chart_of(graph)
    first, *lines = mermaid(chart).splitlines()
    assert first == "flowchart TD"
    _require_syntax(lines, MERMAID_BOX, MERMAID_ARROW, chart)
    first, *lines, last = dot(chart, graph.label).splitlines()
    assert (first, last) == (f'digraph "{graph.label}" {{', "}")
    _require_syntax(lines, DOT_BOX, DOT_ARROW, chart)
    assert json.loads(document(graph))["name"] == graph.name
    assert listing(graph).startswith(f"flow {graph.label}, ")


@pytest.mark.parametrize("graph", ALL_FLOWS, ids=lambda graph: f"{graph.module}.{graph.label}")
def test_every_box_of_a_drawing_is_reached(graph: FlowGraph) -> None:
    chart = chart_of(graph)
    reached = {arrow.target for arrow in chart.arrows}
    loose = [box.text for box in chart.boxes if box.number not in reached and box.shape is not Shape.START]
    assert loose in ([], ["end"])  # a flow that runs for ever has an end that nothing leads to


# --- which flow -----------------------------------------------------------------------------------------------------


def test_a_flow_is_found_by_each_of_its_names(greeting: Project) -> None:
    outputs = {
        greeting.persistc("graph", name).stdout for name in ("greet", "GreetingFlow.greet", "flows.GreetingFlow.greet")
    }
    assert outputs == {"flow GreetingFlow.greet, flows.py:8\n  10  say\n"}


def test_a_flow_is_found_by_the_name_the_log_has_for_it(project: Project) -> None:
    project.write("flows.py", FLOWS.replace("@flow", '@flow(name="say-hello")'))
    assert project.persistc("graph", "say-hello") == project.persistc("graph", "GreetingFlow.greet")
    assert project.persistc("graph", "say-hello").exit_code == 0


def test_an_unknown_flow_is_answered_with_those_that_have_names_like_it(greeting: Project) -> None:
    ended = greeting.persistc("graph", "gret")
    assert ended == Ended(2, "", "persistc: there is no flow `gret`; these have names like it:\n  GreetingFlow.greet\n")
    ended = greeting.persistc("graph", "pay")
    assert ended == Ended(2, "", "persistc: there is no flow `pay`; these are the flows:\n  GreetingFlow.greet\n")


def test_a_name_of_several_flows_is_answered_with_their_full_names(greeting: Project) -> None:
    greeting.write("more.py", greeting.read("flows.py"))
    ended = greeting.persistc("graph", "GreetingFlow.greet")
    assert ended.stderr == (
        "persistc: `GreetingFlow.greet` is the name of several flows: write one of\n"
        "  flows.GreetingFlow.greet\n  more.GreetingFlow.greet\n"
    )
    assert greeting.persistc("graph", "more.GreetingFlow.greet").exit_code == 0


def test_a_project_without_flows_and_one_that_is_broken_are_errors(project: Project) -> None:
    assert "there are no flows" in project.persistc("graph", "greet").stderr
    project.write("flows.py", "from persistasaurus import flow\nclass A:\n    @flow\n    def f(self) -> int\n")
    ended = project.persistc("graph", "f")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert ended.stderr.startswith("persistc: flows.py:4: error[PST001] ")


def test_a_kept_body_is_recorded_under_the_name_of_its_flow(project: Project) -> None:
    text = project.write(
        "flows.py",
        """\
        from persistasaurus import flow, step


        class PayFlow:
            @flow(name="pay", version=2)
            async def pay(self) -> None:
                await self.charge()

            @flow(version=1, of=pay)
            async def pay_v1(self) -> None:
                await self.charge()

            @step
            async def charge(self) -> None: ...
        """,
    )
    configuration = Configuration(root=text.parent, source=(text,))
    reading = read_project(find_sources((), configuration).sources, configuration)
    graphs = list(flow_graphs(reading.project))
    assert [(graph.name, graph.recorded, graph.version) for graph in graphs] == [
        ("pay", "pay", 2),
        ("pay_v1", "pay", 1),
    ]
    assert {each.class_name for graph in graphs for each in graph.body.parts if isinstance(each, Step)} == {""}
