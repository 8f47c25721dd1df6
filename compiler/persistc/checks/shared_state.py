"""What all runs of a flow share, the one proxy object and the names of modules: flow code neither changes it nor reads
what is changed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persistc.checks.assignments import PRIMITIVES
from persistc.checks.flow_class import FlowClass, described
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.kept_names import changes_of, is_certain, widening
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Attribute, Call, Expression, Name, dotted
from persistc.kept_state import Change
from persistc.model import Kind, Module
from persistc.spans import Span


def check_shared_state(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST205 for attributes and module names that flow code changes, or reads while others change them."""
    in_flows = {f"{body.module.name}:{_function(body)}" for body in bodies}
    for body in bodies:
        if body.module.interface_only:
            continue
        changed: set[str] = set()
        for change in flow_class.project.states[body.module.name].changes:
            if change.function == _function(body) and _is_within(change.span, body):
                origins = _origins_of_change(flow_class, body, change)
                if origins and is_certain(flow_class.project, change, origins):
                    changed.update(origins)
                    yield _written(flow_class, body, change, origins)
        yield from _reads(flow_class, body, changed, in_flows)


def _function(body: FlowBody) -> str:
    return f"{body.owner.name}.{body.method.name}"


def _is_within(span: Span, body: FlowBody) -> bool:
    """Whether a place is in this very method: a property and its setter have one name."""
    statements = body.method.body
    return bool(statements) and statements[0].span.start <= span.start <= statements[-1].span.end


def _origins_of_change(flow_class: FlowClass, body: FlowBody, change: Change) -> tuple[str, ...]:
    """What a change in flow code changes: of an attribute, one name for each class that may have it."""
    first, _, rest = change.path.partition(".")
    if first == body.owner.name and rest:
        member = flow_class.members.get(rest)
        is_replaced = member is not None and member.method.kind is not Kind.OTHER
        if is_replaced or _keeps_primitive(flow_class, body, change):
            return ()  # of which PST029 and PST030 tell
        return tuple(f"{cls.qualified}.{rest}" for cls, _ in flow_class.lineage)
    origin = body.module.origin(change.path)
    return () if origin is None else (flow_class.project.canonical(origin),)


def _keeps_primitive(flow_class: FlowClass, body: FlowBody, change: Change) -> bool:
    return any(
        attribute.span == change.span
        and attribute.value is not None
        and isinstance(attribute.value.expression, Call)
        and flow_class.project.origin_of(attribute.value.expression.function, body.module) in PRIMITIVES
        for attribute in body.owner.attributes
    )


# --- changes in flow code ---------------------------------------------------------------------------------------------


def _written(flow_class: FlowClass, body: FlowBody, change: Change, origins: Sequence[str]) -> Diagnostic:
    shown = _shown(body, change.path)
    made = _made(flow_class, origins, change)
    last = shown.rpartition(".")[2]
    local = f", `{last.lower() if last.isupper() else last}`," if last != "*" else ""
    return Diagnostic(
        code=Code.SHARED_STATE,
        message=f"{described(body.method)} changes `{shown}`, which all runs share",
        file=body.module.file,
        span=change.span,
        label="done again by every replay, and seen by other runs",
        help=f"keep it in a local variable{local} and pass it on; what must outlive the run is written in a step",
        notes=() if made is None else (made,),
    )


def _shown(body: FlowBody, path: str) -> str:
    first, _, rest = path.partition(".")
    return f"{body.self_name}.{rest}" if first == body.owner.name and rest else path


def _made(flow_class: FlowClass, origins: Sequence[str], change: Change) -> Note | None:
    """Where what is changed is made: an attribute of the class, a name at the top of a module."""
    for origin in origins:
        for cls, module in flow_class.lineage:
            if origin.startswith(f"{cls.qualified}."):
                name = origin.removeprefix(f"{cls.qualified}.").partition(".")[0]
                for attribute in cls.attributes:
                    if attribute.name == name and attribute.method in {None, "__init__"}:
                        return _unless_the_same(change, Note(module.file, attribute.span, "made once, for all runs"))
        found = flow_class.project.binding(origin)
        if found is not None:
            return _unless_the_same(change, Note(found[1].file, found[0].span, "made once, for all runs"))
    return None


