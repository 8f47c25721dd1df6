"""Which expressions of flow code are sets for certain: by how they are made, or by how they are declared.

Sets of tasks and futures are none here: those hash by flow id and a counter, so that every replay has their order (G4).
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from functools import cached_property

from persistc.checks.declared import declarations
from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody
from persistc.checks.task_values import TaskValues, is_of_tasks
from persistc.checks.type_tables import ANNOTATED, OPTIONAL, UNION
from persistc.flow_tree import (
    Assign,
    Assigned,
    Attribute,
    Await,
    Call,
    Comprehension,
    Conditional,
    Constant,
    Display,
    Expression,
    Name,
    Node,
    Operation,
    Quoted,
    Subscript,
    Unary,
)
from persistc.model import PACKAGE, Class, Module, Parameter, ParameterKind
from persistc.project import Project
from persistc.spans import Span

_MAKERS = frozenset({"builtins.set", "builtins.frozenset"})
_TYPES = frozenset(
    {
        *_MAKERS,
        "collections.abc.MutableSet",
        "collections.abc.Set",
        *(
            f"{module}.{name}"
            for module in ("typing", "typing_extensions")
            for name in ("AbstractSet", "FrozenSet", "MutableSet", "Set")
        ),
    }
)
_WRAPPERS = (
    ANNOTATED
    | OPTIONAL
    | UNION
    | {f"{module}.{name}" for module in ("typing", "typing_extensions") for name in ("ClassVar", "Final")}
)
_ALGEBRA = frozenset({"|", "&", "-", "^"})
_METHODS = frozenset({"copy", "difference", "intersection", "symmetric_difference", "union"})


@dataclass(frozen=True)
class Sets:
    """Tells what is a set in one body."""

    flow_class: FlowClass
    body: FlowBody
    tasks: TaskValues
    assumed: Set[str] | None = None
    """The local names taken for sets while it is found out which are."""

    @property
    def _project(self) -> Project:
        return self.flow_class.project

    @property
    def _here(self) -> tuple[Module, Class]:
        return self.body.module, self.body.owner

    def is_set(self, value: Expression) -> bool:
        match value:
            case Display(kind="set", items=items):
                return not any(self.tasks.is_task(item) for item in items)
            case Comprehension(kind="set", elements=elements):
                return not any(self.tasks.is_task(element) for element in elements)
            case Name(name=name):
                return self._is_name_of_set(name)
            case Attribute(value=owner, name=name) if self.body.is_self(owner):
                return self._is_attribute_set(name)
            case Attribute(value=Name(name=owner), name=name) if owner in self.body.local_names:
                return self._is_field_set(owner, name)
            case Attribute():
                return self._is_constant(value)
            case Operation(operator="and" | "or", left=left, right=right):
                return self.is_set(left) or self.is_set(right)
            case Operation(operator=operator, left=left, right=right) if operator in _ALGEBRA:
                sides = (left, right)
                return any(self.is_set(side) for side in sides) or all(_is_keys(side) for side in sides)
            case Conditional(body=body, orelse=orelse):
                return self.is_set(body) or self.is_set(orelse)
            case Assigned(value=inner):
                return self.is_set(inner)
            case Await(value=Call() as call):
                return self._returns_set(call, is_awaited=True)
            case Call():
                return self._is_made(value) or self._returns_set(value, is_awaited=False)
            case _:
                return False

    def made_at(self, value: Expression) -> Span | None:
        """Where a local name becomes a set."""
        if not isinstance(value, Name):
            return None
        places = [parameter.span for parameter in self._parameters(value.name)]
        places += [
            node.targets[0].span if isinstance(node, Assign) else node.span
            for node in self.body.bindings.get(value.name, ())
        ]
        return places[0] if places else None

    # --- calls ------------------------------------------------------------------------------------------------------

    def _is_made(self, call: Call) -> bool:
        if self.body.origin(call.function) in _MAKERS:
            return not any(self.tasks.are_tasks(argument.value) for argument in call.arguments)
        match call.function:
            case Attribute(value=owner, name=name) if name in _METHODS:
                return self.is_set(owner)
            case _:
                return False

    def _returns_set(self, call: Call, is_awaited: bool) -> bool:
        function = call.function
        if self.body.origin(function) == f"{PACKAGE}.wait_for_signal" and call.arguments:
            function = call.arguments[0].value
        match function:
            case Attribute(value=owner, name=name) if self.body.is_self(owner):
                called = self.flow_class.members.get(name)
                if called is None or called.method.returns is None or called.method.is_async is not is_awaited:
                    return False
                return self._is_set_type(called.method.returns.expression, called.module, called.owner)
            case _:
                return False

    # --- names ------------------------------------------------------------------------------------------------------

    def _is_name_of_set(self, name: str) -> bool:
        if name not in self.body.local_names:
            return self._is_constant(Name(self.body.method.span, name))
        return name in (self._names if self.assumed is None else self.assumed)

    @cached_property
    def _names(self) -> Set[str]:
        """The local names that every binding makes a set, and into which no task is put.

        All are taken for such until one of their bindings is seen to be another thing: `tags = tags.union(more)` leaves
        `tags` what it was.
        """
        names = dict.fromkeys((*(each.name for each in self.body.method.parameters), *self.body.bindings))
        found = {name for name in names if not self.tasks.is_container(name)}
        assuming = replace(self, assumed=found)
        before = len(found) + 1
        while len(found) < before:
            before = len(found)
            for name in names:
                if name in found and not assuming._is_bound_to_set(name):
                    found.remove(name)
        return found

    def _is_bound_to_set(self, name: str) -> bool:
        return all(self._is_declared_set(each) for each in self._parameters(name)) and all(
            self._binds_set(node, name) for node in self.body.bindings.get(name, ())
        )

    def _parameters(self, name: str) -> list[Parameter]:
        return [parameter for parameter in self.body.method.parameters if parameter.name == name]

    def _is_declared_set(self, parameter: Parameter) -> bool:
        declared = parameter.annotation
        is_one = parameter.kind not in {ParameterKind.VARIADIC, ParameterKind.VARIADIC_KEYWORD}
        return is_one and declared is not None and self._is_set_type(declared.expression, *self._here)

    def _binds_set(self, node: Node, name: str) -> bool:
        match node:
            case Assign(annotation=annotation) if annotation is not None:
                return self._is_set_type(annotation, *self._here)
            case Assign(operator="=", targets=targets, value=value) if value is not None:
                return self.is_set(value) and any(isinstance(each, Name) and each.name == name for each in targets)
            case Assign(operator=operator):
                return operator != "="
            case Assigned(value=value):
                return self.is_set(value)
            case _:
                return False

    def _is_constant(self, value: Expression) -> bool:
        """A name at the top of a module that is a set."""
        origin = self.body.origin(value)
        found = self._project.binding(origin) if origin is not None else None
        if found is None or found[0].value is None:
            return False
        return self._is_written_set(found[0].value.expression, found[1], None)

    def _is_attribute_set(self, name: str) -> bool:
        for each in declarations(self.flow_class, name):
            if each.type is not None:
                return self._is_set_type(each.type.expression, each.module, each.owner)
            if each.value is not None:
                return self._is_written_set(each.value.expression, each.module, each.owner)
        return False

    def _is_field_set(self, owner: str, name: str) -> bool:
        """Whether a parameter is of a class that declares the field a set."""
        declared = [parameter.annotation for parameter in self._parameters(owner)]
        if len(declared) != 1 or declared[0] is None or owner in self.body.bindings:
            return False
        found = self._project.find_class(self._project.origin_of(declared[0].expression, *self._here))
        for cls, module in self._project.lineage(*found) if found is not None else ():
            for attribute in cls.attributes:
                if attribute.name == name and attribute.annotation is not None:
                    return self._is_set_type(attribute.annotation.expression, module, cls)
        return False

    def _is_written_set(self, value: Expression, module: Module, inside: Class | None) -> bool:
        match value:
            case Display(kind="set") | Comprehension(kind="set"):
                return True
            case Call(function=function):
                return self._project.origin_of(function, module, inside) in _MAKERS
            case _:
                return False

    def _is_set_type(self, annotation: Expression, module: Module, inside: Class | None) -> bool:
        match annotation:
            case Quoted(inner=inner):
                return self._is_set_type(inner, module, inside)
            case Operation(operator="|", left=left, right=right):
                return self._is_set_type(left, module, inside) or self._is_set_type(right, module, inside)
            case Subscript(value=value, items=items):
                origin = self._project.origin_of(value, module, inside)
                if origin in _WRAPPERS:
                    return any(self._is_set_type(item, module, inside) for item in items)
                return origin in _TYPES and not any(is_of_tasks(self._project, item, module) for item in items)
            case Name() | Attribute():
                return self._project.origin_of(annotation, module, inside) in _TYPES
            case _:
                return False


def is_of_numbers(value: Expression) -> bool:
    """Whether it is a set of whole numbers that is written out: those have the same hash in every process."""
    return isinstance(value, Display) and value.kind == "set" and all(_is_number(item) for item in value.items)


def _is_number(value: Expression) -> bool:
    match value:
        case Constant(value=int()) | Unary(operator="-", value=Constant(value=int())):
            return True
        case _:
            return False


def _is_keys(value: Expression) -> bool:
    """A view of a dict, whose own order is that of the dict; what is computed from two of them is a set."""
    return (
        isinstance(value, Call) and isinstance(value.function, Attribute) and value.function.name in {"items", "keys"}
    )
