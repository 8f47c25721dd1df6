"""The types of flow classes, and the rows of a log that these do not read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from persistasaurus.deliveries import failures_of_call
from persistasaurus.errors import CorruptRow
from persistasaurus.flow_classes import FlowClass, Method
from persistasaurus.offline.recorded import Recorded
from persistasaurus.records import FlowRow, InvocationRow, Kind, SignalRow, Status
from persistasaurus.replay import describe


class Unreadable(Struct, frozen=True):
    """A value on record that is not of today's type.

    Attributes:
        what: The row: "the arguments of the flow", "OrderFlow.charge as step 3", "a signal OrderFlow.paid".
        problem: What is wrong with it, with the path to the place.
    """

    what: str
    problem: str


class FlowTypes:
    """The flow classes of a program, by the names their flows are recorded under.

    Args:
        classes: The proxy classes' `__persistasaurus__`.
    """

    def __init__(self, classes: Iterable[FlowClass]) -> None:
        self._classes: Final = {found.name: found for found in classes}
        self._flows: Final = {
            method.full_name: (found, found.bodies[method.name])
            for found in self._classes.values()
            for method in found.flows
        }

    def flow(self, row: FlowRow) -> tuple[FlowClass, Method] | None:
        """The class and the body that a flow on record runs; None if no class has it."""
        flow_class, bodies = self._flows.get(row.name, (None, {}))
        body = bodies.get(row.version)
        return None if flow_class is None or body is None else (flow_class, body)

    def unreadable(self, recorded: Recorded) -> Iterator[Unreadable]:
        """Every value of a flow that its class, as it is today, could not be given back (G12)."""
        found = self.flow(recorded.flow)
        if found is None:
            return
        flow_class, flow = found
        yield from _attempt("the arguments of the flow", lambda: flow.parameters.decode(recorded.flow.parameters))
        for call in recorded.calls:
            yield from self._of_call(flow_class, call)
        for signal in recorded.signals:
            yield from self._of_signal(flow_class, signal)

    def _of_call(self, flow_class: FlowClass, call: InvocationRow) -> Iterator[Unreadable]:
        owner = self._classes.get(call.class_name) if call.class_name else flow_class
        method = owner.methods.get(call.method_name) if owner is not None else None
        if call.kind is Kind.TIMER or owner is None or method is None:
            return  # a step that is gone is no matter of types
        what = describe(call)
        if call.kind is Kind.STEP:
            yield from _attempt(f"the arguments of {what}", lambda: method.parameters.decode(call.parameters))
        if call.status is Status.COMPLETE:
            yield from _attempt(f"the result of {what}", lambda: method.result.decode(call.return_value or ""))
        elif call.status is Status.FAILED:
            failures = failures_of_call(flow_class, owner)
            yield from _attempt(f"the failure of {what}", lambda: failures.decode(call.return_value or ""))

    def _of_signal(self, flow_class: FlowClass, signal: SignalRow) -> Iterator[Unreadable]:
        method = flow_class.methods.get(signal.method_name)
        if signal.taken_by is None and method is not None:
            what = f"an unread signal {flow_class.name}.{signal.method_name}"
            yield from _attempt(what, lambda: method.parameters.decode(signal.arguments))


def _attempt(what: str, decode: Callable[[], object]) -> Iterator[Unreadable]:
    try:
        decode()
    except CorruptRow as problem:
        yield Unreadable(what, str(problem))
