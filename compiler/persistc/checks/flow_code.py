"""The code of a flow class that is replayed: the bodies of its flows and of the unmarked methods they reach."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from persistc.checks.flow_class import FlowClass
from persistc.flow_tree import (
    Assign,
    Assigned,
    Attribute,
    Call,
    Case,
    Clause,
    Expression,
    ForLoop,
    Handler,
    Lambda,
    LocalImport,
    Name,
    NestedClass,
    NestedFunction,
    Node,
    WithItem,
    bound_names,
    children,
    dotted,
)
from persistc.model import Class, Kind, Method, Module
from persistc.project import Owned, Project


@dataclass(frozen=True, slots=True)
class Located:
    """A node of a body with the nodes around it, the nearest last."""

    node: Node
    around: tuple[Node, ...]

    @property
    def parent(self) -> Node | None:
        return self.around[-1] if self.around else None


@dataclass(frozen=True)
class FlowBody:
    """One method whose body runs in flows of the class under check."""

    owned: Owned
    flows: tuple[Method, ...]
    """The flows that reach it; itself, when it is one."""
    project: Project = field(repr=False)

    @property
    def method(self) -> Method:
        return self.owned.method

    @property
    def module(self) -> Module:
        return self.owned.module

    @property
    def owner(self) -> Class:
        return self.owned.owner

    @property
    def self_name(self) -> str | None:
        """What the instance is called: `self`, or whatever the first parameter is."""
        return self.method.parameters[0].name if self.method.parameters else None

    @property
    def only_in_plain_flows(self) -> bool:
        """Whether its own code can never be awaited: it is plain, and no async flow calls it."""
        return not self.method.is_async and not any(flow.is_async for flow in self.flows)

    @cached_property
    def nodes(self) -> tuple[Located, ...]:
        """Every node of the body; classes defined in it are left out, their `self` is another."""
        return tuple(_located(self.method.body, ()))

    @cached_property
    def local_names(self) -> frozenset[str]:
        """The names bound in the method or in functions within it."""
        return frozenset((*(parameter.name for parameter in self.method.parameters), *self.bindings))

    @cached_property
    def bindings(self) -> Mapping[str, Sequence[Node]]:
        """The nodes that bind each name in the method or in functions within it; parameters of the method are none."""
        found: dict[str, list[Node]] = {}
        for located in self.nodes:
            for name in bound_by(located.node):
                found.setdefault(name, []).append(located.node)
        return found

    @cached_property
    def assigned(self) -> Mapping[str, Sequence[Expression | None]]:
        """What is assigned to each name in the method or in functions within it."""
        values: dict[str, list[Expression | None]] = {}
        for located in self.nodes:
            if isinstance(located.node, Assign):
                for name in {target.name for target in located.node.targets if isinstance(target, Name)}:
                    values.setdefault(name, []).append(located.node.value)
        return values

    @cached_property
    def local_imports(self) -> Mapping[str, str]:
        imports: dict[str, str] = {}
        for located in self.nodes:
            if isinstance(located.node, LocalImport):
                imports.update(located.node.names)
        return imports

    def origin(self, expression: Expression) -> str | None:
        """What a dotted name in this body stands for, where it is defined; None for a local variable."""
        name = dotted(expression)
        if name is None:
            return None
        first, dot, rest = name.partition(".")
        if first in self.local_imports:
            return self.project.canonical(f"{self.local_imports[first]}{dot}{rest}")
        if first in self.local_names:
            return None
        origin = self.module.origin(name)
        return None if origin is None else self.project.canonical(origin)

    def colour_at(self, located: Located) -> bool:
        """Whether the function that directly holds a node is async."""
        for node in reversed(located.around):
            if isinstance(node, NestedFunction):
                return node.is_async
            if isinstance(node, Lambda):
                return False
        return self.method.is_async

    def is_self(self, expression: Expression) -> bool:
        return isinstance(expression, Name) and expression.name == self.self_name


def flow_code(flow_class: FlowClass) -> tuple[FlowBody, ...]:
    """The flows of the class, its own and inherited, with every unmarked method they reach through `self`."""
    found: dict[tuple[str, str], FlowBody] = {}
    for owned in flow_class.members.values():
        if owned.method.kind is Kind.FLOW:
            _reach(flow_class, owned, owned.method, found)
    return tuple(found.values())


def _reach(flow_class: FlowClass, owned: Owned, flow: Method, found: dict[tuple[str, str], FlowBody]) -> None:
    key = (owned.owner.qualified, owned.method.name)
    known = found.get(key)
    if known is not None and flow in known.flows:
        return
    body = FlowBody(owned, (flow,), flow_class.project) if known is None else replace(known, flows=(*known.flows, flow))
    found[key] = body
    for located in body.nodes:
        if not isinstance(located.node, Attribute):
            continue
        reached = _member(flow_class, body, located.node)
        # `super().place_order()` in an override goes on in the same flow, so the body it reaches is flow code too.
        if reached is not None and (
            reached.method.kind is Kind.OTHER or (reached.method.kind is Kind.FLOW and is_super(located.node.value))
        ):
            _reach(flow_class, reached, flow, found)


def reached_step(project: Project, owned: Owned, seen: frozenset[str] = frozenset()) -> Method | None:
    """The first step that an unmarked method calls on its `self`, by way of others like it too."""
    members = project.members(owned.owner, owned.module)
    body = FlowBody(owned, (), project)
    for located in body.nodes:
        if isinstance(located.node, Attribute) and body.is_self(located.node.value) and located.node.name not in seen:
            reached = members.get(located.node.name)
            if reached is not None and reached.method.kind is Kind.STEP:
                return reached.method
            if reached is not None and reached.method.kind is Kind.OTHER:
                step = reached_step(project, reached, seen | {located.node.name})
                if step is not None:
                    return step
    return None


def _member(flow_class: FlowClass, body: FlowBody, attribute: Attribute) -> Owned | None:
    if body.is_self(attribute.value):
        return flow_class.members.get(attribute.name)
    if is_super(attribute.value):
        return above(flow_class, body.owner, attribute.name)
    return None


def is_super(expression: Expression) -> bool:
    """`super()`, or its long form with arguments."""
    return (
        isinstance(expression, Call) and isinstance(expression.function, Name) and expression.function.name == "super"
    )


def above(flow_class: FlowClass, owner: Class, name: str) -> Owned | None:
    """What `super()` in a method of `owner` finds, for an instance of the class under check."""
    line = flow_class.lineage
    position = next((index for index, (cls, _) in enumerate(line) if cls.qualified == owner.qualified), 0)
    for cls, module in line[position + 1 :]:
        if (method := cls.by_name.get(name)) is not None:
            return Owned(method, cls, module)
    return None


def _located(nodes: Iterable[Node], around: tuple[Node, ...]) -> Iterator[Located]:
    for node in nodes:
        yield Located(node, around)
        if not isinstance(node, NestedClass):
            yield from _located(children(node), (*around, node))


def bound_by(node: Node) -> Iterator[str]:
    """The names that a node itself binds in the function it stands in."""
    match node:
        case Assign(targets=targets):
            for target in targets:
                yield from bound_names(target)
        case ForLoop(target=target) | Clause(target=target):
            yield from bound_names(target)
        case WithItem(target=target) if target is not None:
            yield from bound_names(target)
        case Assigned(name=name) | NestedClass(name=name):
            yield name
        case Handler(name=name) if name is not None:
            yield name
        case NestedFunction(name=name, parameters=parameters):
            yield name
            yield from parameters
        case Lambda(parameters=parameters):
            yield from parameters
        case Case(names=names):
            yield from names
        case LocalImport(names=names):
            yield from (name for name, _ in names)
        case _:
            return
