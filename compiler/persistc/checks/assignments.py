"""What is kept on a flow class: nothing that takes the place of a step, and nothing that belongs to one event loop."""

from collections.abc import Iterator

from persistc.checks.flow_class import FlowClass, described
from persistc.checks.flow_code import flow_code
from persistc.diagnostics import Code, Diagnostic, Note
from persistc.flow_tree import Attribute, Call, Expression, Name, dotted, walk
from persistc.model import Class, ClassAttribute, Kind, Module

PRIMITIVES = frozenset(
    f"asyncio.{name}"
    for name in (
        "Barrier",
        "BoundedSemaphore",
        "Condition",
        "Event",
        "Future",
        "LifoQueue",
        "Lock",
        "PriorityQueue",
        "Queue",
        "Semaphore",
        "Task",
        "TaskGroup",
        "create_task",
        "ensure_future",
        "gather",
    )
)


def check_assignments(flow_class: FlowClass) -> Iterator[Diagnostic]:
    """PST029 for assignments that go round a step, PST030 for asyncio's primitives kept between runs."""
    kept: set[str] = set()
    for attribute in flow_class.cls.attributes:
        yield from _replaced(flow_class, attribute)
        primitive = _primitive(flow_class, flow_class.cls, flow_class.module, attribute)
        if primitive is not None and attribute.name not in kept and not _only_in_steps(flow_class, attribute.name):
            kept.add(attribute.name)
            yield _kept(flow_class, attribute, primitive)


def _replaced(flow_class: FlowClass, attribute: ClassAttribute) -> Iterator[Diagnostic]:
    if attribute.value is None:
        return
    target = f"self.{attribute.name}" if attribute.method is not None else attribute.name
    replaced = flow_class.members.get(attribute.name)
    if replaced is not None and replaced.method.kind is not Kind.OTHER:
        yield Diagnostic(
            code=Code.REPLACED_BY_ASSIGNMENT,
            message=f"this assignment takes the place of {described(replaced.method)}, which is then not durable",
            file=flow_class.module.file,
            span=attribute.span,
            label=f"`{target}` no longer leads to the proxy",
            help=f"give it another name, or have the body of `{attribute.name}` call what is assigned here",
            notes=(Note(replaced.module.file, replaced.method.span, f"the {replaced.method.kind}"),),
        )
        return
    if attribute.method is not None:
        return
    name = dotted(attribute.value.expression)
    second = flow_class.members.get((name or "").rpartition(".")[2])
    owner_is_named = name is not None and ("." not in name or _names_class(flow_class, attribute.value.expression))
    if second is not None and second.method.kind is not Kind.OTHER and owner_is_named:
        kind = second.method.kind
        yield Diagnostic(
            code=Code.REPLACED_BY_ASSIGNMENT,
            message=f"`{attribute.name}` is a second name for {described(second.method)}, and not durable",
            file=flow_class.module.file,
            span=attribute.span,
            label="the proxy overrides the first name only",
            help=f"call `self.{second.method.name}`, or write a {kind} `{attribute.name}` of its own",
            notes=(Note(second.module.file, second.method.span, f"the {kind}"),),
        )


def _names_class(flow_class: FlowClass, expression: Expression) -> bool:
    if not isinstance(expression, Attribute):
        return False
    found = flow_class.project.find_class(flow_class.module.origin_of(expression.value))
    return found is not None and any(found[0].qualified == cls.qualified for cls, _ in flow_class.lineage)


def _primitive(flow_class: FlowClass, cls: Class, module: Module, attribute: ClassAttribute) -> str | None:
    """The origin of the asyncio primitive an attribute holds: made here, by a dataclass field, or handed in."""
    candidates: list[Expression] = []
    if attribute.annotation is not None:
        candidates += [node for node in walk(attribute.annotation.expression) if isinstance(node, Name | Attribute)]
    value = attribute.value.expression if attribute.value is not None else None
    if isinstance(value, Call):
        candidates.append(value.function)
        candidates += [argument.value for argument in value.arguments if argument.keyword == "default_factory"]
    setter = cls.by_name.get(attribute.method or "")
    if isinstance(value, Name) and setter is not None:
        candidates += [
            node
            for parameter in setter.parameters
            if parameter.name == value.name and parameter.annotation is not None
            for node in walk(parameter.annotation.expression)
            if isinstance(node, Name | Attribute)
        ]
    for candidate in candidates:
        origin = module.origin_of(candidate, cls)
        if origin is not None and (canonical := flow_class.project.canonical(origin)) in PRIMITIVES:
            return canonical
    return None


def _only_in_steps(flow_class: FlowClass, name: str) -> bool:
    """Whether the attribute is used, and not in flow code: step bodies all run on the host's one loop."""
    in_flows = {id(body.method) for body in flow_code(flow_class)}
    used = False
    for method in flow_class.cls.methods:
        instance = method.parameters[0].name if method.parameters else ""
        for node in walk(*method.body):
            if isinstance(node, Attribute) and dotted(node) == f"{instance}.{name}" and method.name != "__init__":
                if id(method) in in_flows:
                    return False
                used = True
    return used


def _kept(flow_class: FlowClass, attribute: ClassAttribute, primitive: str) -> Diagnostic:
    target = f"self.{attribute.name}" if attribute.method is not None else attribute.name
    is_class = primitive.rpartition(".")[2][0].isupper()
    what = f"an `{primitive}`" if is_class else f"what `{primitive}` returns"
    return Diagnostic(
        code=Code.ASYNCIO_PRIMITIVE_KEPT,
        message=f"`{target}` keeps {what} on the flow class, between runs that each have a loop of their own",
        file=flow_class.module.file,
        span=attribute.span,
        label="shared by all runs, and gone when one is replayed",
        help=f"make it a local variable of the flow: `{attribute.name} = {primitive}(...)`",
    )