def _unless_the_same(change: Change, note: Note) -> Note | None:
    return None if note.span == change.span else note


# --- reads in flow code -----------------------------------------------------------------------------------------------


def _reads(flow_class: FlowClass, body: FlowBody, changed: set[str], in_flows: set[str]) -> Iterator[Diagnostic]:
    """The first read of each thing that is changed elsewhere."""
    seen: set[str] = set(changed)
    for located in body.nodes:
        if not isinstance(located.node, Name | Attribute) or not _is_whole(located):
            continue
        for origin in _origins_read(flow_class, body, located.node):
            if origin in seen:
                continue
            seen.add(origin)
            changes = [
                (change, module)
                for change, module in changes_of(flow_class.project, origin)
                if not change.at_setup
                and f"{module.name}:{change.function}" not in in_flows
                and not (change.rebinds and _is_imported(body, located.node, origin))
                and is_certain(flow_class.project, change, tuple(_same(flow_class, origin)))
            ]
            if changes:
                seen.update(_origins_read(flow_class, body, located.node))
                yield _read(body, located.node, origin, changes)
                break


def _is_imported(body: FlowBody, expression: Expression, origin: str) -> bool:
    """Whether the name itself was imported, `from settings import LIMIT`: it keeps what it stood for then."""
    while isinstance(expression, Attribute):
        expression = expression.value
    return body.origin(expression) == origin and not origin.startswith(f"{body.module.name}.")


def _same(flow_class: FlowClass, origin: str) -> Iterator[str]:
    """The attribute under the name of every class of the line: a base may make what a subclass changes."""
    yield origin
    for cls, _ in flow_class.lineage:
        if origin.startswith(f"{cls.qualified}."):
            rest = origin.removeprefix(f"{cls.qualified}.")
            yield from (f"{other.qualified}.{rest}" for other, _ in flow_class.lineage)


def _is_whole(located: Located) -> bool:
    """Whether the name goes no further: of `self.a.b` the whole is asked about, once."""
    return not (isinstance(located.parent, Attribute) and located.parent.value is located.node)


def _origins_read(flow_class: FlowClass, body: FlowBody, expression: Expression) -> Iterator[str]:
    """What a dotted name in flow code reads, and what that is part of, the widest first."""
    written = dotted(expression)
    if written is None:
        return
    first, _, rest = written.partition(".")
    if first == body.self_name and rest:
        for cls, _ in flow_class.lineage:
            yield from widening(cls.qualified, rest)
        return
    origin = body.origin(expression)
    home = flow_class.project.home(origin) if origin is not None else None
    if home is not None:
        yield from widening(home[0].name, home[1])


def _read(body: FlowBody, expression: Expression, origin: str, changes: Sequence[tuple[Change, Module]]) -> Diagnostic:
    shown = _shown_read(body, expression, origin)
    changer = changes[0][0].function.rpartition(".")[2]
    return Diagnostic(
        code=Code.SHARED_STATE,
        message=f"{described(body.method)} reads `{shown}`, which `{changer}` changes",
        file=body.module.file,
        span=expression.span,
        label="may be another value when the flow is replayed",
        help="read it in a step, whose result is recorded, or hand it to the flow as an argument",
        notes=tuple(Note(module.file, change.span, "changed here") for change, module in changes[:2]),
    )


def _shown_read(body: FlowBody, expression: Expression, origin: str) -> str:
    """As much of what is written as is changed: `self.cache` of `self.cache.size`."""
    written = dotted(expression) or ""
    last = origin.rpartition(".")[2]
    parts = written.split(".")
    return ".".join(parts[: parts.index(last) + 1]) if last in parts else written
