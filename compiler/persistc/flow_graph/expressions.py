"""What expressions call: steps, waits, what is gathered or started as a task, methods told where they are called."""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from persistc import flow_tree as tree
from persistc.checks.exception_scope import inside
from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody, is_super
from persistc.checks.references import is_proxy
from persistc.durations import duration_text
from persistc.expression_text import target_text
from persistc.flow_graph.decorated import PROPERTIES, decorated, decorators_of
from persistc.flow_graph.members import Member, member_of
from persistc.flow_graph.regions import (
    Arm,
    Branch,
    Called,
    Dynamic,
    Loop,
    Managed,
    Parallel,
    Place,
    Region,
    Sequence,
    Sleep,
    Started,
    Step,
    Task,
    Wait,
    Within,
    calls,
    is_empty,
)
from persistc.flow_graph.wording import (
    argument,
    cut,
    keyword,
    short,
    step_note,
    timers_of,
)
from persistc.flow_tree import Attribute, Block, Call, Constant, Expression, Name, Node, children, dotted
from persistc.model import PACKAGE, Kind

_SLEEPS = frozenset({"asyncio.sleep", f"{PACKAGE}.sleep"})
_TASK_MAKERS = frozenset({"asyncio.create_task", "asyncio.ensure_future"})
_STARTERS = frozenset({"start", "create_task"})
_SETTERS = frozenset({"call_later", "call_at", "reschedule"})


class _Runs(Enum):
    """What becomes of a coroutine that an expression makes."""

    NOW = auto()
    """It is awaited."""
    IN_REGION = auto()
    """The parallel region around it runs it and waits for it."""
    AS_TASK = auto()
    LATER = auto()
    """It is kept, or handed on: whoever has it may await it."""


