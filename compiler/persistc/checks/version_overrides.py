"""Flows with versions in subclasses: an override brings the bodies of all its versions.

A flow under way finds its body by the flow's name and the number of its version. Where one class has the newest body
and another the kept ones, it could go on in a body it never ran.
"""

from __future__ import annotations

from collections.abc import Iterator

from persistc.checks.flow_class import FlowClass
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.model import Kind, Method
from persistc.project import Owned
from persistc.versions import has_readable_version, is_kept, kept_of, version


def check_version_overrides(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """PST018 for overrides that lower a version, make something else of it, or leave a kept body of another class."""
    for method in flow_class.own_marked:
        replaced = flow_class.overridden(method.name)
        if replaced is not None and method.kind is replaced.method.kind is Kind.FLOW:
            yield from _override(flow_class, method, replaced)
    for owned in flow_class.members.values():
        yield from _of_another_class(flow_class, owned)


def _override(flow_class: FlowClass, method: Method, replaced: Owned) -> Iterator[Diagnostic]:
    if replaced.method.is_abstract or not has_readable_version(method):
        return  # an abstract flow has no body, so no flow ever ran it
    here, there = _said(method), _said(replaced.method)
    owner, number = replaced.owner.name, version(replaced.method)
    if is_kept(method) or is_kept(replaced.method):
        if here == there:
            return
        message = f"`{method.name}` is {here}, and overrides {there}"
        label = f"{there} in `{owner}`"
        remedy = "give it a name of its own, or say the same `version=` and `of=`"
    elif version(method) < number:
        message = f"{here} overrides version {number} of it"
        label = f"flows of `{flow_class.cls.name}` that started on version {number} would find no body"
        remedy = f"write `@flow(version={number})`, or a higher number if this body does not fit flows under way"
    else:
        return
    yield Diagnostic(
        code=Code.OVERRIDE_OF_VERSIONS,
        message=message,
        file=flow_class.module.file,
        span=method.span,
        label=label,
        help=remedy,
        notes=(Note(replaced.module.file, replaced.method.span, "what it overrides"),),
    )


def _said(flow: Method) -> str:
    return f"version {version(flow)} of flow `{kept_of(flow) or flow.name}`"


def _of_another_class(flow_class: FlowClass, kept: Owned) -> Iterator[Diagnostic]:
    """A kept body of one class beside the flow of another."""
    name = kept_of(kept.method)
    flow = flow_class.members.get(name or "")
    if flow is None or flow.method.kind is not Kind.FLOW or flow.owner is kept.owner:
        return
    if _derives(flow_class, kept, flow) or (flow.owner is not flow_class.cls and _derives(flow_class, flow, kept)):
        return  # told at the class of that method
    cls, number, is_own = flow_class.cls, version(kept.method), flow.owner is flow_class.cls
    told = f"overrides flow `{name}`, and takes" if is_own else f"takes flow `{name}` from `{flow.owner.name}`, and"
    yield Diagnostic(
        code=Code.OVERRIDE_OF_VERSIONS,
        message=f"`{cls.name}` {told} version {number} of it from `{kept.owner.name}`",
        file=flow_class.module.file,
        span=flow.method.span if is_own else cls.span,
        label=f"flows on version {number} would go on in a body of `{kept.owner.name}`",
        help=_overridden_too(flow_class, kept, name or "") if is_own else _from_one_class(flow, kept),
        notes=(Note(kept.module.file, kept.method.span, f"version {number}"),),
    )


def _overridden_too(flow_class: FlowClass, kept: Owned, flow: str) -> str:
    method = kept.method
    definition, awaited = ("async def", "await ") if method.is_async else ("def", "")
    return (
        f"keep here what flows of `{flow_class.cls.name}` ran, which may have been the inherited body:\n\n"
        f"@flow(version={version(method)}, of={flow})\n{definition} {method.name}(self, ...):\n"
        f"    return {awaited}super().{method.name}(...)"
    )


def _from_one_class(flow: Owned, kept: Owned) -> str:
    return (
        f"put `{kept.owner.name}` before `{flow.owner.name}` in the bases, or override the flow with all its versions"
    )


def _derives(flow_class: FlowClass, one: Owned, other: Owned) -> bool:
    """Whether the class of one method derives from that of the other."""
    line = flow_class.project.lineage(one.owner, one.module)
    return any(cls.qualified == other.owner.qualified for cls, _ in line)
