"""What is kept of a flow: under which number and names, what comes along, and what a person must look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from persistc.cannot_run import CannotRun
from persistc.keeping.code_shapes import names_used, shape_of_flow
from persistc.keeping.members import Members
from persistc.keeping.outside_names import OutsideNames
from persistc.keeping.snapshots import Snapshot
from persistc.model import Import, Kind
from persistc.project import Project
from persistc.versions import flow_option, is_kept, kept_of, version


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written."""

    flow: str
    number: int
    """The version that is kept."""
    newest: int
    """The version of the flow from now on."""
    kept_as: str
    """The name of the kept body."""
    renamed: Mapping[str, str]
    """Methods without a mark that the kept body called, each with the name under which it is what it was."""
    copied: tuple[str, ...]
    """Those of them that come along; the others are there under that name."""
    older: tuple[str, ...]
    """Bodies kept before, which called the same methods."""
    put_back: tuple[str, ...]
    """Steps and signals that are gone, with what they call: the log knows them by name, so they keep it."""
    imports: tuple[Import, ...]
    """Imports that the file has no more."""
    remarks: tuple[str, ...]
    """What may not be as it was, for a person to look at."""


@dataclass(frozen=True, slots=True)
class NothingToKeep:
    """Why the file stays as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """A flow as it was at a ref and as it is."""

    project: Project
    old: Snapshot
    new: Snapshot
    flow: str
    ref: str
    changed_files: frozenset[str]
    """All that have changed since, absolute and without symbolic links."""


def plan_keeping(change: Change, new_number: int | None) -> Plan | NothingToKeep:
    """What is to be written; `new_number` is the version of the new body, None for the next one that is free.

    Raises `CannotRun` for a number that is not higher than those there are.
    """
    old, new, flow = change.old, change.new, change.flow
    number, number_now = (version(each.cls.by_name[flow]) for each in (old, new))
    kept = {version(each): each.name for each in new.cls.methods if kept_of(each) == flow}
    if number in kept:
        return NothingToKeep(f"version {number} of {new.cls.name}.{flow} is kept already, as {kept[number]}")
    members = Members(change.project, old, new)
    outside = OutsideNames(change.project, old, new, change.changed_files)
    if number == number_now and _is_unchanged(change, members, outside):
        return NothingToKeep(
            f"{new.cls.name}.{flow} does what it did at {change.ref}: nothing needs keeping; if flows under way run an "
            f"older body, name a commit that has it: --ref"
        )
    highest = max(number, *kept) if kept else number
    newest = max(highest + 1, number_now) if new_number is None else new_number
    if newest <= highest:
        raise CannotRun(f"--version {newest}: version {highest} is there, and the new body needs a higher number")
    older = tuple(name for name in kept.values() if members.is_unchanged(name))
    helpers, put_back = members.differing_helpers((flow, *older)), members.gone_steps((flow, *older))
    names = _names(old, flow, (*helpers, *put_back))
    reached = outside.led_to((*names, *_names(old, flow, members.reached((flow,)))))
    renamed = {name: _free(name, number, new, members) for name in helpers}
    return Plan(
        flow=flow,
        number=number,
        newest=newest,
        kept_as=_free(flow, number, new, members),
        renamed=renamed,
        copied=tuple(name for name in helpers if renamed[name] not in new.methods),
        older=older,
        put_back=put_back,
        imports=outside.missing_imports(names),
        remarks=(
            *_recorded_name(change),
            *members.remarks((flow, *helpers)),
            *members.changed_constants((flow, *helpers)),
            *outside.remarks(names),
            *outside.remarks(name for name in reached if name not in names and outside.is_changed(name)),
            *outside.remarks_on_bases(members.inherited((flow, *helpers))),
            *_other_flows(change, members, helpers),
        ),
    )


def _is_unchanged(change: Change, members: Members, outside: OutsideNames) -> bool:
    """Whether the flow, with the methods and functions of its file that it calls, says what it said."""
    old, new, flow = change.old, change.new, change.flow
    if shape_of_flow(old.methods[flow]) != shape_of_flow(new.methods[flow]):
        return False
    if members.differing_helpers((flow,)) or members.gone_steps((flow,)):
        return False
    if any(members.changed_constants((flow,))):
        return False
    return not any(map(outside.is_changed, outside.led_to(_names(old, flow, members.reached((flow,))))))


def _other_flows(change: Change, members: Members, helpers: Iterable[str]) -> Iterator[str]:
    """Flows of the class whose bodies changed with the same methods, and are not kept yet."""
    kept = {(kept_of(each), version(each)) for each in change.new.cls.methods}
    for method in change.new.cls.methods:
        before = change.old.cls.by_name.get(method.name)
        if method.kind is Kind.FLOW and not is_kept(method) and method.name != change.flow and before is not None:
            shared = [name for name in members.differing_helpers((method.name,)) if name in helpers]
            if before.kind is Kind.FLOW and shared and (method.name, version(before)) not in kept:
                command = f"persistc keep {change.new.cls.name}.{method.name}"
                yield f"flow {method.name} calls {shared[0]} too, which has changed: `{command}`"


def _names(old: Snapshot, flow: str, others: Iterable[str]) -> tuple[str, ...]:
    """The names from outside of the class that the kept code needs."""
    found = dict.fromkeys(names_used(old.methods[flow], decorated=False))
    for name in others:
        found |= dict.fromkeys(names_used(old.methods[name], decorated=True))
    return tuple(name for name in found if name != old.cls.name)


def _free(name: str, number: int, new: Snapshot, members: Members) -> str:
    """A name for what a method was: one that is free, or under which the same is there already."""
    taken = {*new.cls.scope.by_name, *(each.name for each in new.cls.attributes)}
    found = f"{name}_v{number}"
    while found in taken and not members.is_what_it_was(found, name):
        found += "_"
    return found


def _recorded_name(change: Change) -> Iterator[str]:
    written = [flow_option(each.cls.by_name[change.flow], "name") for each in (change.old, change.new)]
    own = f"{change.new.cls.name}.{change.flow}"
    old, new = (own if each is None else each.text for each in written)
    if old != new:
        yield f"flows under way are recorded as {old}, new ones as {new}: give `@flow` the `name=` it had"
