"""Names that outlive a call, by origin: what changes them, and whether they hold containers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from persistc.kept_state import Change
from persistc.model import Module
from persistc.project import Project


def is_certain(project: Project, change: Change, origins: Iterable[str]) -> bool:
    """Whether it changes anything for certain: `add` and `update` are also what objects of the user's own do."""
    return change.mutator is None or any(holds_container(project, origin) for origin in origins)


def holds_container(project: Project, origin: str) -> bool:
    home = project.home(origin)
    return home is not None and home[1] in project.states[home[0].name].containers


def widening(owner: str, rest: str) -> Iterator[str]:
    """What a dotted name below an owner stands for and what that is part of, the widest first."""
    parts = rest.split(".")
    yield from (f"{owner}.{'.'.join(parts[: number + 1])}" for number in range(len(parts)))


def changes_of(project: Project, origin: str) -> Iterator[tuple[Change, Module]]:
    """Where something is changed: in the modules read fully, and in its own."""
    yield from project.changes.get(origin, ())
    home = project.home(origin)
    if home is not None and home[0].interface_only:
        module, rest = home
        yield from ((change, module) for change in project.states[module.name].changes if change.path == rest)
