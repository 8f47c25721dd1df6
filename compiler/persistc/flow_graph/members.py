"""Which method an attribute in flow code names: of the class, of a base by `super()`, of the proxy of another class."""

from __future__ import annotations

from dataclasses import dataclass

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, above, is_super
from persistc.flow_tree import Attribute, Expression, Name, dotted, walk
from persistc.model import Kind, Module
from persistc.project import Owned
from persistc.sources import OUTPUT_SUFFIX


@dataclass(frozen=True, slots=True)
class Member:
    """A method of a flow class."""

    owned: Owned
    class_name: str
    """The flow class by whose name its calls are recorded."""
    is_own: bool
    """Of the class the flow runs in, not of another proxy."""


def member_of(flow_class: FlowClass, body: FlowBody, attribute: Attribute) -> Member | None:
    """The method an attribute names, if it is one of a flow class that can be known."""
    owned = None
    if body.is_self(attribute.value):
        owned = flow_class.members.get(attribute.name)
    elif is_super(attribute.value):
        owned = above(flow_class, body.owner, attribute.name)
    elif isinstance(attribute.value, Attribute) and body.is_self(attribute.value.value):
        return _of_proxy(flow_class, attribute.value.name, attribute.name)
    return None if owned is None else Member(owned, flow_class.cls.name, True)


def is_proxy(flow_class: FlowClass, body: FlowBody, attribute: Attribute) -> bool:
    """Whether an attribute holds the proxy of another flow class."""
    return body.is_self(attribute.value) and proxied(flow_class, attribute.name) is not None


def _of_proxy(flow_class: FlowClass, held: str, name: str) -> Member | None:
    found = proxied(flow_class, held)
    if found is None:
        return None
    cls, module = found.cls, found.module
    owned = found.project.members(cls, module).get(name)
    return Member(owned, cls.name, False) if owned is not None and owned.method.kind is not Kind.OTHER else None


def proxied(flow_class: FlowClass, held: str) -> FlowClass | None:
    """The flow class whose proxy `self.held` is declared to be."""
    for owner, module in flow_class.lineage:
        for attribute in owner.attributes:
            if attribute.name != held:
                continue
            declared = attribute.annotation
            given = attribute.value.expression if attribute.value is not None else None
            setter = owner.by_name.get(attribute.method or "")
            if declared is None and isinstance(given, Name) and setter is not None:
                declared = next((each.annotation for each in setter.parameters if each.name == given.name), None)
            if declared is not None and (found := _flow_class_of(flow_class, declared.expression, module)) is not None:
                return found
    return None


def _flow_class_of(flow_class: FlowClass, annotation: Expression, module: Module) -> FlowClass | None:
    """The class behind `DurableBilling`, found by the names of the generated module, which need not be there."""
    for node in walk(annotation):
        origin = module.origin_of(node) if isinstance(node, Name | Attribute) and dotted(node) else None
        home, _, name = (origin or "").rpartition(".")
        if name.startswith("Durable") and home.endswith(OUTPUT_SUFFIX):
            project, source = flow_class.project, home.removesuffix(OUTPUT_SUFFIX)
            # An import of a module that has not been generated yet leads nowhere: it stands there as it is written.
            names = [source, *(each.name for each in project.modules.values() if each.import_name == source)]
            for target in names:
                if (found := project.find_class(f"{target}.{name.removeprefix('Durable')}")) is not None:
                    return FlowClass(project, found[1], found[0])
    return None
