"""A graph as boxes and arrows, which `mermaid` and `dot` write down."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from persistc.flow_graph.lines import lines_of
from persistc.flow_graph.regions import (
    Branch,
    Break,
    Called,
    Continue,
    Dynamic,
    FlowGraph,
    Loop,
    Managed,
    Parallel,
    Raise,
    Region,
    Return,
    Sequence,
    Sleep,
    Started,
    Step,
    Task,
    Try,
    Wait,
    Within,
)
from persistc.flow_graph.wording import joined


class Shape(StrEnum):
    """What a box stands for."""

    START = "start"
    END = "end"
    STEP = "step"
    SIGNAL = "signal"
    TIMER = "timer"
    DECISION = "decision"
    LOOP = "loop"
    FORK = "fork"
    JOIN = "join"
    TRY = "try"
    RAISE = "raise"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Box:
    number: int
    shape: Shape
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Arrow:
    source: int
    target: int
    label: str = ""
    is_dashed: bool = False
    """Taken when something fails, or beside what follows."""


@dataclass(frozen=True, slots=True)
class Chart:
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def chart_of(graph: FlowGraph) -> Chart:
    """The chart of a flow, from its start to its end."""
    drawer = _Drawer()
    start = drawer.box(Shape.START, graph.label, [])
    ways = _Ways()
    left = drawer.draw(graph.body, [_Exit(start)], ways)
    drawer.box(Shape.END, "end", [*left, *ways.returned])
    return Chart(tuple(drawer.boxes), tuple(dict.fromkeys(drawer.arrows)))


@dataclass(frozen=True, slots=True)
class _Exit:
    """A box from which an arrow is still to be drawn."""

    source: int
    label: str = ""
    is_dashed: bool = False


@dataclass
class _Ways:
    """The ways on which regions are left early."""

    returned: list[_Exit] = field(default_factory=list)
    broken: list[_Exit] = field(default_factory=list)
    continued: list[_Exit] = field(default_factory=list)


@dataclass
class _Drawer:
    boxes: list[Box] = field(default_factory=list)
    arrows: list[Arrow] = field(default_factory=list)

    def box(self, shape: Shape, text: str, sources: list[_Exit], note: str = "") -> int:
        """A new box with arrows to it."""
        number = len(self.boxes)
        self.boxes.append(Box(number, shape, text, note))
        self._arrive(sources, number)
        return number

    def _arrive(self, sources: list[_Exit], target: int) -> None:
        self.arrows += [Arrow(each.source, target, each.label, each.is_dashed) for each in sources]

    def _stop(self, shape: Shape, text: str, sources: list[_Exit], note: str = "") -> list[_Exit]:
        return [_Exit(self.box(shape, text, sources, note))]

    def draw(self, region: Region, sources: list[_Exit], ways: _Ways) -> list[_Exit]:
        """Draw a region behind these boxes; returns where it ends."""
        match region:
            case Sequence(parts=parts):
                for part in parts:
                    sources = self.draw(part, sources, ways)
                return sources
            case Step(name=name, note=note):
                return self._stop(Shape.STEP, name, sources, note)
            case Wait(name=name, timeout=timeout, key=key):
                limit = f"at most {timeout}" if timeout else ""
                return self._stop(Shape.SIGNAL, name, sources, joined(f"by {key}" if key else "", limit))
            case Sleep(duration=duration):
                return self._stop(Shape.TIMER, f"sleep {duration}", sources)
            case Within(head=head, body=body):
                return self.draw(body, self._stop(Shape.TIMER, head, sources), ways)
            case Managed(body=body):
                return self.draw(body, sources, ways)
            case Called(body=body):
                inner = _Ways()
                return [*self.draw(body, sources, inner), *inner.returned]
            case Dynamic(why=why, told=told):
                return self.draw(told, self._stop(Shape.UNKNOWN, "?", sources, why), ways)
            case Return():
                ways.returned += sources
                return []
            case Break():
                ways.broken += sources
                return []
            case Continue():
                ways.continued += sources
                return []
            case Raise(text=text):
                self.box(Shape.RAISE, text, sources)
                return []
        return sources if not lines_of(region, with_unknown=True) else self._compound(region, sources, ways)

    def _compound(
        self, region: Branch | Loop | Parallel | Task | Try, sources: list[_Exit], ways: _Ways
    ) -> list[_Exit]:
        match region:
            case Branch(subject=""):
                return self._branch(region, sources, ways)
            case Branch():
                return self._match(region, sources, ways)
            case Loop():
                return self._loop(region, sources, ways)
            case Parallel():
                return self._parallel(region, sources, ways)
            case Task(how=how, body=body):
                word = "as a task" if how is Started.TASK else "" if how is Started.JOINED else "at any time"
                begun = [_Exit(each.source, joined(each.label, word), is_dashed=True) for each in sources]
                self.draw(body, begun, _Ways())
                return sources
            case Try():
                return self._try(region, sources, ways)

    def _branch(self, branch: Branch, sources: list[_Exit], ways: _Ways) -> list[_Exit]:
        left: list[_Exit] = []
        for number, arm in enumerate(branch.arms):
            sources = self.draw(arm.before, sources, ways)
            is_last = branch.is_complete and number == len(branch.arms) - 1
            if is_last or not arm.text:
                left += [*self.draw(arm.body, sources, ways), *([] if is_last else sources)]
                return left
            asked = self.box(Shape.DECISION, arm.text.partition(" ")[2], sources)
            left += self.draw(arm.body, [_Exit(asked, "yes")], ways)
            sources = [_Exit(asked, "no")]
        return [*left, *sources]

    def _match(self, branch: Branch, sources: list[_Exit], ways: _Ways) -> list[_Exit]:
        asked = self.box(Shape.DECISION, branch.subject, sources)
        left = [] if branch.is_complete else [_Exit(asked, "otherwise")]
        for arm in branch.arms:
            entered = self.draw(arm.before, [_Exit(asked, arm.text)], ways)
            left += self.draw(arm.body, entered, ways)
        return left

    def _loop(self, loop: Loop, sources: list[_Exit], ways: _Ways) -> list[_Exit]:
        head = self.box(Shape.LOOP, loop.head, sources)
        inner = _Ways(returned=ways.returned)
        tested = self.draw(loop.test, [_Exit(head)], inner)
        again = self.draw(loop.body, [_Exit(each.source, joined(each.label, "each")) for each in tested], inner)
        self._arrive([*again, *inner.continued], head)
        after = [] if loop.is_endless else [_Exit(each.source, joined(each.label, "done")) for each in tested]
        return [*self.draw(loop.orelse, after, ways), *inner.broken]

    def _parallel(self, region: Parallel, sources: list[_Exit], ways: _Ways) -> list[_Exit]:
        fork = self.box(Shape.FORK, "in parallel", sources)
        branches: list[_Exit] = []
        left = self._within_fork(region.body, [_Exit(fork)], branches, ways)
        waited = [each for each in left if each.source != fork or not branches]
        return [_Exit(self.box(Shape.JOIN, "all of them", [*branches, *waited]))]

    def _within_fork(self, body: Sequence, sources: list[_Exit], branches: list[_Exit], ways: _Ways) -> list[_Exit]:
        """The body of a parallel region: each branch leads to its end, what the body itself calls comes in order."""
        for part in body.parts:
            match part:
                case Task(how=Started.JOINED, body=inside):
                    branches += self.draw(inside, sources, _Ways())
                case Loop(head=head, body=inside, test=Sequence(parts=())) if _only_branches(inside):
                    each = [_Exit(self.box(Shape.LOOP, head, sources), "each")]
                    self._within_fork(inside, each, branches, ways)
                case _:
                    sources = self.draw(part, sources, ways)
        return sources

    def _try(self, region: Try, sources: list[_Exit], ways: _Ways) -> list[_Exit]:
        begun = self.box(Shape.TRY, "try", sources)
        inner = _Ways()
        left = self.draw(region.orelse, self.draw(region.body, [_Exit(begun)], inner), inner)
        for handler in region.handlers:
            left += self.draw(handler.body, [_Exit(begun, handler.text, is_dashed=True)], inner)
        if not lines_of(region.final):
            ways.returned += inner.returned
            ways.broken += inner.broken
            ways.continued += inner.continued
            return left
        early = [*inner.returned, *inner.broken, *inner.continued]
        left = self.draw(region.final, [*left, *early], ways)
        if inner.returned:
            ways.returned += [_Exit(each.source, "return") for each in left]
        if inner.broken:
            ways.broken += [_Exit(each.source, "break") for each in left]
        if inner.continued:
            ways.continued += [_Exit(each.source, "continue") for each in left]
        return left


def _only_branches(body: Sequence) -> bool:
    return all(isinstance(part, Task) and part.how is Started.JOINED for part in body.parts)
