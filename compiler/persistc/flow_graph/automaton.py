"""From a graph to an automaton: nodes that make a call, choose, start something beside, or end.

It is built from the end backwards, each region being told what comes behind it and where leaving it early leads: to
the end of a method or loop, to a handler, or out of a parallel region, by way of the `finally` blocks in between. What
plain code raises is not seen, so an exception may come at the start of a `try`, behind every call, and behind every
region that catches some.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeAlias

from persistc.flow_graph.regions import (
    Arm,
    Branch,
    Break,
    Called,
    Continue,
    Dynamic,
    FlowGraph,
    Loop,
    Managed,
    Parallel,
    Place,
    Raise,
    Region,
    Return,
    Sequence,
    Sleep,
    Step,
    Task,
    Timers,
    Try,
    Wait,
    Within,
    is_empty,
)
from persistc.flow_graph.shapes import shape


class CallKind(StrEnum):
    """What a flow asks for, as the log has it."""

    STEP = "STEP"
    SIGNAL = "SIGNAL"
    TIMER = "TIMER"


@dataclass(frozen=True, slots=True)
class Call:
    """One call in the history of a flow."""

    kind: CallKind
    class_name: str = ""
    """Empty for timers, and where the flow is recorded under a name of its own."""
    method_name: str = ""

    def __str__(self) -> str:
        return "a timer" if self.kind is CallKind.TIMER else f"`{self.method_name}`"


TIMER = Call(CallKind.TIMER)


@dataclass(frozen=True, slots=True)
class Fire:
    """Makes a call."""

    call: Call
    place: Place
    then: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """Makes any calls, as many as it likes."""

    why: str
    place: Place
    then: int


@dataclass(frozen=True, slots=True)
class Choice:
    ways: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Launch:
    """Starts a thread, in a region or (None) for itself."""

    start: int
    region: int | None
    then: int


@dataclass(frozen=True, slots=True)
class Enter:
    """Begins a parallel region."""

    region: int
    body: int


@dataclass(frozen=True, slots=True)
class Leave:
    """The body of a parallel region is over; what comes then waits for its threads."""

    then: int


@dataclass(frozen=True, slots=True)
class Fail:
    """An exception leaves the body of a parallel region."""


@dataclass(frozen=True, slots=True)
class End:
    """A thread has ended."""


@dataclass(frozen=True, slots=True)
class Crash:
    """A thread has failed."""


Node: TypeAlias = Fire | Unknown | Choice | Launch | Enter | Leave | Fail | End | Crash

END, CRASH = 0, 1


@dataclass(frozen=True, slots=True)
class ParallelRegion:
    on_failure: int
    cancels: bool
    """When a thread of it fails, the others are stopped; otherwise they go on by themselves."""


@dataclass(frozen=True, slots=True)
class Automaton:
    nodes: tuple[Node, ...]
    rescues: tuple[int, ...]
    """For each node, where an exception at it leads."""
    regions: tuple[ParallelRegion, ...]
    start: int


def automaton_of(graph: FlowGraph) -> Automaton:
    """The automaton of a flow."""
    composer = _Composer()
    start = composer.region(graph.body, END, _Ways(END, END, END, END, False, ()))
    nodes = tuple(composer.nodes)
    return Automaton(nodes, tuple(composer.rescues), tuple(composer.regions), start)


@dataclass(frozen=True, slots=True)
class _Ways:
    """Where leaving a region early leads."""

    on_return: int
    on_break: int
    on_continue: int
    on_raise: int
    is_rescued: bool
    """An exception leads anywhere but to the end of the flow."""
    regions: tuple[int, ...]
    """The parallel regions around, the innermost last."""


@dataclass
class _Composer:
    nodes: list[Node] = field(default_factory=lambda: [End(), Crash()])
    rescues: list[int] = field(default_factory=lambda: [END, CRASH])
    regions: list[ParallelRegion] = field(default_factory=list)
    tasks: dict[tuple[Hashable, _Ways], int] = field(default_factory=dict)
    """Where the tasks of each shape begin."""

    def _new(self, node: Node, ways: _Ways) -> int:
        self.nodes.append(node)
        self.rescues.append(ways.on_raise)
        return len(self.nodes) - 1

    def _behind(self, then: int, ways: _Ways) -> int:
        """What comes behind something that may raise."""
        return self._new(Choice((then, ways.on_raise)), ways) if ways.is_rescued else then

    def region(self, region: Region, then: int, ways: _Ways) -> int:
        """The first node of a region, with `then` behind it."""
        match region:
            case Sequence(parts=parts):
                for part in reversed(parts):
                    then = self.region(part, then, ways)
                return then
            case Step(place=place, class_name=class_name, name=name):
                return self._fire(Call(CallKind.STEP, class_name, name), place, then, ways)
            case Wait(place=place, class_name=class_name, name=name):
                return self._fire(Call(CallKind.SIGNAL, class_name, name), place, then, ways)
            case Sleep(place=place, timers=timers):
                return self._timer(timers, place, then, ways)
            case Within(place=place, timers=timers, body=body):
                return self._timer(timers, place, self.region(body, then, ways), ways)
            case Branch():
                return self._branch(region, then, ways)
            case Loop():
                return self._loop(region, then, ways)
            case Try():
                return self._try(region, then, ways)
            case Parallel():
                return self._parallel(region, then, ways)
            case Task():
                return self._task(region, then, ways)
            case Managed(body=body):
                return self._managed(body, then, ways)
            case Called(body=body):
                return self.region(body, then, replace(ways, on_return=then))
            case Return():
                return ways.on_return
            case Raise():
                return ways.on_raise
            case Break():
                return ways.on_break
            case Continue():
                return ways.on_continue
            case Dynamic(place=place, why=why):
                return self._new(Unknown(why, place, self._behind(then, ways)), ways)

    def _fire(self, call: Call, place: Place, then: int, ways: _Ways) -> int:
        return self._new(Fire(call, place, self._behind(then, ways)), ways)

    def _timer(self, timers: Timers, place: Place, then: int, ways: _Ways) -> int:
        if timers is Timers.NONE:
            return then
        fired = self._fire(TIMER, place, then, ways)
        return fired if timers is Timers.ONE else self._new(Choice((fired, then)), ways)

    def _branch(self, branch: Branch, then: int, ways: _Ways) -> int:
        *others, last = branch.arms
        entry = self._arm(last, then if not branch.is_complete else None, then, ways)
        for arm in reversed(others):
            entry = self._arm(arm, entry, then, ways)
        return entry

    def _arm(self, arm: Arm, otherwise: int | None, then: int, ways: _Ways) -> int:
        body = self.region(arm.body, then, ways)
        chosen = body if otherwise is None else self._new(Choice((body, otherwise)), ways)
        return self.region(arm.before, chosen, ways)

    def _loop(self, loop: Loop, then: int, ways: _Ways) -> int:
        head = self._new(Choice(()), ways)
        inner = replace(ways, on_break=then, on_continue=head)
        body = self.region(loop.body, head, inner)
        after = () if loop.is_endless else (self.region(loop.orelse, then, ways),)
        self.nodes[head] = Choice((self.region(loop.test, self._new(Choice((body, *after)), ways), ways),))
        return head

    def _try(self, region: Try, then: int, ways: _Ways) -> int:
        then = self._behind(then, ways)
        copies: dict[int, int] = {}

        def finally_to(target: int) -> int:
            if is_empty(region.final):
                return target
            if target not in copies:
                copies[target] = self._behind(self.region(region.final, target, ways), ways)
            return copies[target]

        outer = replace(
            ways,
            on_return=finally_to(ways.on_return),
            on_break=finally_to(ways.on_break),
            on_continue=finally_to(ways.on_continue),
            on_raise=finally_to(ways.on_raise),
            is_rescued=ways.is_rescued or not is_empty(region.final),
        )
        then = finally_to(then)
        caught = [self._behind(self.region(each.body, then, outer), outer) for each in region.handlers]
        if not any(each.catches_all for each in region.handlers):
            caught.append(outer.on_raise)
        inner = replace(outer, on_raise=self._new(Choice(tuple(caught)), outer), is_rescued=True)
        body = self.region(region.body, self.region(region.orelse, then, outer), inner)
        return self._behind(body, inner)

    def _managed(self, body: Sequence, then: int, ways: _Ways) -> int:
        """Whatever is raised in it leads on behind it, or out."""
        then = self._behind(then, ways)
        raised = self._new(Choice((then, ways.on_raise)), ways)
        inner = replace(ways, on_raise=raised, is_rescued=True)
        return self._behind(self.region(body, then, inner), inner)

    def _parallel(self, region: Parallel, then: int, ways: _Ways) -> int:
        number = len(self.regions)
        self.regions.append(ParallelRegion(ways.on_raise, region.how != "gather"))
        inner = replace(
            ways,
            on_return=self._new(Leave(ways.on_return), ways),
            on_break=self._new(Leave(ways.on_break), ways),
            on_continue=self._new(Leave(ways.on_continue), ways),
            on_raise=self._new(Fail(), ways),
            regions=(*ways.regions, number),
        )
        body = self.region(region.body, self._new(Leave(self._behind(then, ways)), ways), inner)
        return self._new(Enter(number, body), ways)

    def _task(self, task: Task, then: int, ways: _Ways) -> int:
        joined = task.group is not None and task.group < len(ways.regions)
        number = ways.regions[-1 - task.group] if joined and task.group is not None else None
        own = replace(ways, on_return=END, on_raise=CRASH, is_rescued=ways.is_rescued and joined)
        # Tasks that do the same are threads of one kind, of which it is enough to know how many stand where.
        alike = (shape(task.body), own)
        if alike not in self.tasks:
            self.tasks[alike] = self.region(task.body, END, own)
        start = self.tasks[alike]
        return self._new(Launch(start, number, self._behind(then, ways)), ways)
