"""What a flow class inherits: marks must be repeated, and proxies are the end of the line."""

from collections.abc import Iterator

from persistc.checks.flow_class import FlowClass, described
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.model import Kind, Method
from persistc.project import Owned


def check_inheritance(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """PST024 for overrides that lose a mark, PST032 for a class that derives from a proxy."""
    yield from _bases(flow_class)
    own = flow_class.cls.by_name
    for method in own.values():
        replaced = flow_class.overridden(method.name)
        if replaced is not None and replaced.method.kind is not method.kind:
            yield _lost(flow_class, method, replaced)
    for name, owned in flow_class.members.items():
        if name not in own and owned.method.kind is Kind.OTHER:
            replaced = flow_class.overridden(name)
            if replaced is not None and not _below(flow_class, owned, replaced):
                yield _hidden(flow_class, owned, replaced)


def _bases(flow_class: FlowClass) -> Iterator[Diagnostic]:
    for base in flow_class.cls.bases:
        module, _, name = (base.origin or "").rpartition(".")
        if module.endswith("_durable") and name.startswith("Durable"):
            yield Diagnostic(
                code=Code.SUBCLASS_OF_PROXY,
                message=f"flow class `{flow_class.cls.name}` derives from the proxy `{name}`",
                file=flow_class.module.file,
                span=base.text.span,
                label="what is overridden below this class is not logged",
                help=f"derive from the flow class `{name.removeprefix('Durable')}`: it gets a proxy of its own",
            )


def _below(flow_class: FlowClass, owned: Owned, replaced: Owned) -> bool:
    """Whether the override derives from what it overrides: then it is reported at that class already."""
    line = flow_class.project.lineage(owned.owner, owned.module)
    return any(cls.qualified == replaced.owner.qualified for cls, _ in line)


def _lost(flow_class: FlowClass, method: Method, replaced: Owned) -> Diagnostic:
    kind = replaced.method.kind
    if method.kind is Kind.OTHER:
        message = f"`{method.name}` overrides a {kind} and is not marked: calls of it would silently not be durable"
        label = f"a {kind} in `{replaced.owner.name}`, not here"
        remedy = f"write `@{kind}` above it, or give it another name if it is meant to be no {kind}"
    else:
        message = f"{described(method)} overrides a {kind}"
        label = f"a {kind} in `{replaced.owner.name}`, a {method.kind} here"
        remedy = f"mark it `@{kind}`, or give it another name"
    return Diagnostic(
        code=Code.OVERRIDE_WITHOUT_MARK,
        message=message,
        file=flow_class.module.file,
        span=method.span,
        label=label,
        help=remedy,
        notes=(Note(replaced.module.file, replaced.method.span, f"the {kind} it overrides"),),
    )


def _hidden(flow_class: FlowClass, owned: Owned, replaced: Owned) -> Diagnostic:
    cls, kind, name = flow_class.cls, replaced.method.kind, replaced.method.name
    return Diagnostic(
        code=Code.OVERRIDE_WITHOUT_MARK,
        message=f"in `{cls.name}`, `{owned.owner.name}.{name}` hides the {kind} `{replaced.owner.name}.{name}`",
        file=flow_class.module.file,
        span=cls.span,
        label=f"gets its `{name}` from `{owned.owner.name}`, where it is not marked",
        help=f"put `{replaced.owner.name}` before `{owned.owner.name}` in the bases, or mark that method `@{kind}`",
        notes=(
            Note(owned.module.file, owned.method.span, "found first, and not durable"),
            Note(replaced.module.file, replaced.method.span, f"the {kind} it hides"),
        ),
    )
