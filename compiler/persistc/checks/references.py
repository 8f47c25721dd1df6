"""How flow code names the members of flow classes: on `self`, through `super()`, through a class, on another object."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from persistc.checks.declared import Declaration, declarations
from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, Located, above, is_super
from persistc.flow_tree import Argument, Attribute, Call, Expression, Name, walk
from persistc.model import BindingKind, Class, Module, Text
from persistc.project import Owned, Project
from persistc.sources import OUTPUT_SUFFIX


class Through(Enum):
    """The way a member is reached; only the first and the last lead through a proxy for certain."""

    SELF = auto()
    SUPER = auto()
    CLASS = auto()
    OBJECT = auto()
    PROXY = auto()


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


@dataclass(frozen=True, slots=True)
class Named:
    """A method of a flow class that an attribute names."""

    through: Through
    owned: Owned
    on: Class
    """The class the member was looked up on."""


def references(flow_class: FlowClass, body: FlowBody) -> Iterator[Reference]:
    """All in the order they are written, but for those on a proxy that is held: those are as durable as they look."""
    for located in body.nodes:
        if isinstance(located.node, Attribute) and (found := named(flow_class, body, located.node)) is not None:
            if found.through is Through.PROXY:
                continue
            parent = located.parent
            call = parent if isinstance(parent, Call) and parent.function is located.node else None
            is_argument = isinstance(parent, Argument)
            yield Reference(found.through, located.node, found.owned, found.on, call, is_argument, located)


def named(flow_class: FlowClass, body: FlowBody, attribute: Attribute) -> Named | None:
    """The method an attribute in flow code names, if it is one of a flow class that can be known."""
    value, project = attribute.value, flow_class.project
    if body.is_self(value):
        return _named(Through.SELF, flow_class.members.get(attribute.name), flow_class.cls)
    if is_super(value):
        owned = above(flow_class, body.owner, attribute.name)
        return _named(Through.SUPER, owned, owned.owner if owned else flow_class.cls)
    if (of_class := project.find_class(body.origin(value))) is not None:
        return _named(Through.CLASS, project.members(*of_class).get(attribute.name), of_class[0])
    if (held := _held(flow_class, body, value)) is not None:
        through = Through.PROXY if held.is_proxy else Through.OBJECT
        return _named(through, project.members(held.cls, held.module).get(attribute.name), held.cls)
    return None


def is_proxy(flow_class: FlowClass, body: FlowBody, value: Expression) -> bool:
    """Whether an expression is the proxy of another flow class."""
    held = _held(flow_class, body, value)
    return held is not None and held.is_proxy


def proxied(flow_class: FlowClass, held: str) -> FlowClass | None:
    """The flow class whose proxy `self.held` is."""
    project = flow_class.project
    found = (_declared(project, each) for each in declarations(flow_class, held))
    first = next((each for each in found if each is not None), None)
    return FlowClass(project, first.module, first.cls) if first is not None and first.is_proxy else None


def _named(through: Through, owned: Owned | None, on: Class) -> Named | None:
    return None if owned is None else Named(through, owned, on)


@dataclass(frozen=True, slots=True)
class _Held:
    """The flow class of an object, or of the proxy that stands for one."""

    cls: Class
    module: Module
    is_proxy: bool


def _held(flow_class: FlowClass, body: FlowBody, value: Expression) -> _Held | None:
    """What an object is declared to be: `self.billing`, a local or global name for one, or one made on the spot."""
    project = flow_class.project
    match value:
        case Attribute(value=instance, name=name) if body.is_self(instance):
            found = (_declared(project, each) for each in declarations(flow_class, name))
            return next((each for each in found if each is not None), None)
        case Call(function=function):
            return _of_origin(project, body.origin(function))
        case Name(name=name) if name in body.local_names:
            values = body.assigned.get(name, ())
            # One assignment only: a name that is bound again may be something else by now.
            if len(values) == 1 and values[0] is not None and not isinstance(values[0], Name):
                return _held(flow_class, body, values[0])
        case Name(name=name):
            for binding in body.module.scope.by_name.get(name, ()):
                if binding.kind is BindingKind.ASSIGNMENT and binding.value is not None:
                    return _made(project, body.module, binding.value)
        case _:
            pass
    return None


def _declared(project: Project, declaration: Declaration) -> _Held | None:
    if (declared := declaration.type) is not None:
        return _in_annotation(project, declaration.module, declared.expression)
    return None if declaration.value is None else _made(project, declaration.module, declaration.value)


def _made(project: Project, module: Module, value: Text) -> _Held | None:
    if isinstance(value.expression, Call):
        return _of_origin(project, module.origin_of(value.expression.function))
    return None


def _in_annotation(project: Project, module: Module, annotation: Expression) -> _Held | None:
    """The flow class an annotation speaks of: `Billing`, `"Billing"`, `DurableBilling | None`."""
    for node in walk(annotation):
        found = _of_origin(project, module.origin_of(node)) if isinstance(node, Name | Attribute) else None
        if found is not None and project.is_flow_class(found.cls, found.module):
            return found
    return None


def _of_origin(project: Project, origin: str | None) -> _Held | None:
    """By the names of the generated module, which need not be there: `DurableBilling` is the proxy of `Billing`."""
    if origin is None:
        return None
    home, _, name = project.canonical(origin).rpartition(".")
    is_proxy = name.startswith("Durable") and home.endswith(OUTPUT_SUFFIX)
    found = _behind(project, home, name) if is_proxy else project.find_class(origin)
    return None if found is None else _Held(*found, is_proxy)


def _behind(project: Project, home: str, name: str) -> tuple[Class, Module] | None:
    """The class of a proxy. An import of a module that is not there yet stands for what it says."""
    source, cls = home.removesuffix(OUTPUT_SUFFIX), name.removeprefix("Durable")
    if source not in project.modules:
        source = next((each.name for each in project.modules.values() if each.import_name == source), source)
    return project.find_class(f"{source}.{cls}")
