"""What an attribute of a class is declared to be: by its annotation, or by that of the parameter it is given."""

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.checks.flow_class import FlowClass
from persistc.flow_tree import Name
from persistc.model import Class, ClassAttribute, Module, Text


@dataclass(frozen=True, slots=True)
class Declaration:
    """One place that gives an attribute its type or value."""

    attribute: ClassAttribute
    owner: Class
    module: Module

    @property
    def type(self) -> Text | None:
        """Its annotation; where a method only keeps a parameter in it, that of the parameter."""
        if self.attribute.annotation is not None:
            return self.attribute.annotation
        given = self.attribute.value.expression if self.attribute.value is not None else None
        setter = self.owner.by_name.get(self.attribute.method or "")
        if not isinstance(given, Name) or setter is None:
            return None
        return next((each.annotation for each in setter.parameters if each.name == given.name), None)

    @property
    def value(self) -> Text | None:
        """What is assigned there."""
        return self.attribute.value


def declarations(flow_class: FlowClass, name: str) -> Iterator[Declaration]:
    """All of an attribute, those of the class itself before those of its bases."""
    for owner, module in flow_class.lineage:
        for attribute in owner.attributes:
            if attribute.name == name:
                yield Declaration(attribute, owner, module)
