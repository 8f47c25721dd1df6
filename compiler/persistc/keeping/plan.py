"""What is kept of a flow: under which number and names, what comes along, and what a person must look at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from persistc.cannot_run import CannotRun
from persistc.keeping.code_shapes import names_used, shape_of_flow
from persistc.keeping.members import Members
from persistc.keeping.outside_names import OutsideNames
from persistc.keeping.snapshots import Snapshot
from persistc.model import Import
from persistc.project import Project
from persistc.versions import flow_option, kept_of, version


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
    """Methods without a mark that come along as they were, each with its name from now on."""
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


def plan_keeping(change: Change, new_number: int | None) -> Plan | NothingToKeep:
    """What is to be written; `new_number` is the version of the new body, None for the next one that is free.

    Raises `CannotRun` for a number that is not higher than those there are.
    """
    old, new, flow = change.old, change.new, change.flow
    number, number_now = (version(each.cls.by_name[flow]) for each in (old, new))
    kept = {version(each): each.name for each in new.cls.methods if kept_of(each) == flow}
    if number in kept:
        return NothingToKeep(f"version {number} of {new.cls.name}.{flow} is kept already, as {kept[number]}")
    members, outside = Members(change.project, old, new), OutsideNames(change.project, old, new)
    helpers, put_back = members.differing_helpers(flow), members.gone_steps(flow)
    names = _names(old, flow, (*helpers, *put_back))
    has_same_body = shape_of_flow(old.methods[flow]) == shape_of_flow(new.methods[flow])
    if has_same_body and number == number_now and not (helpers or put_back or any(map(outside.is_changed, names))):
        return NothingToKeep(
            f"{new.cls.name}.{flow} does what it did at {change.ref}: nothing needs keeping; if flows under way run an "
            f"older body, name a commit that has it: --ref"
        )
    highest = max(number, *kept) if kept else number
    newest = max(highest + 1, number_now) if new_number is None else new_number
    if newest <= highest:
        raise CannotRun(f"--version {newest}: version {highest} is there, and the new body needs a higher number")
    taken = {*new.cls.scope.by_name, *(each.name for each in new.cls.attributes)}
    return Plan(
        flow=flow,
        number=number,
        newest=newest,
        kept_as=_free(flow, number, taken),
        renamed={name: _free(name, number, taken) for name in helpers},
        put_back=put_back,
        imports=outside.missing_imports(names),
        remarks=(*_recorded_name(change), *members.remarks((flow, *helpers)), *outside.remarks(names)),
    )


def _names(old: Snapshot, flow: str, others: Iterable[str]) -> tuple[str, ...]:
    """The names from outside of the class that the kept code needs."""
    found = dict.fromkeys(names_used(old.methods[flow], decorated=False))
    for name in others:
        found |= dict.fromkeys(names_used(old.methods[name], decorated=True))
    return tuple(name for name in found if name != old.cls.name)


def _free(name: str, number: int, taken: set[str]) -> str:
    found = f"{name}_v{number}"
    while found in taken:
        found += "_"
    return found


def _recorded_name(change: Change) -> Iterator[str]:
    written = [flow_option(each.cls.by_name[change.flow], "name") for each in (change.old, change.new)]
    own = f"{change.new.cls.name}.{change.flow}"
    old, new = (own if each is None else each.text for each in written)
    if old != new:
        yield f"flows under way are recorded as {old}, new ones as {new}: give `@flow` the `name=` it had"
