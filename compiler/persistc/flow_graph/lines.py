"""A graph as lines of text with a depth and a note: the outline above a flow, and `persistc graph`."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass, replace

from persistc.flow_graph.regions import (
    Branch,
    Break,
    Called,
    Continue,
    Dynamic,
    Loop,
    Managed,
    Parallel,
    Place,
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


@dataclass(frozen=True, slots=True)
class Line:
    """One line, `depth` levels below the flow."""

    depth: int
    text: str
    note: str = ""
    place: Place | None = None


def lines_of(region: Region, *, with_unknown: bool = False) -> tuple[Line, ...]:
    """The lines of a region; `with_unknown` also those that say what cannot be known."""
    return tuple(_Teller(with_unknown).lines(region))


@dataclass(frozen=True)
class _Teller:
    with_unknown: bool

    def lines(self, region: Region) -> Iterator[Line]:
        match region:
            case Sequence(parts=parts):
                for part in parts:
                    yield from self.lines(part)
            case Step(place=place, name=name, note=note):
                yield Line(0, name, note, place)
            case Wait(place=place, name=name, timeout=timeout, key=key):
                limit = f"at most {timeout}" if timeout else ""
                yield Line(0, name, joined("signal", f"by {key}" if key else "", limit), place)
            case Sleep(place=place, duration=duration):
                yield Line(0, f"sleep {duration}", "", place)
            case Branch():
                yield from self._branch(region)
            case Loop(place=place, head=head, test=test, body=body, orelse=orelse):
                yield from _under(head, place, [*self.lines(test), *self.lines(body)])
                yield from _under("else", None, [*self.lines(orelse)])
            case Parallel(place=place, body=body):
                yield from _under("in parallel", place, [*self.lines(body)])
            case Task(how=how, body=body):
                note = "as a task" if how is Started.TASK else ""
                yield from (replace(line, note=joined(line.note, note)) for line in self.lines(body))
            case Try():
                yield from self._try(region)
            case Within(place=place, head=head, body=body):
                yield from _under(head, place, [*self.lines(body)])
            case Managed(body=body):
                yield from self.lines(body)
            case Called(place=place, name=name, body=body):
                yield from _under(f"in {name}", place, [*self.lines(body)])
            case Return(place=place, is_early=is_early):
                if is_early:
                    yield Line(0, "return", "", place)
            case Raise(place=place, text=text, is_conditional=is_conditional):
                if is_conditional:
                    yield Line(0, text, "", place)
            case Break(place=place):
                yield Line(0, "break", "", place)
            case Continue(place=place):
                yield Line(0, "continue", "", place)
            case Dynamic(place=place, why=why, told=told, again=again):
                yield from self.lines(told)
                if again:
                    yield Line(0, f"in {again}", "again", place)
                elif self.with_unknown:
                    yield Line(0, "?", why, place)

    def _branch(self, branch: Branch) -> Iterator[Line]:
        told = [(arm, [*self.lines(arm.before)], [*self.lines(arm.body)]) for arm in branch.arms]
        if branch.subject:
            if any(before or body for _, before, body in told):
                yield Line(0, branch.subject, "", branch.place)
                for arm, before, body in told:
                    yield from _deeper([*before, Line(0, arm.text, "", arm.place), *_deeper(body)])
            return
        tail: list[Line] = []
        for arm, before, body in reversed(told):
            if not arm.text:
                tail = [*before, *body, *tail]
            elif arm.text == "else" or branch.is_expression:
                tail = [*_under(arm.text, arm.place, body), *tail]
            elif body or tail:
                tail = [*before, Line(0, arm.text, "", arm.place), *_deeper(body), *tail]
            else:
                tail = before
        yield from tail

    def _try(self, region: Try) -> Iterator[Line]:
        body, final = [*self.lines(region.body)], [*self.lines(region.final)]
        parts: list[tuple[str, Place | None, list[Line]]] = [
            (each.text, each.place, [*self.lines(each.body)]) for each in region.handlers
        ]
        if orelse := [*self.lines(region.orelse)]:
            parts.append(("else", None, orelse))
        if not body and not final and not any(lines for _, _, lines in parts):
            return
        if not parts and not final:
            yield from body
            return
        yield Line(0, "try", "", region.place)
        yield from _deeper(body)
        for text, place, lines in parts:
            yield Line(0, text, "", place)
            yield from _deeper(lines)
        yield from _under("finally", None, final)


def _under(head: str, place: Place | None, lines: Several[Line]) -> Iterator[Line]:
    """Lines below a headline; nothing when there are none."""
    if lines:
        yield Line(0, head, "", place)
        yield from _deeper(lines)


def _deeper(lines: Several[Line]) -> list[Line]:
    return [replace(line, depth=line.depth + 1) for line in lines]
