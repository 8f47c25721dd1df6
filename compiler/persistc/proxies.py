"""From the model to what the templates fill in: for each flow class its proxy and its flow instance."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from persistc.carried_names import CarriedNames
from persistc.checks.flow_class import FlowClass
from persistc.docstrings import docstring_lines
from persistc.error_table import error_table
from persistc.expression_text import expression_text
from persistc.flow_graph.lines import Line
from persistc.flow_tree import Constant, Display, Expression, Unary
from persistc.import_lines import ImportLine, import_block
from persistc.model import Class, Kind, Method, Module, Parameter, ParameterKind
from persistc.outline import outline
from persistc.project import Owned, Project
from persistc.stored_types import is_declared_storable
from persistc.versions import FIRST, is_kept, kept_of, version

RUNTIME = ImportLine("persistasaurus.generated", None, "_p")
FINAL = ImportLine("typing", "final")
"""The runtime refuses a class derived from a proxy: what it overrides would not be recorded."""
NOTE_COLUMN = 44
"""Notes of an outline stand in a column, as long as the steps' names leave room for it."""


@dataclass(frozen=True, slots=True)
class Override:
    """One flow, step or signal of a proxy."""

    name: str
    keyword: str
    """`def` or `async def`."""
    verb: str
    """The runtime's function for it: `step`, `plain_step`."""
    awaited: str
    """`await ` or nothing."""
    parameters: str
    returns: str
    arguments: str
    """What follows the bound method: `, user_name, email`."""
    comment: tuple[str, ...]
    """What stands above a flow: its name, its version where it has several, and its outline."""


@dataclass(frozen=True, slots=True)
class InstanceMember:
    """One flow or signal of a flow instance."""

    name: str
    maker: str
    """`flow_method` or `signal_method`."""
    docstring: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProxyClass:
    """A flow class with all that is generated for it."""

    flow_class: str
    proxy: str
    instance: str
    raises: tuple[str, ...]
    overrides: tuple[Override, ...]
    members: tuple[InstanceMember, ...]


@dataclass(frozen=True, slots=True)
class ProxyModule:
    """What one generated file says."""

    imports: tuple[tuple[str, ...], ...]
    """Import statements, section by section."""
    uses_private_names: bool
    classes: tuple[ProxyClass, ...]
    stored: tuple[str, ...]
    """The distinct types that are stored, in the order they first occur."""


def proxied_classes(project: Project, module: Module) -> tuple[Class, ...]:
    """The flow classes of a module that get a proxy: those that are not abstract."""
    return tuple(cls for cls in project.flow_classes(module) if not project.is_abstract(cls, module))


def proxy_name(cls: Class) -> str:
    """The name of the class that is generated for a flow class."""
    return f"Durable{cls.name}"


def instance_name(cls: Class) -> str:
    """The name of its flow instances' class."""
    return f"{cls.name}Instance"


def proxy_module(project: Project, module: Module) -> ProxyModule:
    """What `flows_durable.py` says."""
    return _Composer(project, module, is_stub=False).compose()


def stub_module(project: Project, module: Module) -> ProxyModule:
    """What `flows_durable.pyi` says: no defaults but plain ones, no errors, no outlines."""
    return _Composer(project, module, is_stub=True).compose()


