"""Two trees of a project held against each other, flow by flow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.checks.flow_class import FlowClass, flow_classes
from persistc.flow_changes.bodies import body_change
from persistc.flow_changes.normal_form import normal_form
from persistc.flow_changes.python_functions import Sources
from persistc.flow_changes.signatures import Signatures
from persistc.flow_changes.statements import Statement, body_text, defines_functions
from persistc.flow_changes.stored_types import StoredTypes
from persistc.flow_changes.type_changes import TypeChanges
from persistc.flow_changes.verdicts import FlowChange, Reason, Verdict, folded
from persistc.flow_graph.building import flow_graph
from persistc.flow_graph.regions import Dynamic, FlowGraph, Place, Started, Step, Task, Wait, inside
from persistc.model import Kind
from persistc.project import Owned
from persistc.reading import Reading
from persistc.versions import is_kept

_OPTIONS = ("delay", "retry", "at_most_once", "raises")


@dataclass(frozen=True)
class _Flow:
    """One body of a flow: the newest, or a kept one."""

    flow_class: FlowClass
    owned: Owned
    graph: FlowGraph
    sources: Sources

    @property
    def recorded(self) -> str:
        return self.graph.recorded

    @property
    def version(self) -> int:
        return self.graph.version

    @property
    def place(self) -> Place:
        return self.graph.place

    @property
    def label(self) -> str:
        return self.recorded if self.version == 1 else f"{self.recorded}, version {self.version}"

    def statements(self) -> tuple[Statement, ...]:
        return normal_form(self.flow_class, self.owned, self.sources)

    def calls(self) -> dict[tuple[str, str], Place]:
        """The steps and signals that it asks for, each by its class (empty for its own) and name, and where first."""
        found: dict[tuple[str, str], Place] = {}
        for region in inside((self.graph.body,)):
            told = region.told.parts if isinstance(region, Dynamic) else (region,)
            for each in told:
                if isinstance(each, Step | Wait):
                    cls = "" if each.class_name == self.flow_class.cls.name else each.class_name
                    found.setdefault((cls, each.name), each.place)
        return found

    def is_straight(self) -> bool:
        """Whether nothing of it may run beside what follows it in the source."""
        return not any(
            isinstance(each, Dynamic) or (isinstance(each, Task) and each.how is not Started.JOINED)
            for each in inside((self.graph.body,))
        )


def compare(old: Reading, new: Reading) -> tuple[FlowChange, ...]:
    """What has become of each flow of the old tree, and which flows are new; those that are as they were are left out.

    Flows are told apart by the names they have in the log.
    """
    return tuple(_Comparison(old, new).changes())


class _Comparison:
    def __init__(self, old: Reading, new: Reading) -> None:
        self._old = _flows(old)
        self._new = _flows(new)
        self._old_classes = _classes(old)
        self._classes = _classes(new)
        types = TypeChanges(StoredTypes(old.project), StoredTypes(new.project))
        self._signatures = Signatures(types)

    def changes(self) -> Iterator[FlowChange]:
        for key, flow in self._old.items():
            reasons = folded(self._of_flow(key, flow))
            if reasons:
                yield FlowChange(flow.label, reasons)
        known = {recorded for recorded, _ in self._old}
        for (recorded, _), flow in self._new.items():
            if recorded not in known:
                yield FlowChange(flow.label, (Reason(Verdict.COMPATIBLE, "is new", None, flow.place),))

    def _of_flow(self, key: tuple[str, int], old: _Flow) -> Iterator[Reason]:
        new = self._new.get(key)
        if new is None:
            yield self._gone(old)
            newest = max((each for each in self._new if each[0] == old.recorded), default=None)
            if newest is not None:
                yield from (
                    each for each in self._of_members(old, self._new[newest]) if each.verdict is Verdict.BREAKING
                )
            return
        yield from self._of_members(old, new)
        yield from self._renamed(old, new)
        yield from self._signatures.of_flow(old.owned, new.owned, _kept(old))
        before, after = old.statements(), new.statements()
        is_straight = old.is_straight() and new.is_straight() and not defines_functions(before)
        if [each.form for each in before] != [each.form for each in after]:
            yield body_change(before, after, is_straight=is_straight, help_text=_kept(old))
        elif _code(old) != _code(new):
            yield Reason(
                Verdict.COMPATIBLE,
                "only comments, layout, local names, logging or the length of waits are others",
                old.place,
                new.place,
            )

    def _renamed(self, old: _Flow, new: _Flow) -> Iterator[Reason]:
        name, name_now = old.owned.method.name, new.owned.method.name
        newest = max(version for recorded, version in self._new if recorded == new.recorded)
        if newest != new.version and name != name_now:
            message = f"version {new.version} is kept in `{name_now}`"
            yield Reason(Verdict.COMPATIBLE, message, old.place, new.place)
        elif name != name_now:
            message = f"`{name}` is called `{name_now}`, and is recorded as `{old.recorded}` still"
            yield Reason(Verdict.COMPATIBLE, message, old.place, new.place)

    def _gone(self, old: _Flow) -> Reason:
        versions = sorted(version for recorded, version in self._new if recorded == old.recorded)
        if versions:
            return Reason(
                Verdict.NEEDS_KEPT_VERSION,
                f"version {old.version} is gone; there {'is' if len(versions) == 1 else 'are'} "
                f"{', '.join(map(str, versions))}",
                old.place,
                self._new[old.recorded, versions[-1]].place,
                _kept(old),
            )
        cls = old.flow_class.cls.name
        if cls in self._classes or "." not in old.recorded:
            return Reason(
                Verdict.NEEDS_KEPT_VERSION,
                f"flow `{old.owned.method.name}` is gone, or recorded under another name",
                old.place,
                None,
                _kept(old),
            )
        return Reason(
            Verdict.BREAKING,
            f"flow class `{cls}` is gone, by whose name flows are recorded",
            old.place,
            None,
            f"keep the name of class `{cls}` while flows of it are under way",
        )

    def _of_members(self, old: _Flow, new: _Flow) -> Iterator[Reason]:
        """What has changed about the steps and signals that the old body asks for."""
        bodies: list[str] = []
        for (cls, called_name), called in old.calls().items():
            owner = self._old_classes.get(cls) if cls else old.flow_class
            owner_now = self._classes.get(cls) if cls else new.flow_class
            before = owner.members.get(called_name) if owner is not None else None
            after = owner_now.members.get(called_name) if owner_now is not None else None
            if before is None:
                continue
            kind, name = before.method.kind, f"{cls}.{called_name}" if cls else called_name
            if after is None or after.method.kind is not kind:
                yield Reason(
                    Verdict.BREAKING,
                    f"{kind.value} `{name}` is gone, which flows under way have on record or expect",
                    called,
                    None,
                    f"keep {kind.value} `{name}` while flows that ask for it are under way",
                )
                continue
            yield from self._signatures.of_member(before, after, name)
            changed = [option for option in _OPTIONS if _option(before, option) != _option(after, option)]
            if changed:
                place = Place(after.module.file, after.method.span)
                message = f"of {kind.value} `{name}` only {' and '.join(f'`{each}`' for each in changed)} changed"
                yield Reason(Verdict.COMPATIBLE, message, None, place)
            if body_text(old.sources.function(before)) != body_text(new.sources.function(after)):
                bodies.append(name)
        if bodies:
            listed = ", ".join(f"`{name}`" for name in bodies)
            yield Reason(Verdict.COMPATIBLE, f"only what is done in {listed} changed", None, new.place)


def _classes(reading: Reading) -> dict[str, FlowClass]:
    """The flow classes by name, as the log has them."""
    return {each.cls.name: each for each in flow_classes(reading.project)}


def _flows(reading: Reading) -> dict[tuple[str, int], _Flow]:
    """Every body of every flow by its name in the log and its version."""
    sources = Sources(reading.texts)
    found: dict[tuple[str, int], _Flow] = {}
    for flow_class in flow_classes(reading.project):
        if reading.project.is_abstract(flow_class.cls, flow_class.module):
            continue
        for owned in flow_class.members.values():
            if owned.method.kind is Kind.FLOW:
                graph = flow_graph(flow_class, owned)
                flow = _Flow(flow_class, owned, graph, sources)
                found.setdefault((flow.recorded, flow.version), flow)
    return found


def _option(owned: Owned, name: str) -> str:
    argument = owned.method.mark.argument(name) if owned.method.mark is not None else None
    return argument.text if argument is not None else ""


def _code(flow: _Flow) -> str:
    """The source of the body as it is written."""
    function = flow.sources.function(flow.owned)
    if function is None or not function.body or function.end_lineno is None:
        return ""
    lines = flow.sources.texts[flow.owned.module.file].splitlines()
    return "\n".join(line.rstrip() for line in lines[function.body[0].lineno - 1 : function.end_lineno])


def _kept(flow: _Flow) -> str:
    """What to do about a body that is not there any more."""
    if is_kept(flow.owned.method):
        return f"put `{flow.owned.method.name}` back as it was: it is for flows of version {flow.version} under way"
    return f"keep the old body beside the new one: `persistc keep {flow.flow_class.cls.name}.{flow.owned.method.name}`"
