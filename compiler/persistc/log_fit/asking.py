"""What a log holds, and what the program's own types and flows say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from persistc.cannot_run import CannotRun
from persistc.flow_graph.finding import flow_graphs
from persistc.log_fit.judging import Code, InFlight, in_flight
from persistc.model import Kind
from persistc.program import ask_program, generated_name
from persistc.project import Project
from persistc.proxies import proxied_classes, proxy_name


@dataclass(frozen=True, slots=True)
class Question:
    """Which log, and what is to be asked of the program."""

    log: str
    python: str
    decode: bool = False
    """Have every row read by today's types."""
    replay: str | None = None
    """The list of proxies to replay the flows on, `app.main:flows`."""


def flows_in_flight(question: Question, project: Project, root: str) -> list[InFlight]:
    """The flows in flight of a log.

    Raises:
        CannotRun: The log cannot be read, or the program not imported.
    """
    modules = [module for module in project.modules.values() if proxied_classes(project, module)]
    types = [
        f"{generated_name(module)}:{proxy_name(cls)}"
        for module in modules
        for cls in proxied_classes(project, module)
        if question.decode
    ]
    arguments = [question.log, *(["--types", *types] if types else [])]
    if question.replay is not None:
        arguments += ["--replay", question.replay]
    told = ask_program(
        question.python, ["persistasaurus.offline", *arguments], root, modules, f"look into {question.log}"
    )
    return list(_read(told, is_replayed=question.replay is not None))


def _read(told: str, *, is_replayed: bool) -> Iterator[InFlight]:
    for line in told.splitlines():
        answer = json.loads(line)
        if "refused" in answer:
            raise CannotRun(answer["refused"])
        yield in_flight(answer, is_replayed=is_replayed)


def code_of(project: Project) -> Code:
    """What there is in the source that a history can be held against."""
    graphs = {(graph.recorded, graph.version): graph for graph in flow_graphs(project)}
    marked = {
        (owner, owned.method.name)
        for module in project.modules.values()
        for cls in proxied_classes(project, module)
        for owned in project.members(cls, module).values()
        if owned.method.kind in {Kind.STEP, Kind.SIGNAL}
        for owner in (cls.name, "")
    }
    return Code(graphs, frozenset(marked))
