"""How flow code names the members of flow classes: on `self`, through `super()`, through a class, on another object."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, Located, above, is_super
from persistc.flow_tree import Argument, Attribute, Call, Expression, Name, walk
from persistc.model import BindingKind, Class, ClassAttribute, Kind, Module, Text
from persistc.project import Owned, Project


class Through(Enum):
    """The way a member is reached; only the first leads through the proxy for certain."""

    SELF = auto()
    SUPER = auto()
    CLASS = auto()
    OBJECT = auto()


@dataclass(frozen=True, slots=True)
class Reference:
    """One place in flow code that names a method of a flow class."""

    through: Through
    attribute: Attribute
    owned: Owned
    on: Class
    """The class the member was looked up on."""
    call: Call | None
    """The call, where it is called right there."""
    is_argument: bool
    """Handed on to a call, which may call it."""
    located: Located

    @property
    def is_kept(self) -> bool:
        """Called here, or kept to be called later; `self.charge.__name__` is neither."""
        return not isinstance(self.located.parent, Attribute)

    @property
    def is_used(self) -> bool:
        """Called here, or handed to a call that may call it."""
        return self.call is not None or self.is_argument


def references(flow_class: FlowClass, body: FlowBody) -> Iterator[Reference]:
    """All of them, in the order they are written."""
    for located in body.nodes:
        if isinstance(located.node, Attribute) and (found := _resolved(flow_class, body, located.node)) is not None:
            through, owned, on = found
            parent = located.parent
            call = parent if isinstance(parent, Call) and parent.function is located.node else None
            yield Reference(through, located.node, owned, on, call, isinstance(parent, Argument), located)


def _resolved(flow_class: FlowClass, body: FlowBody, attribute: Attribute) -> tuple[Through, Owned, Class] | None:
    value = attribute.value
    if body.is_self(value):
        return _with(Through.SELF, flow_class.members.get(attribute.name), flow_class.cls)
    if is_super(value):
        owned = above(flow_class, body.owner, attribute.name)
        return _with(Through.SUPER, owned, owned.owner if owned else flow_class.cls)
    project = flow_class.project
    if (named := project.find_class(body.origin(value))) is not None:
        return _member_of(project, named, Through.CLASS, attribute.name)
    if (declared := _class_of(flow_class, body, value)) is not None:
        return _member_of(project, declared, Through.OBJECT, attribute.name)
    return None


def _with(through: Through, owned: Owned | None, on: Class) -> tuple[Through, Owned, Class] | None:
    return None if owned is None else (through, owned, on)


def _member_of(
    project: Project, found: tuple[Class, Module], through: Through, name: str
) -> tuple[Through, Owned, Class] | None:
    cls, module = found
    return _with(through, project.members(cls, module).get(name), cls)


def _class_of(flow_class: FlowClass, body: FlowBody, value: Expression) -> tuple[Class, Module] | None:
    """The declared class of an object: `self.billing`, a local or global name for one, or one made on the spot."""
    project = flow_class.project
    match value:
        case Attribute(value=instance, name=name) if body.is_self(instance):
            return _class_of_attribute(flow_class, name)
        case Call(function=function):
            return project.find_class(body.origin(function))
        case Name(name=name) if name in body.local_names:
            values = body.assigned.get(name, ())
            # One assignment only: a name that is bound again may be something else by now.
            if len(values) == 1 and values[0] is not None and not isinstance(values[0], Name):
                return _class_of(flow_class, body, values[0])
        case Name(name=name):
            for binding in body.module.scope.by_name.get(name, ()):
                if binding.kind is BindingKind.ASSIGNMENT and binding.value is not None:
                    return _class_of_text(project, body.module, binding.value)
        case _:
            pass
    return None


def _class_of_attribute(flow_class: FlowClass, name: str) -> tuple[Class, Module] | None:
    for owner, module in flow_class.lineage:
        for attribute in owner.attributes:
            if attribute.name == name:
                found = _declared(flow_class.project, owner, module, attribute)
                if found is not None:
                    return found
    return None


def _declared(project: Project, owner: Class, module: Module, attribute: ClassAttribute) -> tuple[Class, Module] | None:
    if attribute.annotation is not None:
        return class_in(project, module, attribute.annotation.expression)
    if attribute.value is None:
        return None
    handed_in = attribute.value.expression
    setter = owner.by_name.get(attribute.method or "")
    if isinstance(handed_in, Name) and setter is not None:
        for parameter in setter.parameters:
            if parameter.name == handed_in.name and parameter.annotation is not None:
                return class_in(project, module, parameter.annotation.expression)
    return _class_of_text(project, module, attribute.value)


def _class_of_text(project: Project, module: Module, value: Text) -> tuple[Class, Module] | None:
    if isinstance(value.expression, Call):
        return project.find_class(module.origin_of(value.expression.function))
    return None


def class_in(project: Project, module: Module, annotation: Expression) -> tuple[Class, Module] | None:
    """The flow class an annotation speaks of: `Billing`, `"Billing"`, `Billing | None`."""
    for node in walk(annotation):
        if isinstance(node, Name | Attribute) and (found := project.find_class(module.origin_of(node))) is not None:
            cls, home = found
            if any(owned.method.kind is not Kind.OTHER for owned in project.members(cls, home).values()):
                return found
    return None
