"""From the body of a flow to its graph: what is called in which order, methods and local functions told in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from persistc import flow_tree as tree
from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody
from persistc.checks.references import is_proxy
from persistc.durations import duration_text
from persistc.expression_text import target_text
from persistc.flow_graph.decorated import decorators_of, unknown_decorator, wrapped
from persistc.flow_graph.expressions import ExpressionTeller, unless_empty
from persistc.flow_graph.managers import may_swallow
from persistc.flow_graph.regions import (
    Arm,
    Branch,
    Break,
    Continue,
    FlowGraph,
    Handler,
    Loop,
    Managed,
    Parallel,
    Place,
    Raise,
    Region,
    Return,
    Sequence,
    Timers,
    Try,
    Within,
    calls,
)
from persistc.flow_graph.wording import (
    case_text,
    handler_text,
    short,
    timers_of,
)
from persistc.flow_tree import Block, Call, Constant, Name, children
from persistc.model import PACKAGE
from persistc.project import Owned
from persistc.versions import flow_option, kept_of, version

_GROUPS = {"asyncio.TaskGroup": "TaskGroup", f"{PACKAGE}.parallel": "parallel"}
_TIME_LIMITS = {"asyncio.timeout": "within", "asyncio.timeout_at": "until"}


def flow_graph(flow_class: FlowClass, flow: Owned) -> FlowGraph:
    """The graph of a flow of a class; the flow may be inherited."""
    method = flow.method
    of = kept_of(method)
    newest = method if of is None else flow_class.members[of].method if of in flow_class.members else method
    name = flow_option(newest, "name")
    own_name = name.expression.value if name is not None and isinstance(name.expression, Constant) else None
    recorded_class = "" if name is not None else flow_class.cls.name
    builder = _Builder(flow_class, recorded_class, FlowBody(flow, (), flow_class.project))
    body = builder.block(method.body)
    place = Place(flow.module.file, method.span)
    unknown = unknown_decorator(decorators_of(method))
    if unknown is not None and calls((body,)):
        body = Sequence((wrapped(place, method.name, unknown, body),))
    return FlowGraph(
        module=flow_class.module.import_name,
        class_name=flow_class.cls.name,
        name=method.name,
        recorded=own_name if isinstance(own_name, str) else f"{flow_class.cls.name}.{newest.name}",
        version=version(method),
        place=place,
        body=body,
    )


@dataclass
class _Builder(ExpressionTeller):
    def block(self, body: Block) -> Sequence:
        self.local = self.local | {each.name: each for each in body if isinstance(each, tree.NestedFunction)}
        inner = replace(self, is_tail=False)
        regions = [region for statement in body[:-1] for region in inner._statement(statement)]
        return Sequence((*regions, *(region for statement in body[-1:] for region in self._statement(statement))))

    def _statement(self, node: tree.Statement) -> Iterator[Region]:
        match node:
            case tree.Branch():
                yield from self._expression(node.test)
                yield from unless_empty(Branch(self._place(node), "", tuple(self._arms(node, "if")), _has_else(node)))
            case tree.ForLoop(target=target, over=over, body=body, orelse=orelse):
                yield from self._expression(over)
                head = f"for {target_text(target)} in {short(over)}"
                yield from unless_empty(
                    Loop(self._place(node), head, Sequence(), self._repeated(body), self._below(orelse))
                )
            case tree.WhileLoop(test=test, body=body, orelse=orelse):
                tested = Sequence(tuple(self._expression(test)))
                endless = isinstance(test, Constant) and bool(test.value)
                loop = Loop(
                    self._place(node),
                    f"while {short(test)}",
                    tested,
                    self._repeated(body),
                    self._below(orelse),
                    endless,
                )
                yield from unless_empty(loop)
            case tree.Try():
                yield from self._try(node)
            case tree.With():
                yield from self._with(node)
            case tree.Match(subject=subject, cases=cases):
                yield from self._expression(subject)
                arms = tuple(
                    Arm(
                        self._place(case),
                        case_text(case),
                        Sequence(tuple(self._expression(case.guard))) if case.guard is not None else Sequence(),
                        self._below(case.body),
                    )
                    for case in cases
                )
                is_complete = any(case.guard is None and case.pattern.isidentifier() for case in cases)
                yield from unless_empty(Branch(self._place(node), f"match {short(subject)}", arms, is_complete))
            case tree.Return(value=value):
                if value is not None:
                    yield from self._expression(value)
                yield Return(self._place(node), self.nested and not self.is_tail)
            case tree.Raise(value=value):
                if value is not None:
                    yield from self._expression(value)
                raised = value.function if isinstance(value, Call) else value
                text = "raise" if raised is None else f"raise {short(raised)}"
                yield Raise(self._place(node), text, self.nested)
            case tree.Other(keyword="break"):
                yield Break(self._place(node))
            case tree.Other(keyword="continue"):
                yield Continue(self._place(node))
            case tree.Assign(targets=(Name() as target,), value=tree.Attribute()) if self._is_proxy(target):
                return  # another name for it, known wherever it stands
            case tree.NestedFunction() | tree.NestedClass():
                return
            case _:
                for child in children(node):
                    yield from self._node(child)

    def _is_proxy(self, name: Name) -> bool:
        return is_proxy(self.flow_class, self.here, name)

    def _arms(self, node: tree.Branch, word: str) -> Iterator[Arm]:
        before = Sequence(tuple(self._expression(node.test))) if word == "elif" else Sequence()
        yield Arm(self._place(node), f"{word} {short(node.test)}", before, self._below(node.body))
        match node.orelse:
            case (tree.Branch() as other,):
                yield from self._arms(other, "elif")
            case (first, *_) as orelse:
                yield Arm(self._place(first), "else", Sequence(), self._below(tuple(orelse)))

    def _try(self, node: tree.Try) -> Iterator[Region]:
        body = replace(self, is_tail=self.is_tail and not node.orelse).block(node.body)
        handlers = tuple(
            Handler(
                self._place(each), handler_text(each, node.is_group), self._below(each.body), self._catches_all(each)
            )
            for each in node.handlers
        )
        yield from unless_empty(
            Try(self._place(node), body, handlers, self._below(node.orelse), self.block(node.final))
        )

    def _catches_all(self, handler: tree.Handler) -> bool:
        origins = {self.here.origin(each) for each in handler.types}
        return not handler.types or "builtins.BaseException" in origins

    def _with(self, node: tree.With) -> Iterator[Region]:
        yield from self._entered(node, node.items)

    def _entered(self, node: tree.With, items: tuple[tree.WithItem, ...]) -> Iterator[Region]:
        """The first item of a `with` with all that it is around."""
        if not items:
            yield from self.block(node.body).parts
            return
        (item, *others), call = items, items[0].value
        rest = tuple(others)
        origin = self.here.origin(call.function) if isinstance(call, Call) else None
        if origin in _GROUPS:
            name = item.target.name if isinstance(item.target, Name) else ""
            inner = replace(self, groups=(*self.groups, name))
            region = Parallel(self._place(item), _GROUPS[origin], Sequence(tuple(inner._entered(node, rest))))
            yield from unless_empty(region)
        elif origin in _TIME_LIMITS and isinstance(call, Call) and call.arguments:
            limit = call.arguments[0].value
            body = Sequence(tuple(self._entered(node, rest)))
            head = f"{_TIME_LIMITS[origin]} {duration_text(limit)}"
            timers = timers_of(limit) if origin == "asyncio.timeout" else Timers.PERHAPS
            yield Within(self._place(item), head, timers, body)
        else:
            yield from self._expression(call)
            told = tuple(self._entered(node, rest))
            if may_swallow(self.flow_class, self.here, call):
                yield from unless_empty(Managed(self._place(item), Sequence(told)))
            else:
                yield from told

    def _below(self, body: Block) -> Sequence:
        """A block that does not always run."""
        return replace(self, nested=True).block(body)

    def _repeated(self, body: Block) -> Sequence:
        """A block that runs again and again."""
        return replace(self, nested=True, is_tail=False).block(body)


def _has_else(node: tree.Branch) -> bool:
    match node.orelse:
        case (tree.Branch() as other,):
            return _has_else(other)
        case orelse:
            return bool(orelse)
