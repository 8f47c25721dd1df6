"""Which names of a project are loggers, whose lines are for people: told by where they come from, not by their name."""

from __future__ import annotations

from dataclasses import dataclass

from persistc.flow_tree import Attribute, Call, Expression, Name, dotted
from persistc.model import Class, ClassAttribute, Module
from persistc.project import Project


@dataclass(frozen=True)
class Loggers:
    """Looks into one project."""

    project: Project

    def is_logger(self, origin: str | None) -> bool:
        """Whether an origin is a logger, or what makes one: of a library for logging, or made by one."""
        if origin is None:
            return False
        if not origin.startswith("."):
            return "log" in origin.lower()
        if (function := self.project.functions.get(origin)) is not None:
            home = self.project.home(origin)
            returns = function.returns
            return returns is not None and home is not None and self._is_of_library(returns.expression, home[0])
        bound = self.project.binding(origin)
        if bound is None or bound[0].value is None:
            return False
        return self._is_made(bound[0].value.expression, bound[1], origin)

    def is_attribute(self, lineage: tuple[tuple[Class, Module], ...], name: str) -> bool:
        """Whether `self.name` holds a logger in a class with these bases."""
        found = [(each, owner, module) for owner, module in lineage for each in owner.attributes if each.name == name]
        return bool(found) and all(self._holds_logger(*each) for each in found)

    def _holds_logger(self, attribute: ClassAttribute, owner: Class, module: Module) -> bool:
        declared = attribute.annotation
        given = attribute.value.expression if attribute.value is not None else None
        setter = owner.by_name.get(attribute.method or "")
        if declared is None and isinstance(given, Name) and setter is not None:
            declared = next((each.annotation for each in setter.parameters if each.name == given.name), None)
        if declared is not None:
            return self._is_of_library(declared.expression, module)
        return given is not None and self._is_made(given, module, "")

    def _is_of_library(self, expression: Expression, module: Module) -> bool:
        origin = self.project.origin_of(expression, module)
        return origin is not None and not origin.startswith(".") and self.is_logger(origin)

    def _is_made(self, value: Expression, module: Module, name: str) -> bool:
        while dotted(value) is None:
            if not isinstance(value, Call | Attribute):
                return False
            value = value.function if isinstance(value, Call) else value.value
        origin = self.project.origin_of(value, module)
        return origin != name and self.is_logger(origin)
