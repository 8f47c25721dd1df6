"""The two trees that are compared: a commit, and the files as they are."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from persistc.cannot_run import CannotRun
from persistc.configuration import Configuration, read_configuration
from persistc.flow_changes.comparing import compare
from persistc.flow_changes.verdicts import FlowChange, Reason
from persistc.flow_graph.regions import Place
from persistc.git.trees import Checkout, write_tree
from persistc.reading import Reading
from persistc.sound_projects import sound_reading


def changes_since(ref: str, here: Path) -> tuple[FlowChange, ...]:
    """What has changed since a commit in the project that a folder belongs to.

    Raises:
        CannotRun: Git has no such commit, or one of the two trees is not one that flows could run from.
    """
    with tempfile.TemporaryDirectory(prefix="persistc-") as folder:
        checkout = write_tree(ref, here, Path(os.path.realpath(folder)))
        old = _reading_of(checkout, ref)
        new = sound_reading((), read_configuration(()))
        return tuple(_shown_from(change, checkout, ref) for change in compare(old, new))


def _reading_of(checkout: Checkout, ref: str) -> Reading:
    try:
        configuration = read_configuration((checkout.folder,))
        if not configuration.root.is_relative_to(checkout.root):
            configuration = Configuration(root=checkout.folder, source=(checkout.folder,))
        return sound_reading((), configuration)
    except CannotRun as error:
        said = str(error).replace(f"{checkout.root}{os.sep}", "").removesuffix("; `persistc check` shows all")
        raise CannotRun(f"`{ref}` does not compile, name a commit that does: {said}") from None


def _shown_from(change: FlowChange, checkout: Checkout, ref: str) -> FlowChange:
    """The change with the places of the commit named as git names them: `HEAD:flows.py:31`."""
    return replace(change, reasons=tuple(_of_ref(reason, checkout, ref) for reason in change.reasons))


def _of_ref(reason: Reason, checkout: Checkout, ref: str) -> Reason:
    prefix = f"{checkout.root}{os.sep}".replace(os.sep, "/")
    change = reason.change.replace(prefix, f"{ref}:")
    old = reason.old
    if old is not None and old.file.startswith(prefix):
        old = Place(f"{ref}:{old.file.removeprefix(prefix)}", old.span)
    return replace(reason, change=change, old=old)
