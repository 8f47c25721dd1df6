"""What a flow may call, in which order: a tree of regions, each with its place in the source.

The tree is structured as the source is. What an unmarked method or a local function calls stands in a `Called` where it
is called. Code that calls nothing the log would hold is left out, but for the ways it leaves a region early.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Several
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from persistc.spans import Span


@dataclass(frozen=True, slots=True)
class Place:
    """Where a region stands."""

    file: str
    """As findings show it."""
    span: Span

    @property
    def line(self) -> int:
        return self.span.start.line

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Timers(StrEnum):
    """Whether a sleep or a time limit leaves a row in the log: one of no time at all leaves none."""

    ONE = "one"
    NONE = "none"
    PERHAPS = "perhaps"


class Started(StrEnum):
    """How a task came to run beside the rest."""

    TASK = "task"
    """`asyncio.create_task`: nothing says when it has ended."""
    JOINED = "joined"
    """A branch of the parallel region around it, which waits for it."""
    UNAWAITED = "unawaited"
    """An async call that is not awaited there: it runs when somebody awaits it, if at all."""


@dataclass(frozen=True, slots=True)
class Step:
    """A call of a step; `note` is what its decorator says of delay and retry."""

    place: Place
    class_name: str
    """As the log has it: empty in a flow that is recorded under a name of its own."""
    name: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait for a signal."""

    place: Place
    class_name: str
    name: str
    timeout: str = ""
    key: str = ""


@dataclass(frozen=True, slots=True)
class Sleep:
    place: Place
    duration: str
    timers: Timers


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple[Region, ...] = ()


@dataclass(frozen=True, slots=True)
class Arm:
    """One way through a branch: `before` is what its condition calls."""

    place: Place
    text: str
    before: Sequence
    body: Sequence


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `match` and conditional expressions: the first arm whose condition holds, or none of them."""

    place: Place
    subject: str
    """Of `match`: `match order.kind`; else empty."""
    arms: tuple[Arm, ...]
    is_complete: bool
    """One of the arms is always taken."""
    is_expression: bool = False
    """Of `a if b else c`, whose arms are told each by itself."""


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop, which may run no time at all."""

    place: Place
    head: str
    """`for line in order.lines`, `while True`."""
    test: Sequence
    """What its condition calls, before each round."""
    body: Sequence
    orelse: Sequence
    is_endless: bool = False
    """Left by `break`, `return` and exceptions only."""


@dataclass(frozen=True, slots=True)
class Parallel:
    """A region that ends when the tasks started in it have."""

    place: Place
    how: str
    """`gather`, `TaskGroup`, `parallel`."""
    body: Sequence


@dataclass(frozen=True, slots=True)
class Task:
    """Runs beside what follows."""

    place: Place
    how: Started
    body: Sequence
    group: int | None = None
    """The parallel region that waits for it: 0 is the innermost, 1 the one around that."""


@dataclass(frozen=True, slots=True)
class Handler:
    place: Place
    text: str
    """`except Declined, TimeoutError`."""
    body: Sequence
    catches_all: bool


@dataclass(frozen=True, slots=True)
class Try:
    place: Place
    body: Sequence
    handlers: tuple[Handler, ...]
    orelse: Sequence
    final: Sequence


@dataclass(frozen=True, slots=True)
class Within:
    """A time limit, which is a timer of its own: `within 30 seconds`."""

    place: Place
    head: str
    timers: Timers
    body: Sequence


@dataclass(frozen=True, slots=True)
class Managed:
    """The body of a `with` that may swallow what is raised in it, so that what stands behind it goes on."""

    place: Place
    body: Sequence


@dataclass(frozen=True, slots=True)
class Called:
    """A method without a mark or a local function, told where it is called."""

    place: Place
    name: str
    body: Sequence


@dataclass(frozen=True, slots=True)
class Return:
    place: Place
    is_early: bool
    """There is more behind it that it leaves out."""


@dataclass(frozen=True, slots=True)
class Raise:
    place: Place
    text: str
    is_conditional: bool


@dataclass(frozen=True, slots=True)
class Break:
    place: Place


@dataclass(frozen=True, slots=True)
class Continue:
    place: Place


@dataclass(frozen=True, slots=True)
class Dynamic:
    """Calls that cannot be known before the flow runs."""

    place: Place
    why: str
    told: Sequence = Sequence()
    """What is known to be among them."""
    again: str = ""
    """The method that calls itself, where that is why."""


Region: TypeAlias = (
    Step
    | Wait
    | Sleep
    | Sequence
    | Branch
    | Loop
    | Parallel
    | Task
    | Try
    | Within
    | Managed
    | Called
    | Return
    | Raise
    | Break
    | Continue
    | Dynamic
)


@dataclass(frozen=True, slots=True)
class FlowGraph:
    """A flow of a class with all it may call."""

    module: str
    """The name it is imported by."""
    class_name: str
    name: str
    recorded: str
    """The name in the log: `Class.method`, or that of `@flow(name=...)`."""
    version: int
    place: Place
    body: Sequence

    @property
    def label(self) -> str:
        return f"{self.class_name}.{self.name}"


def is_empty(region: Region) -> bool:
    """Whether a region calls nothing and leads nowhere else."""
    match region:
        case Sequence(parts=parts):
            return all(map(is_empty, parts))
        case Branch(arms=arms):
            return all(is_empty(arm.before) and is_empty(arm.body) for arm in arms)
        case Loop(test=test, body=body, orelse=orelse):
            return is_empty(test) and is_empty(body) and is_empty(orelse)
        case Try(body=body, handlers=handlers, orelse=orelse, final=final):
            return all(map(is_empty, (body, orelse, final, *(each.body for each in handlers))))
        case Parallel(body=body) | Task(body=body) | Managed(body=body) | Called(body=body):
            return is_empty(body)
        case _:
            return False


def inside(regions: Several[Region]) -> Iterator[Region]:
    """The regions and all in them, each before its parts."""
    for region in regions:
        yield region
        yield from inside(parts_of(region))


def parts_of(region: Region) -> tuple[Region, ...]:
    """The regions directly in a region, in the order of the source."""
    match region:
        case Sequence(parts=parts):
            return parts
        case Branch(arms=arms):
            return tuple(each for arm in arms for each in (arm.before, arm.body))
        case Loop(test=test, body=body, orelse=orelse):
            return (test, body, orelse)
        case Try(body=body, handlers=handlers, orelse=orelse, final=final):
            return (body, *(each.body for each in handlers), orelse, final)
        case Parallel(body=body) | Task(body=body) | Managed(body=body) | Called(body=body) | Within(body=body):
            return (body,)
        case Dynamic(told=told):
            return (told,)
        case _:
            return ()


def calls(regions: Several[Region]) -> bool:
    """Whether anything in the regions would stand in the log."""
    return any(isinstance(each, Step | Wait | Sleep | Within | Dynamic) for each in inside(regions))
