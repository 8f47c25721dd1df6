"""Objects whose methods flow code calls and whose class only a type checker knows (PST201 to PST204 and their like).

What is declared or made in sight is known without one; what a loop, a generic class or an inferred attribute gives
is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.checks.effects import flow_routine
from persistc.checks.effects.calls import Calls
from persistc.checks.effects.classes import Classes
from persistc.checks.effects.scopes import Scope
from persistc.checks.effects.things import OfProject
from persistc.checks.flow_class import flow_classes
from persistc.checks.flow_code import FlowBody, flow_code
from persistc.checks.typed_iterables import is_in_f_string
from persistc.flow_tree import Attribute, Call, Expression, Yield
from persistc.project import Project
from persistc.spans import Span


@dataclass(frozen=True, slots=True)
class Receiver:
    """An object of flow code one of whose methods is called."""

    path: str
    module: str
    """The name of the module in which it stands."""
    file: str
    expression: Expression
    method: str
    called: Span
    """Of object and method, which is where a finding is shown."""
    made_by: tuple[Span, ...]
    """What is called in the same body to get it, as findings show it."""


def typed_receivers(project: Project) -> tuple[Receiver, ...]:
    """All of them, each once, in order."""
    found = {(receiver.path, receiver.called): receiver for receiver in _receivers_in(project)}
    return tuple(found[place] for place in sorted(found))


def _receivers_in(project: Project) -> Iterator[Receiver]:
    classes = Classes(project)
    for flow_class in flow_classes(project):
        on = OfProject(flow_class.cls, flow_class.module)
        for body in flow_code(flow_class):
            if not body.module.interface_only:
                yield from _receivers(body, Scope(classes, flow_routine(body, on)))


def _receivers(body: FlowBody, around: Scope) -> Iterator[Receiver]:
    for located in body.nodes:
        match located.node:
            case Call(function=Attribute(value=value) as function):
                scope = around.at(located)
                is_unknown = Calls(scope).is_unknown_object(value)
                if not is_unknown or isinstance(value, Yield) or is_in_f_string(located):
                    continue
                made_by = tuple(call.function.span for call in scope.calls_behind(value))
                yield Receiver(
                    path=body.module.path,
                    module=body.module.name,
                    file=body.module.file,
                    expression=value,
                    method=function.name,
                    called=function.span,
                    made_by=made_by,
                )
            case _:
                pass
