"""Which method an attribute in flow code names, and by the name of which class its calls are recorded."""

from __future__ import annotations

from dataclasses import dataclass

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody
from persistc.checks.references import Through, named
from persistc.flow_tree import Attribute
from persistc.model import Kind
from persistc.project import Owned


@dataclass(frozen=True, slots=True)
class Member:
    """A method of a flow class."""

    owned: Owned
    class_name: str
    """The flow class by whose name its calls are recorded."""
    is_own: bool
    """Of the class the flow runs in, not of another proxy."""


def member_of(flow_class: FlowClass, body: FlowBody, attribute: Attribute) -> Member | None:
    """The method an attribute names, if it is one of a flow class that can be known and leaves calls in the log."""
    found = named(flow_class, body, attribute)
    if found is None:
        return None
    is_marked = found.owned.method.kind is not Kind.OTHER
    match found.through:
        case Through.SELF | Through.SUPER:
            return Member(found.owned, flow_class.cls.name, True)
        case Through.CLASS if not is_marked and found.on.qualified in {cls.qualified for cls, _ in flow_class.lineage}:
            return Member(found.owned, flow_class.cls.name, True)
        case Through.PROXY if is_marked:
            return Member(found.owned, found.on.name, False)
        case _:
            return None
