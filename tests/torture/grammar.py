"""Random programs: trees of statements, drawn from a seed, that `source` writes down as flow classes.

A *calm* program is one whose result does not depend on timing: whatever crashes and in whatever order bodies end, it
comes to the same result as a run in which nothing goes wrong. A *wild* one may do anything.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

Option = str | int | float | bool | None
Options = tuple[tuple[str, Option], ...]

FATAL: Final = 1000
"""So many failures end a flow that does not catch them; in a mended world there are none of these."""
BEHAVIOURS: Final = ("obeys", "obeys", "ignores", "protests")
"""What a body does when it is asked to stop."""


@dataclass(frozen=True, slots=True)
class Node:
    """A statement of a program."""

    kind: str
    children: tuple[Node, ...] = ()
    options: Options = ()

    def __getitem__(self, name: str) -> Option:
        return dict(self.options)[name]

    def number(self, name: str) -> int:
        """An option that is a whole number."""
        value = self[name]
        assert isinstance(value, int)
        return value

    def having(self, **options: Option) -> Node:
        """The same statement with other options."""
        return replace(self, options=tuple({**dict(self.options), **options}.items()))

    def walk(self) -> Iterator[Node]:
        """The statement and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Program:
    """A program, and what kind of flow it is written as."""

    root: Node
    plain: bool
    calm: bool


NOTHING: Final = Node("nothing")


def node(kind: str, *children: Node, **options: Option) -> Node:
    """A statement."""
    return Node(kind, children, tuple(options.items()))


def random_program(seed: int) -> Program:
    """The program of a seed."""
    chance = random.Random(f"program {seed}")
    plain, calm = chance.random() < 0.25, chance.random() < 0.4
    maker = _Maker(chance, plain=plain, calm=calm)
    return Program(maker.statement(chance.choice((1, 2, 2, 3, 3)), guarded=False), plain, calm)


class _Maker:
    """Draws statements.

    `guarded` says whether a failure of the statement may be caught or dropped, so that the result of the flow shows
    what failed: a calm program has fatal steps only where nothing does that.
    """

    def __init__(self, chance: random.Random, *, plain: bool, calm: bool) -> None:
        self.chance = chance
        self.plain = plain
        self.calm = calm
        self.names = 0
        self.left = 16
        """How many leaves the program may still get: schedules of long ones take long and find little more."""

    def statement(self, depth: int, *, guarded: bool) -> Node:
        """A statement with at most so many levels below it."""
        if depth <= 0 or self.left <= 0:
            return self._leaf(guarded)
        makers = [*_SHARED, *(_PLAIN if self.plain else _ASYNC)]
        if not self.calm:
            makers += [] if self.plain else _WILD
        return self.chance.choice(makers)(self, depth - 1, guarded)

    def some(self, depth: int, guarded: bool, least: int = 1, most: int = 4) -> list[Node]:
        """Several statements."""
        return [self.statement(depth, guarded=guarded) for _ in range(self.chance.randint(least, most))]

    def seconds(self) -> float:
        return self.chance.choice((0.5, 1, 3, 10, 60))

    def _leaf(self, guarded: bool) -> Node:
        chance = self.chance
        self.left -= 1
        kind = chance.random()
        if kind < 0.06:
            return node("sleep", seconds=chance.choice((0, 0.5, 1, 3, 10)))
        if kind < 0.14:
            limit = None if self.calm else chance.choice((None, 1, 10))
            return node("signal", method=chance.choice(("told", "asked")), key=chance.choice(("a", None)), limit=limit)
        if kind < 0.16:
            return node("raise")
        return self._step(guarded)

    def _step(self, guarded: bool) -> Node:
        chance = self.chance
        self.names += 1
        form = "plain" if self.plain else chance.choice(("async", "async", "async", "async", "plain", "thread"))
        once = not self.calm and chance.random() < 0.08
        retry = 0 if once else chance.choice((0, 0, 0, 2, 3))
        fails = chance.choice((0, 0, 0, 0, 0, 1, 1, 2, 3))
        if chance.random() < 0.06 and not (self.calm and guarded):
            fails = FATAL
        behaviour = chance.choice(BEHAVIOURS)
        if self.calm and guarded and (retry or behaviour == "protests"):
            behaviour = "obeys"  # being stopped must not make it fail: nobody would see that, and mend it
        elif not self.calm and chance.random() < 0.03:
            behaviour = "unstorable"
        return node(
            "step",
            name=f"s{self.names}",
            form=form,
            once=once,
            retry=retry,
            delay=chance.choice((0, 0, 0, 0, 0, 5)),
            listed=chance.random() < 0.7,
            fails=fails,
            behaviour=behaviour,
        )


