"""What can leave the body of a `try` in flow code: nothing, when it only begins steps, or nothing but groups."""

from collections.abc import Iterator, Mapping, Sequence

from persistc.checks.flow_code import FlowBody
from persistc.checks.references import Reference, Through
from persistc.flow_tree import Attribute, Await, Call, Expression, ForLoop, NestedFunction, Node, Try, With, children
from persistc.model import Kind

MAKES_TASKS = frozenset({"create_task", "ensure_future", "gather", "append"})


def inside(nodes: Sequence[Node]) -> Iterator[Node]:
    """The nodes that run as part of a block: the bodies of functions defined in it do not."""
    for node in nodes:
        yield node
        if not isinstance(node, NestedFunction):
            yield from inside(tuple(children(node)))


def only_makes_tasks(called: Mapping[int, Reference], node: Try) -> str | None:
    """The step that a `try` begins and does not await, when all its calls are such: no exception of theirs gets out.

    `called` holds the references of the body by the `id` of their call.
    """
    begun: str | None = None
    for inner in inside(node.body):
        match inner:
            case Await() | ForLoop() | With() | Try():
                return None
            case Call(function=function):
                reference = called.get(id(inner))
                if reference is not None and _is_begun(reference):
                    begun = reference.attribute.name
                elif not (isinstance(function, Attribute) and function.name in MAKES_TASKS):
                    return None
            case _:
                pass
    return begun


def _is_begun(reference: Reference) -> bool:
    method = reference.owned.method
    is_step = method.kind is Kind.STEP and reference.through in {Through.SELF, Through.OBJECT}
    return is_step and method.is_async


def leaves_only_as_group(body: FlowBody, node: Try) -> Expression | None:
    """The `asyncio.TaskGroup()` around all that the `try` does, if there is one."""
    match node.body:
        case (With(is_async=True, items=(item,)),):
            value = item.value
            if isinstance(value, Call) and body.origin(value.function) in {
                "asyncio.TaskGroup",
                "asyncio.taskgroups.TaskGroup",
            }:
                return value
        case _:
            pass
    return None