@dataclass
class ExpressionTeller(ABC):
    """Tells what expressions call; statements are told by the class derived from it."""

    flow_class: FlowClass
    recorded_class: str
    """What the log has as the class of calls on `self`."""
    here: FlowBody
    inside: tuple[str, ...] = ()
    """The methods and local functions being told, so that recursion ends."""
    local: dict[str, tree.NestedFunction] = field(default_factory=dict)
    nested: bool = False
    """Below a condition or loop, where leaving early is worth a word."""
    is_tail: bool = True
    """Nothing of the function comes behind this block, so that returning from it leaves nothing out."""
    groups: tuple[str, ...] = ()
    """The names of the parallel regions around it, the innermost last; empty for one without a name."""

    @abstractmethod
    def block(self, body: Block) -> Sequence:
        """What the statements of a block call."""

    def _node(self, node: Node, runs: _Runs = _Runs.LATER) -> Iterator[Region]:
        match node:
            case tree.Await(value=value):
                yield from self._node(value, _Runs.NOW)
            case Call():
                yield from self._call(node, runs)
            case Attribute(value=Attribute() as owner) if (found := self._member(owner)) is not None and found.is_own:
                yield from self._property(found, node)  # `self.charge.__name__` calls nothing
            case Attribute():
                yield from self._attribute(node)
            case Name(name=name) if name in self.local:
                yield from self._handed_on(node, name, self._local_function(node, name))
            case Name() if is_proxy(self.flow_class, self.here, node):
                yield self._kept_proxy(node)
            case tree.Comprehension():
                yield from self._comprehension(node, runs)
            case tree.Conditional(test=test, body=body, orelse=orelse):
                yield from self._expression(test)
                arms = tuple(
                    Arm(self._place(each), text, Sequence(), Sequence(tuple(self._node(each, runs))))
                    for each, text in ((body, f"if {short(test)}"), (orelse, f"if not {short(test)}"))
                )
                yield from unless_empty(Branch(self._place(node), "", arms, True, is_expression=True))
            case tree.Operation(operator="and" | "or", left=left, right=right):
                yield from self._expression(left)
                yield from self._perhaps(node, self._expression(right))
            case tree.Compound(text=text, parts=parts):
                told = [tuple(self._node(part)) for part in parts]
                if any(map(calls, told[2:])) and _is_chain(text):
                    told[1:] = [(*told[1], *self._one_by_one(parts[2:], told[2:]))]
                yield from (region for each in told for region in each)
            case tree.Lambda(body=body):
                if calls(tuple(self._expression(body))):
                    yield self._beside(node, "a lambda calls steps, and nothing says when it is called", ())
            case _:
                for child in children(node):
                    yield from self._node(child)

    def _expression(self, node: Expression) -> Iterator[Region]:
        return self._node(node)

    def _perhaps(self, node: Node, regions: Iterable[Region]) -> Iterator[Region]:
        """What runs if what stands before it says so."""
        arm = Arm(self._place(node), "", Sequence(), Sequence(tuple(regions)))
        yield from unless_empty(Branch(arm.place, "", (arm,), False))

    def _one_by_one(self, parts: Several[Expression], told: Several[tuple[Region, ...]]) -> Iterator[Region]:
        """Parts each of which is come to only if those before it say so."""
        if parts:
            yield from self._perhaps(parts[0], (*told[0], *self._one_by_one(parts[1:], told[1:])))

    def _comprehension(self, node: tree.Comprehension, runs: _Runs) -> Iterator[Region]:
        yield from self._expression(node.clauses[0].over)
        inner = [region for each in node.clauses[1:] for region in self._expression(each.over)]
        conditions = [each for clause in node.clauses for each in clause.conditions]
        inner += [region for each in conditions for region in self._expression(each)]
        elements = [region for each in node.elements for region in self._node(each, runs)]
        if conditions:
            elements = list(self._perhaps(node, elements))
        head = " ".join(f"for {target_text(each.target)} in {short(each.over)}" for each in node.clauses)
        loop = Loop(self._place(node), cut(head), Sequence(), Sequence((*inner, *elements)), Sequence())
        yield from unless_empty(loop)

    def _attribute(self, node: Attribute) -> Iterator[Region]:
        """An attribute that is not called there: a method that is handed on or kept, a property, or anything else."""
        found = self._member(node)
        if found is not None:
            if found.owned.method.has_decorator(*PROPERTIES):
                yield from self._property(found, node)
            else:
                yield from self._handed_on(node, node.name, self._method(node, found))
        elif is_proxy(self.flow_class, self.here, node):
            yield self._kept_proxy(node)
        else:
            yield from self._node(node.value)

    def _kept_proxy(self, node: Attribute | Name) -> Task:
        return self._beside(node, f"nothing says who calls steps of `{dotted(node)}`", ())

    def _property(self, found: Member, node: Attribute) -> Iterator[Region]:
        method = found.owned.method
        if method.has_decorator(*PROPERTIES):
            yield from self._told(node, found)

    def _handed_on(self, node: Node, name: str, regions: Iterable[Region]) -> Iterator[Region]:
        told = tuple(regions)
        if calls(told):
            yield self._beside(node, f"`{name}` is handed on, and nothing says when it is called", told)

    def _beside(self, node: Node, why: str, told: tuple[Region, ...]) -> Task:
        """Calls that may come at any time from here on."""
        place = self._place(node)
        return Task(place, Started.UNAWAITED, Sequence((Dynamic(place, why, told=Sequence(told)),)))

    def _call(self, node: Call, runs: _Runs) -> Iterator[Region]:
        match node.function:
            case Attribute() as function if (found := self._member(function)) is not None:
                yield from self._arguments(node)
                is_async = found.owned.method.is_async and not found.owned.method.is_generator
                yield from self._running(node, tuple(self._method(node, found)), runs if is_async else _Runs.NOW)
                return
            case Name(name=name) if name in self.local:
                yield from self._arguments(node)
                told = tuple(self._local_function(node, name))
                yield from self._running(node, told, runs if self.local[name].is_async else _Runs.NOW)
                return
        origin = self.here.origin(node.function)
        if is_super(node):
            return
        if origin == f"{PACKAGE}.wait_for_signal":
            yield from self._running(node, tuple(self._wait(node)), runs if self.here.method.is_async else _Runs.NOW)
        elif origin == "asyncio.gather":
            yield from self._running(node, tuple(self._gather(node)), runs)
        elif origin in _SLEEPS and node.arguments:
            duration = node.arguments[0].value
            slept = Sleep(self._place(node), duration_text(duration), timers_of(duration))
            yield from self._running(node, (slept,), runs if origin == "asyncio.sleep" else _Runs.NOW)
        elif origin == "asyncio.wait_for" and (limit := argument(node.arguments, 1, "timeout")) is not None:
            waited = Sequence(tuple(self._node(node.arguments[0].value, _Runs.NOW)))
            within = Within(self._place(node), f"within {duration_text(limit)}", timers_of(limit), waited)
            yield from self._running(node, (within,), runs)
        elif origin == "asyncio.wait" and (limit := keyword(node.arguments, "timeout")) is not None:
            yield from self._arguments(node)
            within = Within(self._place(node), f"within {duration_text(limit)}", timers_of(limit), Sequence())
            yield from self._running(node, (within,), runs)
        elif origin in _TASK_MAKERS:
            how = _Runs.AS_TASK if origin == "asyncio.create_task" else _Runs.LATER
            for each in node.arguments:
                yield from self._node(each.value, how)
        elif origin == "asyncio.to_thread" and node.arguments:
            yield from self._arguments(node, skip=1)
            yield from self._running(node, tuple(self._called_by_other(node.arguments[0].value)), runs)
        elif isinstance(node.function, Attribute) and node.function.name in _STARTERS and node.arguments:
            yield from self._started(node, node.function)
        else:
            yield from self._of_others(node, origin, runs)

    def _of_others(self, node: Call, origin: str | None, runs: _Runs) -> Iterator[Region]:
        """A call of a function that is none of the flow class."""
        yield from self._expression(node.function)
        name = cut(dotted(node.function) or short(node.function))
        if origin == "builtins.getattr" and node.arguments and self.here.is_self(node.arguments[0].value):
            yield from self._looked_up(node)
            return
        yield from self._arguments(node)
        is_given_self = any(self.here.is_self(each.value) for each in node.arguments)
        if is_given_self and not (origin or "").startswith("builtins."):
            yield self._beside(node, f"`{name}` is given `{self.here.self_name}` and may call any step", ())
        elif isinstance(node.function, Attribute) and node.function.name in _SETTERS:
            yield self._beside(node, f"`{name}` sets timers", ())
        elif runs is not _Runs.LATER and origin is not None and origin.startswith("."):
            yield Dynamic(self._place(node), f"what `{name}` awaits is not followed")

    def _looked_up(self, node: Call) -> Iterator[Region]:
        """`getattr(self, name)`."""
        match node.arguments:
            case (_, tree.Argument(value=Constant(value=str() as name)), *_):
                yield from self._attribute(Attribute(node.span, node.arguments[0].value, name))
            case _:
                yield self._beside(node, f"`{cut(short(node))}` may be any step", ())

    def _arguments(self, node: Call, skip: int = 0) -> Iterator[Region]:
        for each in node.arguments[skip:]:
            yield from self._expression(each.value)

    def _gather(self, node: Call) -> Iterator[Region]:
        inner = replace(self, groups=(*self.groups, ""))
        parts: list[Region] = []
        for each in node.arguments:
            if each.keyword is None:
                parts += self._branches(inner, each.value)
        returned = keyword(node.arguments, "return_exceptions")
        if returned is not None and not (isinstance(returned, Constant) and not returned.value):
            parts = [_may_fail(part) for part in parts]
        yield from unless_empty(Parallel(self._place(node), "gather", Sequence(tuple(parts))))

    def _branches(self, inner: ExpressionTeller, value: Expression) -> Iterator[Region]:
        match value:
            case tree.Display(items=items):
                for item in items:
                    yield from self._branches(inner, item)
            case tree.Starred(value=starred):
                yield from self._branches(inner, starred)
            case _:
                yield from inner._node(value, _Runs.IN_REGION)

    def _started(self, node: Call, function: Attribute) -> Iterator[Region]:
        """`group.create_task(self.pack())`, `branches.start(self.pack)`."""
        group = function.value.name if isinstance(function.value, Name) else ""
        is_known = bool(group) and group in self.groups
        if function.name == "create_task":
            yield from self._expression(function.value)
            first, *others = node.arguments
            how = _Runs.IN_REGION if is_known else _Runs.LATER
            depth = self.groups[::-1].index(group) if is_known else 0
            for region in self._node(first.value, how):
                yield replace(region, group=depth) if isinstance(region, Task) and region.group == 0 else region
            for each in others:
                yield from self._expression(each.value)
            return
        if not is_known:
            yield from self._of_others(node, self.here.origin(function), _Runs.LATER)
            return
        yield from self._arguments(node, skip=1)
        told = tuple(self._called_by_other(node.arguments[0].value))
        if calls(told):
            yield Task(self._place(node), Started.JOINED, Sequence(told), self.groups[::-1].index(group))

    def _called_by_other(self, function: Expression) -> Iterator[Region]:
        """A function that is handed to something that calls it once."""
        match function:
            case Attribute() if (found := self._member(function)) is not None:
                yield from self._method(function, found)
            case Name(name=name) if name in self.local:
                yield from self._local_function(function, name)
            case tree.Lambda(body=body):
                yield from self._expression(body)
            case _:
                yield from self._expression(function)

    def _running(self, node: Node, told: tuple[Region, ...], runs: _Runs) -> Iterator[Region]:
        """What a coroutine does, in the way it is made to run."""
        if runs is _Runs.NOW or not calls(told):
            yield from told
        elif runs is _Runs.IN_REGION:
            yield Task(self._place(node), Started.JOINED, Sequence(told), 0)
        else:
            how = Started.TASK if runs is _Runs.AS_TASK else Started.UNAWAITED
            yield Task(self._place(node), how, Sequence(told))

    def _wait(self, node: Call) -> Iterator[Region]:
        waited = node.arguments[0].value if node.arguments else None
        timeout = keyword(node.arguments, "timeout")
        limited = timeout is not None and not (isinstance(timeout, Constant) and timeout.value is None)
        key = keyword(node.arguments, "key")
        limit = duration_text(timeout) if timeout is not None and limited else ""
        keyed = short(key) if key is not None else ""
        place = self._place(node)
        for each in (timeout, key):
            if each is not None:
                yield from self._expression(each)
        if isinstance(waited, Attribute):
            yield Wait(place, self.recorded_class, waited.name, limit, keyed)
        else:
            told = Wait(place, self.recorded_class, "a signal", limit, keyed)
            yield Dynamic(place, "which signal is waited for", told=Sequence((told,)))

    def _method(self, node: Node, found: Member) -> Iterator[Region]:
        """A method that is called: a step as it is, a method of the user's own with what it calls."""
        method = found.owned.method
        class_name = self.recorded_class if found.is_own else found.class_name
        match method.kind:
            case Kind.STEP:
                yield Step(self._place(node), class_name, method.name, step_note(method))
            case Kind.SIGNAL:
                yield Wait(self._place(node), class_name, method.name)
            case _:
                yield from self._told(node, found)

    def _told(self, node: Node, found: Member) -> Iterator[Region]:
        method = found.owned.method
        key = f"{found.owned.owner.qualified}.{method.name}"
        if key in self.inside:
            yield Dynamic(self._place(node), f"`{method.name}` calls itself", again=method.name)
            return
        body = FlowBody(found.owned, (), self.flow_class.project)
        teller = replace(self, here=body, inside=(*self.inside, key), local={}, nested=False, is_tail=True, groups=())
        called = Called(self._place(node), method.name, teller.block(method.body))
        yield from decorated(called, decorators_of(method), method.is_generator)

    def _local_function(self, node: Node, name: str) -> Iterator[Region]:
        """A function defined in the body, told where it is called or handed on."""
        if name in self.inside:
            yield Dynamic(self._place(node), f"`{name}` calls itself")
            return
        teller = replace(self, inside=(*self.inside, name), nested=False, is_tail=True)
        function = self.local[name]
        called = Called(self._place(node), name, teller.block(function.body))
        functions = {each.function if isinstance(each, Call) else each for each in function.decorators}
        decorators = {short(each): self.here.origin(each) for each in functions}
        is_generator = any(isinstance(each, tree.Yield) for each in inside(function.body))
        yield from decorated(called, decorators, is_generator)

    def _member(self, attribute: Attribute) -> Member | None:
        return member_of(self.flow_class, self.here, attribute)

    def _place(self, node: Node) -> Place:
        return Place(self.here.module.file, node.span)


def _may_fail(region: Region) -> Region:
    """A branch of a region that takes its exception for its result; branches from a loop are told in it."""
    match region:
        case Task(place=place, body=body, group=0):
            return replace(region, body=Sequence((Managed(place, body),)))
        case Loop(body=body):
            return replace(region, body=Sequence(tuple(map(_may_fail, body.parts))))
        case Branch(arms=arms):
            told = [replace(arm, body=Sequence(tuple(map(_may_fail, arm.body.parts)))) for arm in arms]
            return replace(region, arms=tuple(told))
        case _:
            return region


def _is_chain(text: str) -> bool:
    """Whether an expression compares one after the other, `a < b < c`; a slice does not parse by itself."""
    try:
        return isinstance(ast.parse(f"({text}\n)", mode="eval").body, ast.Compare)
    except SyntaxError:
        return False


def unless_empty(region: Region) -> Iterator[Region]:
    """A region in which anything is called or left."""
    if not is_empty(region):
        yield region
