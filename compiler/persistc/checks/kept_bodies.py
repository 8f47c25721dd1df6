"""Kept bodies: each belongs to a flow that stands above it in the same class, under an older number of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from persistc.checks.flow_class import FlowClass
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Attribute, Name
from persistc.model import Kind, Method, Text
from persistc.versions import flow_option, has_readable_version, is_kept, kept_of, version


def check_kept_bodies(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """PST016 for kept bodies without their flow, PST017 for their numbers."""
    kept: dict[str, list[Method]] = {}
    for method in flow_class.own_marked:
        of = flow_option(method, "of")
        if of is None or not isinstance(of.expression, Name | Attribute):
            continue
        why = _why_not(flow_class, method, of)
        if why is None:
            kept.setdefault(of.text, []).append(method)
        else:
            yield Diagnostic(
                code=Code.KEPT_BODY_WITHOUT_FLOW,
                message=f"`{method.name}` is marked as a kept body of `{of.text}`, which is {why.what}",
                file=flow_class.module.file,
                span=of.span,
                label=why.label,
                help=why.remedy,
                notes=why.notes,
            )
    for name, bodies in kept.items():
        flow = flow_class.cls.by_name[name]
        if has_readable_version(flow):
            yield from _numbers(flow_class.module.file, flow, bodies)


@dataclass(frozen=True, slots=True)
class _Why:
    """Why what `of=` names is no flow of which a body could be kept."""

    what: str
    label: str
    remedy: str
    notes: tuple[Note, ...] = ()


def _why_not(flow_class: FlowClass, method: Method, of: Text) -> _Why | None:
    cls, file = flow_class.cls, flow_class.module.file
    last = of.text.rpartition(".")[2]
    flows = [each.name for each in flow_class.own_marked if each.kind is Kind.FLOW and not is_kept(each)]
    below = f"put `{method.name}` below it"
    instead = _instead(method, last, flows)
    target = cls.by_name.get(of.text)
    inherited = flow_class.members.get(last)
    if target is None and inherited is not None and inherited.owner is not cls:
        base = inherited.owner.name
        remedy = f"keep the body in `{base}`, or override `{last}` here and {below}"
        note = Note(inherited.module.file, inherited.method.span, "defined here")
        return _Why(f"defined in the base class `{base}`", f"not defined in `{cls.name}` itself", remedy, (note,))
    if target is None:
        return _Why(f"no flow of `{cls.name}`", "the bare name of a flow of this class belongs here", instead)
    if target is method:
        return _Why("the kept body itself", "names itself", instead)
    notes = (Note(file, target.span, "defined here"),)
    if target.kind is not Kind.FLOW:
        word = "method without a mark" if target.kind is Kind.OTHER else target.kind.value
        return _Why(f"a {word}", "only flows have versions", instead, notes)
    if is_kept(target):
        newest = kept_of(target)
        remedy = f"name the flow itself: `of={newest}`" if newest in flows else instead
        return _Why("a kept body itself", "no flow that could be started", remedy, notes)
    if target.span > method.span:
        return _Why("defined further down", "not known yet when Python reads this line", below, notes)
    return None


def _instead(method: Method, name: str, flows: list[str]) -> str:
    if not flows:
        return f"define the flow above `{method.name}`, in the same class, or remove `of=`"
    near = get_close_matches(name, flows, 1)
    return f"did you mean `of={near[0]}`?" if near else f"name a flow of this class, defined above: `of={flows[0]}`"


def _numbers(file: str, flow: Method, kept: list[Method]) -> Iterator[Diagnostic]:
    newest = version(flow)
    numbered: dict[int, Method] = {}
    for method in kept:
        written = flow_option(method, "version")
        if written is None and method.mark is not None:
            yield Diagnostic(
                code=Code.VERSION_NUMBERS,
                message=f"kept body `{method.name}` does not say which version of flow `{flow.name}` it is",
                file=file,
                span=method.mark.span,
                label="no `version=`",
                help=f"write the number its flows started under: `version={max(newest - 1, 1)}, of={flow.name}`",
            )
        if written is None or not has_readable_version(method):
            continue
        number = version(method)
        if number >= newest:
            yield _not_older(file, flow, method, written, max(version(each) for each in kept) + 1)
        elif number in numbered:
            yield Diagnostic(
                code=Code.VERSION_NUMBERS,
                message=f"version {number} of flow `{flow.name}` is kept twice",
                file=file,
                span=written.span,
                label="flows of this version could run one of the two only",
                help="delete one of the two, or give this one the number its flows started under",
                notes=(Note(file, numbered[number].span, "kept here"),),
            )
        numbered.setdefault(number, method)


def _not_older(file: str, flow: Method, method: Method, written: Text, free: int) -> Diagnostic:
    says = f"is version {version(flow)}" if flow_option(flow, "version") is not None else "says no version, so it is 1"
    return Diagnostic(
        code=Code.VERSION_NUMBERS,
        message=f"kept body `{method.name}` is version {version(method)}, and flow `{flow.name}` itself {says}",
        file=file,
        span=written.span,
        label="a kept body is older than its flow",
        help=f"give the flow the highest number: `@flow(version={free})` above `{flow.name}`",
        notes=(Note(file, flow.span, "the newest body"),),
    )
