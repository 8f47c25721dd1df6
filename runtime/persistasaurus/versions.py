"""The bodies of a flow: its own, which is the newest version, and kept ones for flows that were started on them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from persistasaurus.errors import DuplicateFlow, IncompatibleChange
from persistasaurus.records import FlowRow

if TYPE_CHECKING:
    from persistasaurus.flow_classes import Method


def bodies_by_version(methods: Iterable[Method]) -> dict[str, dict[int, Method]]:
    """The bodies of each flow of a class, by its name and by their version.

    Args:
        methods: Of one flow class, kept bodies among them.

    Raises:
        DuplicateFlow: Two bodies of a flow have one version.
        TypeError: A kept body is of no flow of the class, or not older than the flow's own.
    """
    methods = list(methods)
    flows = {each.name: each for each in methods if each.kind == "flow" and each.kept_for is None}
    bodies = {name: {each.version: each} for name, each in flows.items()}
    for kept in methods:
        if kept.kept_for is None:
            continue
        newest = flows.get(kept.kept_for)
        if newest is None:
            raise TypeError(
                f"{kept.class_name}.{kept.name} ({kept.where}) is kept as a body of {kept.kept_for}, which is no flow "
                f"of {kept.class_name}: name one of its flows, @flow(version={kept.version}, of=...)"
            )
        same = bodies[newest.name].setdefault(kept.version, kept)
        if same is not kept:
            raise DuplicateFlow(
                f"{newest.class_name}.{newest.name} has two bodies of version {kept.version}: {same.name} "
                f"({same.where}) and {kept.name} ({kept.where}); give one of them another number"
            )
        if kept.version > newest.version:
            raise TypeError(
                f"{kept.class_name}.{kept.name} ({kept.where}) is kept as version {kept.version} of {newest.name} "
                f"({newest.where}), which is itself version {newest.version}: a kept body is older; "
                f"write @flow(version={kept.version + 1}) above {newest.name}"
            )
    return bodies


def body_is_missing(flow: FlowRow, newest: Method, versions: Collection[int]) -> IncompatibleChange:
    """What parks a flow that was started on a version of which there is no body.

    Args:
        flow: The flow's row.
        newest: The flow's own body.
        versions: The versions there are.
    """
    there = ", ".join(map(str, sorted(versions)))
    if flow.version < newest.version:
        remedy = (
            f"Put its body back, as @flow(version={flow.version}, of={newest.name}): "
            f"`persistc keep {newest.class_name}.{newest.name}` takes it from git"
        )
    else:
        remedy = "It was started by newer code: deploy that again"
    return IncompatibleChange(
        f"flow {flow.flow_id}: it was started on version {flow.version} of {flow.name}, of which this code has no "
        f"body; it has {'version' if len(versions) == 1 else 'versions'} {there} ({newest.where}). {remedy}"
    )