_Make = Callable[[_Maker, int, bool], Node]


def _sequence(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("sequence", *make.some(depth, guarded, 2, 4))


def _branch(make: _Maker, depth: int, guarded: bool) -> Node:
    condition, *arms = (make.statement(each, guarded=guarded) for each in (0, depth, depth))
    return node("branch", condition, *arms)


def _loop(make: _Maker, depth: int, guarded: bool) -> Node:
    ends_early = make.chance.random() < 0.3
    return node("loop", make.statement(depth, guarded=guarded), times=make.chance.randint(1, 3), ends_early=ends_early)


def _attempt(make: _Maker, depth: int, guarded: bool) -> Node:
    inner, handler, final = (make.statement(each, guarded=True) for each in (depth, depth - 1, 0))
    catches = "Exception" if make.calm else make.chance.choice(("Exception", "Exception", "Declined", "BaseException"))
    return node("attempt", inner, handler, final, catches=catches)


def _ensure(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("ensure", make.statement(depth, guarded=guarded), make.statement(0, guarded=guarded))


def _parallel(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("parallel", *make.some(depth, guarded), early=make.chance.random() < 0.3)


def _gather(make: _Maker, depth: int, guarded: bool) -> Node:
    keeps = make.chance.random() < 0.5
    return node("gather", *make.some(depth, guarded or keeps), keeps=keeps, named=not make.calm)


def _group(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("group", *make.some(depth, guarded))


def _wait_all(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("wait", *make.some(depth, True), until="ALL_COMPLETED", seconds=None, keeps=True, named=not make.calm)


def _background(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("background", make.statement(depth, guarded=True), make.statement(depth, guarded=guarded))


def _queue(make: _Maker, depth: int, guarded: bool) -> Node:
    consumers = make.chance.randint(1, 3)
    return node("queue", *make.some(depth, guarded), consumers=consumers, ordered=not make.calm)


def _lock(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("lock", *make.some(depth, guarded, 1, 3), width=1, ordered=not make.calm)


def _semaphore(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("lock", *make.some(depth, guarded), width=2, ordered=not make.calm)


def _event(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("event", *make.some(depth, guarded, 2, 4))


def _barrier(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("barrier", *make.some(depth, guarded, 1, 3))


def _generator(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("generator", *make.some(depth, guarded, 1, 3), stop_after=make.chance.randint(0, 2))


def _completed(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("completed", *make.some(depth, guarded, 1, 3), ordered=not make.calm)


def _wait(make: _Maker, depth: int, guarded: bool) -> Node:
    chance = make.chance
    until = chance.choice(("FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"))
    return node(
        "wait",
        *make.some(depth, guarded),
        until=until,
        seconds=chance.choice((None, 1, 10)),
        keeps=chance.random() < 0.4,
        named=True,
    )


def _limit(make: _Maker, depth: int, guarded: bool) -> Node:
    how = make.chance.choice(("timeout", "timeout_at", "wait_for", "shield"))
    return node("limit", make.statement(depth, guarded=guarded), how=how, seconds=make.seconds())


def _cancel(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("cancel", make.statement(depth, guarded=guarded), make.statement(depth - 1, guarded=guarded))


def _stubborn(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("stubborn", make.statement(depth, guarded=guarded), make.statement(0, guarded=guarded))


def _split(make: _Maker, depth: int, guarded: bool) -> Node:
    return node("split", make.statement(depth, guarded=guarded), make.statement(0, guarded=guarded))


def _plain_leaf(make: _Maker, depth: int, guarded: bool) -> Node:
    return make.statement(0, guarded=guarded)


_SHARED: Final[tuple[_Make, ...]] = (_plain_leaf, _sequence, _sequence, _branch, _loop, _attempt, _ensure)
_PLAIN: Final[tuple[_Make, ...]] = (_parallel, _parallel, _parallel)
_ASYNC: Final[tuple[_Make, ...]] = (
    _gather, _gather, _group, _group, _wait_all, _background, _queue, _lock, _semaphore, _event, _barrier, _generator,
    _completed,
)  # fmt: skip
_WILD: Final[tuple[_Make, ...]] = (_wait, _wait, _limit, _limit, _limit, _cancel, _cancel, _stubborn, _split)
"""What makes the result depend on timing."""
