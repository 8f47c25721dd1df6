"""What a graph allows, found by going through it in every way: the reference that matching is held against.

An execution is a tuple of calls and of tasks that were started; how it ended stands beside it. Nothing here is clever,
and only short executions are followed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from persistc.flow_graph.regions import (
    Branch,
    Break,
    Continue,
    Loop,
    Managed,
    Parallel,
    Region,
    Return,
    Sequence,
    Step,
    Task,
    Try,
)


@dataclass(frozen=True)
class Spawned:
    """A task that was started, with what it does."""

    does: Execution
    group: int | None


Execution: TypeAlias = "tuple[str | Spawned, ...]"
Ended: TypeAlias = "tuple[Execution, str]"
"""An execution and how it ended: `end`, `break`, `continue`, `return`, `raise`, or `cut` where it became too long."""


@dataclass(frozen=True)
class Paths:
    """All executions with at most so many calls."""

    length: int

    def words(self, region: Region) -> set[tuple[str, ...]]:
        """Every beginning of every history that a flow with this body can have."""
        found: set[tuple[str, ...]] = set()
        for execution, _ in self.of(region):
            for word in self._histories(execution, ()):
                found.update(word[:end] for end in range(min(len(word), self.length) + 1))
        return found

    def of(self, region: Region) -> set[Ended]:
        match region:
            case Sequence(parts=parts):
                return self._in_order([self.of(part) for part in parts])
            case Step(name=name):
                return {((name,), "end")}
            case Branch(arms=arms, is_complete=is_complete):
                found: set[Ended] = set() if is_complete else {((), "end")}
                for arm in arms:
                    found |= self.of(arm.body)
                return found
            case Loop(body=body, orelse=orelse):
                return self._loop(self.of(body), self.of(orelse))
            case Try():
                return self._try(region)
            case Managed(body=body):
                passed = self.of(body)
                raised = {execution[:end] for execution, _ in passed for end in range(len(execution) + 1)}
                return passed | {(execution, how) for execution in raised for how in ("end", "raise")}
            case Parallel(body=body):
                return {each for ended in self.of(body) for each in self._joined(ended)}
            case Task(body=body, group=group):
                return {((Spawned(does, group),), "end") for does, how in self.of(body)}
            case Return():
                return {((), "return")}
            case Break():
                return {((), "break")}
            case Continue():
                return {((), "continue")}
            case _:
                raise AssertionError(region)

    def _in_order(self, parts: list[set[Ended]]) -> set[Ended]:
        found: set[Ended] = {((), "end")}
        for part in parts:
            found = {each for ended in found for each in self._followed(ended, part)}
        return found

    def _followed(self, ended: Ended, part: set[Ended]) -> Iterator[Ended]:
        execution, how = ended
        if how != "end":
            yield ended
            return
        for more, then in part:
            yield self._cut((*execution, *more), then)

    def _cut(self, execution: Execution, how: str) -> Ended:
        """Not much longer than the longest word: silent tasks take no room in a word."""
        room = 2 * self.length + 2
        return (execution, how) if len(execution) <= room else (execution[:room], "cut")

    def _loop(self, body: set[Ended], orelse: set[Ended]) -> set[Ended]:
        found: set[Ended] = set()
        rounds: set[Execution] = {()}
        seen: set[Execution] = set()
        while rounds:
            seen |= rounds
            following: set[Execution] = set()
            for start in rounds:
                found.update(each for each in self._followed((start, "end"), orelse))
                for execution, how in self._followed((start, "end"), body):
                    match how:
                        case "end" | "continue":
                            following.add(execution)
                        case "break":
                            found.add((execution, "end"))
                        case _:
                            found.add((execution, how))
            rounds = following - seen
        return found

    def _try(self, region: Try) -> set[Ended]:
        body = self.of(region.body)
        orelse = self.of(region.orelse)
        passed = {each for ended in body for each in self._followed(ended, orelse)}
        raised = {(execution[:end], "raise") for execution, _ in body for end in range(len(execution) + 1)}
        handled: set[Ended] = set()
        for handler in region.handlers:
            handlers = self.of(handler.body)
            handled |= {each for execution, _ in raised for each in self._followed((execution, "end"), handlers)}
        if not any(handler.catches_all for handler in region.handlers):
            handled |= raised
        if not region.final.parts:
            return passed | handled
        # What a handler or `else` calls may fail too, and then `finally` runs as well.
        failed = {(execution[:end], "raise") for execution, _ in passed | handled for end in range(len(execution) + 1)}
        found: set[Ended] = set()
        for execution, how in passed | handled | failed:
            if how == "cut":
                found.add((execution, how))
                continue
            for more, then in self.of(region.final):
                found.add(self._cut((*execution, *more), how if then == "end" else then))
        return found

    def _joined(self, ended: Ended) -> set[Ended]:
        """The body of a parallel region with its tasks: in any order, each task behind its start, all to their end."""
        execution, how = ended
        found: set[Ended] = set()
        waiting: set[tuple[Execution, Execution, tuple[Execution, ...]]] = {((), execution, ())}
        while waiting:
            done, main, tasks = waiting.pop()
            if not main and not tasks:
                found.add(self._cut(done, how))
            if main:
                first, *rest = main
                if isinstance(first, Spawned) and first.group == 0:
                    started = tuple(sorted((*tasks, first.does), key=repr)) if first.does else tasks
                    waiting.add((done, tuple(rest), started))
                else:
                    if isinstance(first, Spawned) and first.group is not None:
                        first = Spawned(first.does, first.group - 1)
                    waiting.add(((*done, first), tuple(rest), tasks))
            for number, task in enumerate(tasks):
                others = (*tasks[:number], *tasks[number + 1 :])
                left = tuple(sorted((*others, task[1:]), key=repr)) if len(task) > 1 else others
                waiting.add(((*done, task[0]), main, left))
        return found

    def _histories(self, main: Execution, tasks: tuple[Execution, ...]) -> set[tuple[str, ...]]:
        """The words of an execution with tasks that run beside it, or never."""
        found: set[tuple[str, ...]] = set()
        seen: set[tuple[tuple[str, ...], Execution, tuple[Execution, ...]]] = set()
        waiting: list[tuple[tuple[str, ...], Execution, tuple[Execution, ...]]] = [((), main, tasks)]
        while waiting:
            state = waiting.pop()
            if state in seen:
                continue
            seen.add(state)
            word, main, tasks = state
            found.add(word)
            if len(word) > self.length:
                continue
            for number, thread in enumerate((main, *tasks)):
                if not thread:
                    continue
                first, rest = thread[0], thread[1:]
                threads = [main, *tasks]
                threads[number] = rest
                if isinstance(first, Spawned):
                    threads.append(first.does)
                beside = tuple(sorted((each for each in threads[1:] if each), key=repr))
                waiting.append(((*word, first) if isinstance(first, str) else word, threads[0], beside))
        return found
