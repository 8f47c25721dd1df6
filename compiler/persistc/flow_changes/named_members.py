"""Which method or constant of a class an attribute in Python's own tree names."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import above
from persistc.checks.references import proxied
from persistc.flow_changes.python_syntax import dotted, self_name
from persistc.flow_tree import Constant
from persistc.model import Class, Kind, Module, Text
from persistc.project import Owned


@dataclass(frozen=True, slots=True)
class Named:
    """A method, with the class that it is a member of."""

    owned: Owned
    flow_class: FlowClass
    shown: str
    """`charge`, or `Billing.charge` for one of another flow class."""
    is_bound: bool
    """Named on an instance, so that `self` is not among its arguments."""

    @property
    def key(self) -> str:
        return f"{self.owned.owner.qualified}.{self.owned.method.name}"

    @property
    def is_recorded(self) -> bool:
        return self.owned.method.kind in {Kind.STEP, Kind.SIGNAL}


@dataclass(frozen=True, slots=True)
class NamedConstant:
    """What a module or a class says that a name of it is."""

    key: str
    shown: str
    value: Text
    module: Module
    owner: Class | None = None


@dataclass(frozen=True)
class MemberNames:
    """How one method of a class names members: on itself, by `super()`, on a proxy it holds, by the class."""

    flow_class: FlowClass
    owner: Class
    self_name: str | None

    def method(self, node: ast.Attribute, origin: str | None) -> Named | None:
        """The method; `origin` is what the value of the attribute stands for."""
        project = self.flow_class.project
        match node.value:
            case ast.Name(id=name) if name == self.self_name:
                return self._named(self.flow_class, self.flow_class.members.get(node.attr))
            case ast.Call(func=ast.Name(id="super")):
                return self._named(self.flow_class, above(self.flow_class, self.owner, node.attr))
            case ast.Attribute(value=ast.Name(id=name), attr=held) if name == self.self_name:
                other = proxied(self.flow_class, held)
                found = other.members.get(node.attr) if other is not None else None
                if other is None or found is None or found.method.kind is Kind.OTHER:
                    return None
                return Named(found, other, f"{other.cls.name}.{node.attr}", True)
            case _:
                pass
        if (cls := project.find_class(origin)) is None:
            return None
        is_own = any(each.qualified == cls[0].qualified for each, _ in self.flow_class.lineage)
        of = FlowClass(project, cls[1], cls[0])
        return self._named(self.flow_class if is_own else of, of.members.get(node.attr), is_bound=False)

    def constant(self, node: ast.Attribute, origin: str | None) -> NamedConstant | None:
        """The value of an attribute that a class body sets and no method does, or `__init__` sets to a literal."""
        if isinstance(node.value, ast.Name) and node.value.id == self.self_name:
            lineage = self.flow_class.lineage
        elif (cls := self.flow_class.project.find_class(origin)) is not None:
            lineage = self.flow_class.project.lineage(*cls)
        else:
            return None
        found = [(each, owner, home) for owner, home in lineage for each in owner.attributes if each.name == node.attr]
        set_later = [each for each in found if each[0].method is not None]
        is_literal = [each for each in set_later if each[0].value and isinstance(each[0].value.expression, Constant)]
        if set_later and (len(set_later) > 1 or not is_literal):
            return None
        for attribute, owner, home in set_later or found:
            if attribute.value is not None:
                name = f"{owner.name}.{node.attr}"
                return NamedConstant(f"{owner.qualified}.{node.attr}", name, attribute.value, home, owner)
        return None

    @staticmethod
    def _named(of: FlowClass, owned: Owned | None, *, is_bound: bool = True) -> Named | None:
        return None if owned is None else Named(owned, of, owned.method.name, is_bound)


def instance_name(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    """What a method calls its instance, or its class; a static method has neither."""
    if any(dotted(each) == "staticmethod" for each in function.decorator_list):
        return None
    return self_name(function)
