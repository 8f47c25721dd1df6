"""Effects of methods whose objects only a type checker knows: its answers, read as things of the effects analysis."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from persistc.checks.effects import effects_of
from persistc.checks.effects.reasons import Source
from persistc.checks.effects.sources import is_only_handed_over, source_of
from persistc.checks.effects.things import OfPackage, OfProject, Thing
from persistc.checks.flow_class import flow_classes
from persistc.checks.flow_code import flow_code
from persistc.checks.typed_receivers import Receiver
from persistc.diagnostics import Code, Diagnostic, in_order
from persistc.project import Project
from persistc.spans import Span
from persistc.type_checking.questions import Answers
from persistc.type_checking.revealed import class_of, members

_RAISED: Final = ("Error", "Exception", "Warning")
_FILES: Final = frozenset({"BufferedRandom", "BufferedReader", "BufferedWriter", "TextIOWrapper"})
_FILE: Final = "typing.IO"
_IN_MEMORY: Final = "BytesIO"
"""What a file is that is none: `io.TextIOWrapper[io.BytesIO]`."""


def effects_of_receivers(
    project: Project, receivers: Sequence[Receiver], answers: Answers, found: Sequence[Diagnostic]
) -> Iterator[Diagnostic]:
    """What flow code does by methods of objects whose class was revealed.

    Args:
        project: The modules of the run.
        receivers: What was asked about.
        answers: The types of these.
        found: What was found without types, which is not found again.
    """
    told = {
        (each.path, each.expression.span): things
        for each in receivers
        if (things := tuple(_things(project, each, answers.get(_place(each), ()))))
    }
    if not told:
        return
    known = {(each.file, each.span, each.code) for each in found}
    check_effects = effects_of(project, told)
    reached = in_order(
        each
        for flow_class in flow_classes(project)
        for each in check_effects(flow_class, flow_code(flow_class))
        if (each.file, each.span, each.code) not in known
    )
    places = {(each.file, each.span, each.code) for each in (*found, *reached)}
    called = {(each.file, each.called): each for each in receivers}
    for each in reached:
        receiver = called.get((each.file, each.span)) if each.span is not None else None
        if receiver is None:
            yield each
        # What `sqlite3.connect(path)` gives acts again whatever is called on it: that was said where it was made.
        elif not any((each.file, span, each.code) in places for span in receiver.made_by):
            yield _with_type(each, receiver, answers.get(_place(receiver), ()))


def without_unseen(findings: Sequence[Diagnostic], effects: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Findings without "cannot see into this call" where types have shown an effect of the call."""
    shown = {(each.file, each.span) for each in effects if each.code is not Code.CANNOT_SEE_INTO_CALL}
    return tuple(
        each for each in findings if each.code is not Code.CANNOT_SEE_INTO_CALL or (each.file, each.span) not in shown
    )


def _place(receiver: Receiver) -> tuple[str, Span]:
    return os.path.normpath(receiver.path), receiver.expression.span


def _with_type(found: Diagnostic, receiver: Receiver, types: Sequence[str]) -> Diagnostic:
    """A finding that says how it is known; where project code is followed, its chain says it."""
    acting = (name for name in _classes(types) if _acting(name, receiver.method) is not None)
    if found.notes or (shown := next(acting, None)) is None:
        return found
    return replace(found, label=f"`{shown}`, says mypy: {found.label}")


def _things(project: Project, receiver: Receiver, types: Sequence[str]) -> Iterator[Thing]:
    """What an object may be, as far as its method may have an effect."""
    for name in _classes(types):
        if (on := _of_project(project, receiver.module, name)) is not None:
            yield on
        elif (origin := _acting(name, receiver.method)) is not None:
            yield OfPackage(origin)


def _classes(types: Sequence[str]) -> Iterator[str]:
    for member in (member for told in types for member in members(told)):
        if (name := class_of(member)) is not None and _IN_MEMORY not in member:
            yield name


def _of_project(project: Project, asking: str, name: str) -> OfProject | None:
    """The class of the project that mypy means: it names modules from where they are imported, as near as possible."""
    if name.partition(".")[0] in sys.stdlib_module_names:
        return None
    folder = asking
    folders = [".src"]
    while folder:
        folder = folder.rpartition(".")[0]
        folders.append(folder)
    found = (project.find_class(f"{folder}.{name}") for folder in sorted(folders, key=len, reverse=True))
    return next((OfProject(*each) for each in found if each is not None), None)


def _acting(name: str, method: str) -> str | None:
    """The name by which a class is known to act when this method is called."""
    *home, last = name.split(".")
    public = [part.lstrip("_") for part in home]
    if public[0] not in sys.stdlib_module_names:
        public[0] = home[0]
    if last.endswith(_RAISED) or hasattr(BaseException, method) or is_only_handed_over([*public, last, method]):
        return None
    if public == ["io"] and last in _FILES:
        return _FILE
    # Most packages define a class deeper than they offer it: `sqlalchemy.orm.session.Session`.
    origins = (".".join([*public[:length], last]) for length in range(len(public), 0, -1))
    return next((each for each in origins if isinstance(source_of(f"{each}.{method}", is_held=True), Source)), None)
