"""Branches that a flow takes in the order in which they are done: they must be begun in an order of their own first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody
from persistc.checks.references import references
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Attribute,
    Call,
    Comprehension,
    Conditional,
    Display,
    Expression,
    Name,
    NestedFunction,
    Starred,
    dotted,
)
from persistc.model import Kind
from persistc.spans import Span

_AS_COMPLETED = "asyncio.as_completed"
_OF_ASYNCIO = frozenset({"asyncio.sleep", "asyncio.wait_for"})
_ONE_BY_ONE = frozenset(f"builtins.{name}" for name in ("iter", "list", "reversed", "set", "tuple"))
_ADDING = frozenset({"add", "append", "appendleft"})
_DEPTH = 6


def check_completion(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST211 for `asyncio.as_completed` over coroutines, which it begins in no order."""
    for body in bodies:
        coroutines = _Coroutines(flow_class, body)
        for located in body.nodes:
            if isinstance(located.node, Call) and body.origin(located.node.function) == _AS_COMPLETED:
                for argument in located.node.arguments:
                    if argument.keyword in {None, "fs"} and coroutines.are_in(argument.value):
                        yield _in_no_order(body, argument.value)


@dataclass(frozen=True)
class _Coroutines:
    """Tells what is a coroutine, or holds some, in one body."""

    flow_class: FlowClass
    body: FlowBody

    def are_in(self, value: Expression, depth: int = 0) -> bool:
        """Whether one of its elements is a coroutine for certain."""
        if depth > _DEPTH:
            return False
        match value:
            case Display(items=items):
                return any(self._is_one(item, depth + 1) for item in items)
            case Comprehension(elements=(element,)):
                return self._is_one(element, depth + 1)
            case Conditional(body=body, orelse=orelse):
                return self.are_in(body, depth + 1) or self.are_in(orelse, depth + 1)
            case Name(name=name) if name in self.body.local_names:
                given = self.body.assigned.get(name, ())
                made = len(given) == 1 and given[0] is not None and self.are_in(given[0], depth + 1)
                return made or (len(given) == 1 and self._is_filled(name, depth))
            case Call(function=function, arguments=(called, _, *_)) if self.body.origin(function) == "builtins.map":
                return self._gives_one(called.value)
            case Call(function=function, arguments=(only,)) if self.body.origin(function) in _ONE_BY_ONE:
                return self.are_in(only.value, depth + 1)
            case _:
                return False

    def _is_filled(self, name: str, depth: int) -> bool:
        """Whether a coroutine is put into what bears the name."""
        for located in self.body.nodes:
            match located.node:
                case Call(function=Attribute(value=Name(name=holder), name=adding), arguments=(added,)):
                    if holder == name and adding in _ADDING and self._is_one(added.value, depth + 1):
                        return True
        return False

    def _is_one(self, value: Expression, depth: int) -> bool:
        match value:
            case Starred(value=several):
                return self.are_in(several, depth + 1)
            case Call(function=function):
                return self._gives_one(function)
            case Name(name=name) if depth < _DEPTH:
                given = self.body.assigned.get(name, ())
                return len(given) == 1 and given[0] is not None and self._is_one(given[0], depth + 1)
            case _:
                return False

    def _gives_one(self, function: Expression) -> bool:
        """Whether what is called is an async function."""
        if function.span in self._async_members:
            return True
        if isinstance(function, Name) and function.name in self.body.bindings:
            bound = self.body.bindings[function.name]
            return all(isinstance(node, NestedFunction) and node.is_async for node in bound)
        origin = self.body.origin(function)
        if origin is None:
            return False
        called = self.body.project.functions.get(origin)
        return origin in _OF_ASYNCIO or (called is not None and called.is_async and not called.is_generator)

    @cached_property
    def _async_members(self) -> frozenset[Span]:
        found = (each for each in references(self.flow_class, self.body) if each.owned.method.kind is not Kind.SIGNAL)
        return frozenset(each.attribute.span for each in found if each.owned.method.is_async)


def _in_no_order(body: FlowBody, value: Expression) -> Diagnostic:
    shown = dotted(value) or "..."
    return Diagnostic(
        code=Code.BEGUN_IN_NO_ORDER,
        message="`asyncio.as_completed` begins coroutines in no fixed order, and is refused in a flow",
        file=body.module.file,
        span=value.span,
        label="holds coroutines, which are not begun yet",
        help=f"make tasks of them first: `[asyncio.create_task(each) for each in {shown}]`",
    )
