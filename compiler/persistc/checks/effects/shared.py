"""What all runs share, as a routine reaches it: by name, under another name, or handed to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from persistc.checks.effects.names import Way
from persistc.checks.effects.reasons import IN_A_LOCAL, READ_IN_A_STEP, Reason, Source
from persistc.checks.effects.scopes import Scope
from persistc.checks.effects.things import OfProject, Routine
from persistc.checks.kept_names import changes_of, holds_container, is_certain, widening
from persistc.flow_tree import Attribute, Call, Expression, Name, Subscript
from persistc.interfaces.changes import MUTATING_FUNCTIONS, MUTATORS
from persistc.model import ParameterKind
from persistc.spans import Span

_CHANGE = Source(Reason.CHANGE, IN_A_LOCAL)
_CHANGE_OF_GIVEN = Source(Reason.CHANGE_OF_GIVEN, IN_A_LOCAL)
_CHANGED = Source(Reason.CHANGED, READ_IN_A_STEP)
_IN_ORDER = frozenset({ParameterKind.POSITIONAL_ONLY, ParameterKind.POSITIONAL})
_DEPTH = 6


@dataclass(frozen=True)
class Shared:
    """Tells what one routine does to it; of what flow code names outright another check speaks."""

    scope: Scope

    def changed(self, node: Expression) -> Iterator[Source]:
        """What an assignment to a target, or a call, changes."""
        routine = self.scope.routine
        changes = self.scope.classes.changes(routine.module)
        is_told = self._is_flow_object() and self._is_of_self(node)
        if _places(node) & changes and not self._is_of_self(node):
            if not routine.is_flow_code:
                yield _CHANGE
        elif not is_told and any(self._is_changed(holder, node) for holder in _holders(node)):
            yield _CHANGE_OF_GIVEN

    def read(self, expression: Name | Attribute) -> Iterator[Source]:
        """A name of a module that something else than the routine changes."""
        scope = self.scope
        origin = None if scope.routine.is_flow_code else scope.origin(expression)
        project = scope.classes.project
        home = project.home(origin) if origin is not None else None
        if home is None:
            return
        for wider in widening(home[0].name, home[1]):
            for change, module in changes_of(project, wider):
                is_other = not change.at_setup and not (module is scope.module and self._is_within(change.span))
                is_kept = change.rebinds and self._is_imported(expression, wider)
                if is_other and not is_kept and is_certain(project, change, (wider,)):
                    yield _CHANGED
                    return

    def handed(self, routine: Routine, call: Call) -> Routine:
        """A routine as it runs for a call, which may hand it what all runs share."""
        if routine.runs is not routine.body:
            return routine  # what a decorator puts around it
        names = frozenset(self._handed(routine, call)) | routine.shared
        if not names:
            return routine
        return replace(routine, name=f"{routine.name} with shared {', '.join(sorted(names))}", shared=names)

    def _handed(self, routine: Routine, call: Call) -> Iterator[str]:
        parameters = list(routine.parameters)
        if routine.on is not None and parameters:
            receiver = parameters.pop(0)
            function = self.scope.called(call)
            if self._is_shared(function.value if isinstance(function, Attribute) else function):
                yield receiver.name
        takes_order = [each for each in parameters if each.kind in _IN_ORDER]
        for number, argument in enumerate(call.arguments):
            if argument.star:
                return
            if argument.keyword is not None:
                named = [each for each in parameters if each.name == argument.keyword]
            else:
                named = takes_order[number : number + 1]
            if named and self._is_shared(argument.value):
                yield named[0].name

    def _is_shared(self, value: Expression, depth: int = 0) -> bool:
        """Whether all runs have the same container or object of the project there."""
        scope = self.scope
        if depth > _DEPTH:
            return False
        match value:
            case Name(name=name) if name in scope.bound:
                ways = scope.bound[name]
                if name in scope.routine.shared:
                    return len(ways) == 1
                return all(
                    way is Way.IS and given is not None and self._is_shared(given, depth + 1) for way, given in ways
                )
            case Attribute(value=holder) if scope.origin(value) is None:
                if scope.is_self(holder) and self._is_flow_object():
                    return self._holds(value)
                return self._is_shared(holder, depth + 1) and self._holds(value)
            case Subscript(value=holder):
                return self._is_shared(holder, depth + 1)
            case Name() | Attribute():
                return self._holds(value)
            case _:
                return False

    def _is_changed(self, holder: Expression, node: Expression) -> bool:
        """Whether it is shared; of a method, also whether it is one of a container, which `append` need not be."""
        is_kept = self._is_shared(holder)
        if isinstance(node, Call):
            return is_kept and not isinstance(holder, Subscript) and not self._is_of_project(holder)
        return is_kept

    def _holds(self, value: Name | Attribute) -> bool:
        scope = self.scope
        project = scope.classes.project
        origin = scope.origin(value)
        if origin is not None:
            is_kept = bool(scope.classes.assigned(origin)) or not origin.startswith(".")
            return holds_container(project, origin) or (is_kept and self._is_of_project(value))
        if not isinstance(value, Attribute):
            return False
        owners = (each for each in scope.things(value.value) if isinstance(each, OfProject))
        lines = (line for each in owners for line in project.lineage(each.cls, each.module))
        return any(holds_container(project, f"{cls.qualified}.{value.name}") for cls, _ in lines) or (
            self._is_of_project(value)
        )

    def _is_of_project(self, value: Expression) -> bool:
        scope = self.scope
        return any(isinstance(each, OfProject) and not scope.classes.is_proxied(each) for each in scope.things(value))

    def _is_flow_object(self) -> bool:
        on = self.scope.routine.on
        return on is not None and self.scope.classes.is_proxied(on)

    def _is_of_self(self, node: Expression) -> bool:
        """Whether it is, or changes, an attribute of the object whose method this is."""
        while holders := _holders(node):
            node = holders[-1]
        return self.scope.is_self(node)

    def _is_within(self, span: Span) -> bool:
        body = self.scope.routine.body
        return bool(body) and body[0].span.start <= span.start <= body[-1].span.end

    def _is_imported(self, expression: Expression, origin: str) -> bool:
        """Whether the name itself was imported: it keeps what it stood for then."""
        while isinstance(expression, Attribute):
            expression = expression.value
        return self.scope.origin(expression) == origin and not origin.startswith(f"{self.scope.module.name}.")


def _places(node: Expression) -> frozenset[Span]:
    """Where the change that something makes is said to be: `seen.add` of `seen.add(name)`."""
    return frozenset({node.span, node.function.span} if isinstance(node, Call) else {node.span})


def _holders(node: Expression) -> tuple[Expression, ...]:
    """What something is a part of; of a call that changes something, what that may be."""
    match node:
        case Attribute(value=value) | Subscript(value=value):
            return (value,)
        case Call(function=Attribute(value=value, name=name)) if name in MUTATORS:
            return (value,)
        case Call(function=Name(name="setattr" | "delattr"), arguments=(first, *_)):
            return (first.value,)
        case Call(function=Name(name=name) | Attribute(name=name), arguments=(first, *_)) if name in MUTATING_FUNCTIONS:
            return (first.value,)
        case _:
            return ()
