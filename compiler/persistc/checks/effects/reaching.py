"""The call graph: which effects a routine reaches, each by the shortest chain of calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from persistc.checks.effects.classes import Classes
from persistc.checks.effects.reasons import Reason, Source
from persistc.checks.effects.scanning import Run, Site, Summary, summarise
from persistc.checks.effects.things import Routine


@dataclass(frozen=True, slots=True)
class Reached:
    """An effect with the calls that lead to it; the last site is its own."""

    source: Source
    chain: tuple[Site, ...]

    @property
    def in_cleanup(self) -> bool:
        return any(site.in_cleanup for site in self.chain)


@dataclass
class CallGraph:
    """Summaries of routines, made when somebody asks for them."""

    classes: Classes
    _summaries: dict[str, Summary] = field(default_factory=dict)
    _reached: dict[tuple[str, bool], tuple[Reached, ...]] = field(default_factory=dict)

    def summary(self, routine: Routine) -> Summary:
        if routine.name not in self._summaries:
            self._summaries[routine.name] = summarise(routine, self.classes)
        return self._summaries[routine.name]

    def reached(self, run: Run) -> Iterator[Reached]:
        """What the code run at a site reaches: the nearest effect of each kind."""
        key = (run.routine.name, run.site.in_cleanup)
        if key not in self._reached:
            self._reached[key] = tuple(self._search(run))
        return (Reached(found.source, (run.site, *found.chain)) for found in self._reached[key])

    def _search(self, run: Run) -> Iterator[Reached]:
        """Breadth first, so that what is found first is nearest; recursion ends where a routine is met again."""
        kinds: set[tuple[Reason, bool]] = set()
        seen = {(run.routine.name, run.site.in_cleanup)}
        queue: deque[tuple[Routine, bool, tuple[Site, ...]]] = deque([(run.routine, run.site.in_cleanup, ())])
        while queue:
            routine, in_cleanup, chain = queue.popleft()
            summary = self.summary(routine)
            for effect in summary.effects:
                kind = (effect.source.reason, in_cleanup or effect.site.in_cleanup)
                if kind not in kinds and counts(*kind):
                    kinds.add(kind)
                    yield Reached(effect.source, (*chain, effect.site))
            for each in summary.runs:
                step = (each.routine.name, in_cleanup or each.site.in_cleanup)
                if step not in seen:
                    seen.add(step)
                    queue.append((each.routine, step[1], (*chain, each.site)))


def counts(reason: Reason, in_cleanup: bool) -> bool:
    """Writes matter here only where they are made when the flow leaves memory; elsewhere another check speaks."""
    return reason is not Reason.WRITE or in_cleanup
