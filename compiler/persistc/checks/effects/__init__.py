"""What flow code does besides calling steps, followed through every function of the project that it calls.

`sources` and `packages` say which things have an effect, `names` and `scopes` what an expression is, `targets` and
`calls` what a call does, `scanning` sums up one routine, `reaching` joins the summaries over the call graph, `findings`
puts it into words. `shared` tells what becomes of things all runs share.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence, Set

from persistc.checks.effects.classes import Classes
from persistc.checks.effects.findings import finding
from persistc.checks.effects.reaching import CallGraph, Reached, counts
from persistc.checks.effects.reasons import Reason
from persistc.checks.effects.things import OfProject, Routine, Told
from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody
from persistc.diagnostics import Code, Diagnostic
from persistc.project import Project
from persistc.spans import Span


def effects_of(
    project: Project, told: Told | None = None
) -> Callable[[FlowClass, Sequence[FlowBody]], Iterator[Diagnostic]]:
    """PST201 to PST204, PST207, PST208, PST210, PST220, and PST205 in calls; what it finds serves all flow classes."""
    graph = CallGraph(Classes(project, told or {}))

    def check_effects(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
        on = OfProject(flow_class.cls, flow_class.module)
        routines = [flow_routine(body, on) for body in bodies if not body.module.interface_only]
        names = {routine.name for routine in routines}
        for routine in routines:
            said: set[tuple[Span, Code]] = set()
            for reached in _reached(graph, routine, names):
                found = finding(reached)
                if found.span is not None and (found.span, found.code) not in said:
                    said.add((found.span, found.code))
                    yield found

    return check_effects


def _reached(graph: CallGraph, routine: Routine, flow_code: Set[str]) -> Iterator[Reached]:
    summary = graph.summary(routine)
    for effect in summary.effects:
        if counts(effect.source.reason, effect.site.in_cleanup):
            yield Reached(effect.source, (effect.site,))
    for run in summary.runs:
        # A body of flow code has findings of its own, but for what is wrong only because of where it is called.
        is_body = run.routine.name.partition(" with shared ")[0] in flow_code
        for reached in graph.reached(run):
            reason = reached.source.reason
            is_of_call = reason is Reason.WRITE or (reason is Reason.CHANGE_OF_GIVEN and run.routine.shared)
            if not is_body or is_of_call:
                yield reached


def flow_routine(body: FlowBody, on: OfProject) -> Routine:
    """A body of flow code, as it runs for an instance of a flow class."""
    return Routine(
        name=f"{body.owner.qualified}.{body.method.name} on {on.cls.qualified}",
        module=body.module,
        owner=body.owner,
        on=on,
        parameters=body.method.parameters,
        body=body.method.body,
        runs=body.method.body,
        is_suspended=True,
        is_flow_code=True,
    )