class _Composer:
    def __init__(self, project: Project, module: Module, *, is_stub: bool) -> None:
        self._project = project
        self._module = module
        self._is_stub = is_stub
        self._classes = proxied_classes(project, module)
        made = {name for cls in self._classes for name in (proxy_name(cls), instance_name(cls))}
        taken = {"_p", "_Stored", "final"} | made
        self._names = CarriedNames(project, module, frozenset(taken))
        self._stored: dict[str, None] = {}

    def compose(self) -> ProxyModule:
        classes = tuple(self._class(cls) for cls in self._classes)
        lines = self._names.lines
        return ProxyModule(
            imports=import_block([RUNTIME, *([FINAL] if self._is_stub else []), *lines]),
            uses_private_names=any((line.name or "").startswith("_") and line.of_project for line in lines),
            classes=classes,
            stored=tuple(self._stored),
        )

    def _class(self, cls: Class) -> ProxyClass:
        flow_class = FlowClass(self._project, self._module, cls)
        members = flow_class.members
        marked = [owned for owned in members.values() if owned.method.kind is not Kind.OTHER]
        base = self._names.defined(cls.name, self._module)
        told = [*members.values(), *self._overridden(cls, members)]
        raises = () if self._is_stub else error_table(told, self._project)
        return ProxyClass(
            flow_class=base,
            proxy=proxy_name(cls),
            instance=instance_name(cls),
            raises=tuple(self._names.text(each.expression, each.module, each.owner) for each in raises),
            overrides=tuple(self._override(owned, flow_class) for owned in marked),
            members=tuple(_instance_member(owned.method) for owned in marked if _is_offered(owned.method)),
        )

    def _overridden(self, cls: Class, members: Mapping[str, Owned]) -> Iterator[Owned]:
        """The inherited flow code that the class overrides, and may call through `super()`."""
        for owner, home in self._project.lineage(cls, self._module):
            for method in owner.by_name.values():
                if method.kind in {Kind.FLOW, Kind.OTHER} and members[method.name].method is not method:
                    yield Owned(method, owner, home)

    def _override(self, owned: Owned, flow_class: FlowClass) -> Override:
        method = owned.method
        is_told = method.kind is Kind.FLOW and not self._is_stub
        return Override(
            name=method.name,
            keyword="async def" if method.is_async else "def",
            verb=method.kind.value if method.is_async else f"plain_{method.kind.value}",
            awaited="await " if method.is_async else "",
            parameters=", ".join(self._parameters(owned)),
            returns=self._type(method.returns.expression, owned) if method.returns is not None else "None",
            arguments="".join(f", {argument}" for argument in _arguments(method.values)),
            comment=tuple(_comment(method, outline(flow_class, owned))) if is_told else (),
        )

    def _parameters(self, owned: Owned) -> Iterator[str]:
        parameters = owned.method.parameters
        yield from (each.name for each in parameters[:1])
        previous = ParameterKind.POSITIONAL_ONLY if parameters[:1] and _is_only(parameters[0]) else None
        for each in parameters[1:]:
            if previous is ParameterKind.POSITIONAL_ONLY and each.kind is not previous:
                yield "/"
            if each.kind is ParameterKind.KEYWORD_ONLY and previous not in {each.kind, ParameterKind.VARIADIC}:
                yield "*"
            previous = each.kind
            yield self._parameter(each, owned)
        if previous is ParameterKind.POSITIONAL_ONLY:
            yield "/"

    def _parameter(self, parameter: Parameter, owned: Owned) -> str:
        text = _STARS.get(parameter.kind, "") + parameter.name
        if parameter.annotation is not None:
            text += f": {self._type(parameter.annotation.expression, owned)}"
        if parameter.default is not None:
            equals = " = " if parameter.annotation is not None else "="
            text += f"{equals}{self._default(parameter.default.expression, owned)}"
        return text

    def _default(self, expression: Expression, owned: Owned) -> str:
        if not self._is_stub:
            return self._names.text(expression, owned.module, owned.owner)
        return expression_text(expression) if _is_plain(expression) else "..."

    def _type(self, expression: Expression, owned: Owned) -> str:
        text = self._names.text(expression, owned.module, owned.owner)
        if text != "None" and not is_declared_storable(expression, owned.module, self._project):
            self._stored[text] = None
        return text


_STARS = {ParameterKind.VARIADIC: "*", ParameterKind.VARIADIC_KEYWORD: "**"}


def _is_only(parameter: Parameter) -> bool:
    return parameter.kind is ParameterKind.POSITIONAL_ONLY


def _arguments(parameters: Sequence[Parameter]) -> Iterator[str]:
    """How an override hands its parameters on."""
    for each in parameters:
        if each.kind is ParameterKind.KEYWORD_ONLY:
            yield f"{each.name}={each.name}"
        else:
            yield _STARS.get(each.kind, "") + each.name


def _instance_member(method: Method) -> InstanceMember:
    maker = "flow_method" if method.kind is Kind.FLOW else "signal_method"
    return InstanceMember(method.name, maker, tuple(docstring_lines(method.docstring or "")))


def _is_plain(expression: Expression) -> bool:
    """Whether a stub shows a default: what reads at a glance and needs no name."""
    match expression:
        case Constant():
            return True
        case Unary(operator="-", value=Constant()):
            return True
        case Display(kind="tuple", items=items):
            return all(_is_plain(item) for item in items)
        case _:
            return False


def _is_offered(method: Method) -> bool:
    """Whether a flow instance has an attribute for it: no flow is started on a kept body."""
    return method.kind in {Kind.FLOW, Kind.SIGNAL} and not is_kept(method)


def _comment(flow: Method, lines: Sequence[Line]) -> Iterator[str]:
    of, number = kept_of(flow), version(flow)
    has_versions = of is not None or number > FIRST
    if lines or has_versions:
        yield f"flow {flow.name}{f', version {number}' if has_versions else ''}{f' of {of}' if of is not None else ''}"
    yield from (f"  {line}" for line in _outline_lines(lines))


def _outline_lines(lines: Iterable[Line]) -> Iterator[str]:
    """The lines of an outline with its notes in one column."""
    told = [("  " * line.depth + line.text, line.note) for line in lines]
    widths = [len(text) for text, note in told if note and len(text) < NOTE_COLUMN]
    column = max(widths, default=0) + 4
    for text, note in told:
        yield f"{text:<{column}}{note}" if note and len(text) < column else f"{text}    {note}".rstrip()
