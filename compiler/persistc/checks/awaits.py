"""Coroutines of steps that nobody awaits: the step would never run, and nobody would miss it."""

from collections.abc import Iterator, Mapping, Sequence

from persistc.checks.calls import is_wait
from persistc.checks.flow_class import FlowClass, described
from persistc.checks.flow_code import FlowBody, Located
from persistc.checks.lost_values import is_lost, is_lost_in_container, names_in_use
from persistc.checks.references import Reference, Through, references
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Argument,
    Assign,
    Branch,
    Call,
    Comprehension,
    Conditional,
    Display,
    Do,
    Lambda,
    NestedFunction,
    Operation,
    Return,
    Unary,
    WhileLoop,
    dotted,
    walk,
)
from persistc.model import Kind

COROUTINES = frozenset({"asyncio.sleep", "asyncio.wait", "asyncio.wait_for", "asyncio.to_thread"})


def check_awaits(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST106 for coroutines that are dropped, asked for their truth, or handed to a step as if they were values."""
    for body in bodies:
        if body.only_in_plain_flows:
            continue
        used = names_in_use(body)
        steps = {id(found.call): found for found in references(flow_class, body) if found.call is not None}
        for located in body.nodes:
            if not isinstance(located.node, Call):
                continue
            reference = steps.get(id(located.node))
            if reference is not None and reference.through in {Through.SELF, Through.OBJECT}:
                method = reference.owned.method
                if method.is_async and not method.is_generator and method.kind in {Kind.STEP, Kind.OTHER}:
                    yield from _lost(steps, used, body, located, described(method))
            elif is_wait(body, located.node):
                if _waits_async(flow_class, body, located.node):
                    yield from _lost(steps, used, body, located, "`wait_for_signal`")
            elif (origin := body.origin(located.node.function)) in COROUTINES:
                yield from _lost(steps, used, body, located, f"`{origin}`")


def _waits_async(flow_class: FlowClass, body: FlowBody, call: Call) -> bool:
    for node in walk(*call.arguments[:1]):
        name = getattr(node, "name", None)
        member = flow_class.members.get(name) if isinstance(name, str) else None
        if member is not None and member.method.kind is Kind.SIGNAL:
            return member.method.is_async
    return False


def _lost(
    steps: Mapping[int, Reference], used: frozenset[str], body: FlowBody, located: Located, what: str
) -> Iterator[Diagnostic]:
    label = _how(steps, used, body, located)
    if label is not None:
        assert isinstance(located.node, Call)
        yield Diagnostic(
            code=Code.NEVER_AWAITED,
            message=f"the coroutine of {what} is never awaited, so it never runs",
            file=body.module.file,
            span=located.node.function.span,
            label=label,
            help=_remedy(body, located, located.node),
        )


def _remedy(body: FlowBody, located: Located, call: Call) -> str:
    if not body.colour_at(located):
        return "return the coroutine to the async flow, and `await` it there"
    shown = f"{dotted(call.function) or 'it'}{'(...)' if call.arguments else '()'}"
    return f"write `await {shown}`; several at once: `await asyncio.gather(...)`"


def _how(steps: Mapping[int, Reference], used: frozenset[str], body: FlowBody, located: Located) -> str | None:
    """How the value of an expression gets lost; None when something may still await it."""
    above = list(reversed(located.around))
    inner = located.node
    for index, node in enumerate(above):
        match node:
            case Do():
                return "dropped here"
            case Conditional(test=test):
                if inner is test:
                    return "a coroutine is always true"
            case Operation(operator="and" | "or"):
                if inner is node.left:
                    return "a coroutine is always true"
            case Operation():
                return "compared or combined as a coroutine, not as its result"
            case Unary():
                return "a coroutine is always true" if node.operator == "not" else "a coroutine is no number"
            case Branch(test=test) | WhileLoop(test=test):
                return "a coroutine is always true" if inner is test else None
            case Display() | Comprehension():
                if not _is_element(node, inner):
                    return None
            case Assign(value=value, targets=targets) if inner is value:
                if not is_lost(targets, used):
                    return None
                return "kept, and never looked at" if inner is located.node else "kept, and never awaited"
            case Return():
                is_flow = body.method.kind is Kind.FLOW and not _in_nested(above)
                return "returned as a coroutine, not as its result" if is_flow and body.method.is_async else None
            case Argument():
                if is_lost_in_container(body, above[index + 1], used):
                    return "kept, and never awaited"
                return _handed_to_step(steps, above[index + 1])
            case _:
                return None
        inner = node
    return None


def _is_element(holder: Display | Comprehension, inner: object) -> bool:
    return isinstance(holder, Display) or any(inner is element for element in holder.elements)


def _in_nested(around: Sequence[object]) -> bool:
    return any(isinstance(node, NestedFunction | Lambda) for node in around)


def _handed_to_step(steps: Mapping[int, Reference], call: object) -> str | None:
    reference = steps.get(id(call))
    if reference is None or reference.owned.method.kind is not Kind.STEP:
        return None
    return f"handed to `{reference.attribute.name}` as a coroutine, not as its result"
