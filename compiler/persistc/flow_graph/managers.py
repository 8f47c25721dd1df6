"""Which context managers let an exception pass, and which may swallow it."""

from __future__ import annotations

from persistc.checks.exception_scope import inside
from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody
from persistc.flow_graph.decorated import CONTEXT_MANAGERS
from persistc.flow_graph.members import member_of
from persistc.flow_tree import Attribute, Call, Constant, Expression, Return, Try, With
from persistc.model import Method

_LET_PASS = frozenset(
    {
        "builtins.open",
        "decimal.localcontext",
        "tempfile.NamedTemporaryFile",
        "tempfile.TemporaryDirectory",
        "tempfile.TemporaryFile",
        *(f"asyncio.{name}" for name in ("Condition", "Lock", "Semaphore")),
        *(f"threading.{name}" for name in ("Condition", "Lock", "RLock", "Semaphore")),
        *(
            f"contextlib.{name}"
            for name in ("aclosing", "chdir", "closing", "nullcontext", "redirect_stderr", "redirect_stdout")
        ),
    }
)


def may_swallow(flow_class: FlowClass, body: FlowBody, manager: Expression) -> bool:
    """Whether an exception in a `with` of this manager may end there: one that cannot be looked into may do so."""
    if not isinstance(manager, Call):
        return True
    origin = body.origin(manager.function)
    if origin in _LET_PASS:
        return False
    if (found := flow_class.project.find_class(origin)) is not None:
        members = flow_class.project.members(*found)
        leaves = [members[name].method for name in ("__exit__", "__aexit__") if name in members]
        return not leaves or any(_may_be_true(leave) for leave in leaves)
    member = member_of(flow_class, body, manager.function) if isinstance(manager.function, Attribute) else None
    made = member.owned.method if member is not None else flow_class.project.functions.get(origin or "")
    return made is None or not _is_open(made)


def _is_open(made: Method) -> bool:
    """Whether it is a generator, made a context manager, in which nothing stands around a `yield` that catches."""
    if len(made.decorators) != 1 or not made.has_decorator(*CONTEXT_MANAGERS):
        return False
    return not any(
        isinstance(node, With)
        or (isinstance(node, Try) and (node.handlers or any(isinstance(each, Return) for each in inside(node.final))))
        for node in inside(made.body)
    )


def _may_be_true(leave: Method) -> bool:
    """Whether an `__exit__` may return anything that makes its `with` swallow the exception."""
    if leave.decorators or not leave.body:
        return True
    returned = [node.value for node in inside(leave.body) if isinstance(node, Return)]
    return any(each is not None and not (isinstance(each, Constant) and not each.value) for each in returned)
