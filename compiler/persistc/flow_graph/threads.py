"""Running an automaton: where the threads of a flow may stand, and where one call takes them.

A thread stands at a node, or in a parallel region with threads of its own. Threads started in a loop without a call are
counted as `MANY`: as many as it takes. What a thread does without a call is worked out when a call is to be made, once
for each place, so that a loop costs no more than its length.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from persistc.flow_graph.automaton import (
    CRASH,
    END,
    Automaton,
    Call,
    Choice,
    Enter,
    Fail,
    Fire,
    Launch,
    Leave,
    Unknown,
)

MANY: Final = math.inf
WHOLE_FLOW: Final = -1
"""The number of the region that is the flow itself, with whatever runs beside it."""
LIMIT: Final = 1000
"""More ways to stand than this are not followed up."""

Members: TypeAlias = "frozenset[tuple[Thread, float]]"
Launched: TypeAlias = "frozenset[tuple[Joining, float]]"


class OpenRegion(NamedTuple):
    """A parallel region under way."""

    number: int
    main: Thread | None
    """Its body; None once that is over."""
    then: int
    """Where it leads when all its threads have ended."""
    members: Members
    has_failed: bool = False


Thread: TypeAlias = int | OpenRegion


class Joining(NamedTuple):
    """A thread on its way into a region."""

    region: int
    thread: Thread
    by: int
    """What sends it there: the node that starts it, or the region in which it ran. What is sent twice by one thing
    without a call can be sent any number of times; what two things send is two."""


class Standing(NamedTuple):
    """Where a thread may have got to without a call."""

    thread: Thread
    launched: Launched = frozenset()
    unknown: int | None = None
    """The node that makes unknown calls and that it has passed."""


class TooManyWays(Exception):
    """There are more than `LIMIT` ways to stand."""


@dataclass
class Threads:
    """The threads of one automaton; remembers what it has worked out."""

    automaton: Automaton
    _standings: dict[Thread, tuple[Standing, ...]] = field(default_factory=dict)

    def start(self) -> OpenRegion:
        """The flow at its beginning."""
        return OpenRegion(WHOLE_FLOW, self.automaton.start, END, frozenset())

    def after(self, flow: OpenRegion, call: Call) -> Iterator[tuple[OpenRegion, int | None]]:
        """Where a flow may stand after a call, and what unknown it has passed."""
        for standing in self.standings(flow):
            for fired in self._fired(standing.thread, call):
                assert isinstance(fired.thread, OpenRegion)
                unknown = standing.unknown if standing.unknown is not None else fired.unknown
                yield fired.thread, unknown

    def offers(self, flow: OpenRegion) -> Iterator[Fire]:
        """The calls that may come next."""
        for standing in self.standings(flow):
            yield from self._offered(standing.thread)

    def _offered(self, thread: Thread | None) -> Iterator[Fire]:
        match thread:
            case int():
                node = self.automaton.nodes[thread]
                if isinstance(node, Fire):
                    yield node
            case OpenRegion(main=main, members=members):
                yield from self._offered(main)
                for member, _ in members:
                    for standing in self.standings(member):
                        yield from self._offered(standing.thread)

    # --- calls ------------------------------------------------------------------------------------------------------

    def _fired(self, thread: Thread, call: Call) -> Iterator[Standing]:
        """What a call makes of a thread that can go no further without one."""
        if isinstance(thread, int):
            node = self.automaton.nodes[thread]
            if isinstance(node, Fire) and node.call == call:
                yield Standing(node.then)
            elif isinstance(node, Unknown):
                yield Standing(thread, unknown=thread)
            return
        if thread.main is not None:
            for fired in self._fired(thread.main, call):
                yield _with_main(thread, fired)
        for member, _ in thread.members:
            rest = thread._replace(members=_less(thread.members, member))
            for standing in self.standings(member):
                for fired in self._fired(standing.thread, call):
                    unknown = standing.unknown if standing.unknown is not None else fired.unknown
                    launched = _more(dict(standing.launched), fired.launched)
                    joining = _still_in(thread, fired.thread)
                    launched[joining] = launched.get(joining, 0) + 1
                    yield _started(rest, frozenset(launched.items()), unknown)

    # --- without a call ---------------------------------------------------------------------------------------------

    def standings(self, thread: Thread) -> tuple[Standing, ...]:
        """Where a thread can go no further without a call."""
        known = self._standings.get(thread)
        if known is None:
            known = self._standings[thread] = tuple(self._settled(thread))
        return known

    def _settled(self, thread: Thread) -> Iterator[Standing]:
        first = Standing(thread)
        seen, waiting = {first}, [first]
        while waiting:
            standing = waiting.pop()
            if self._is_settled(standing.thread):
                yield standing
            for move in self._moves(standing.thread):
                launched = _more(dict(standing.launched), move.launched, again=MANY)
                unknown = standing.unknown if standing.unknown is not None else move.unknown
                reached = Standing(move.thread, frozenset(launched.items()), unknown)
                if reached not in seen:
                    seen.add(reached)
                    waiting.append(reached)
                    if len(seen) > LIMIT:
                        raise TooManyWays

    def _is_settled(self, thread: Thread | None) -> bool:
        match thread:
            case None:
                return True
            case int():
                return not isinstance(self.automaton.nodes[thread], Choice | Launch | Enter)
            case OpenRegion(main=int() as main):
                return not isinstance(self.automaton.nodes[main], Choice | Launch | Enter | Leave | Fail)
            case OpenRegion(main=main):
                return self._is_settled(main)

    def _moves(self, thread: Thread) -> Iterator[Standing]:
        if isinstance(thread, OpenRegion):
            yield from self._moves_of_main(thread)
            yield from self._moves_of_members(thread)
            if thread.number != WHOLE_FLOW:
                yield from self._endings(thread)
            return
        match self.automaton.nodes[thread]:
            case Choice(ways=ways):
                yield from (Standing(way) for way in ways)
            case Launch(start=start, region=region, then=then):
                number = WHOLE_FLOW if region is None else region
                yield Standing(then, frozenset({(Joining(number, start, thread), 1.0)}))
            case Enter(region=number, body=body):
                yield Standing(OpenRegion(number, body, END, frozenset()))
            case Unknown(then=then):
                yield Standing(then, unknown=thread)

    def _moves_of_main(self, region: OpenRegion) -> Iterator[Standing]:
        match region.main:
            case None:
                return
            case int() as main if isinstance(node := self.automaton.nodes[main], Leave | Fail):
                if region.has_failed:
                    yield Standing(region._replace(main=None))
                elif isinstance(node, Leave):
                    yield Standing(region._replace(main=None, then=node.then))
                else:
                    yield self._failed(region._replace(main=None))
            case main:
                for standing in self.standings(main):
                    if standing.thread != main:
                        yield _with_main(region, standing)

    def _moves_of_members(self, region: OpenRegion) -> Iterator[Standing]:
        """Only a thread that starts others makes a difference to the region before its next call."""
        for member, _ in region.members:
            for standing in self.standings(member):
                if standing.launched:
                    launched = _more(dict(standing.launched), frozenset({(_still_in(region, standing.thread), 1.0)}))
                    rest = region._replace(members=_less(region.members, member))
                    yield _started(rest, frozenset(launched.items()), standing.unknown)

    def _endings(self, region: OpenRegion) -> Iterator[Standing]:
        """How a region ends that has no body left, and how the failure of a thread ends it."""
        left: set[Joining] = set()
        all_end, unknown = True, None
        for member, count in region.members:
            ends = [each for each in self.standings(member) if each.thread in self._ends(region)]
            left.update(key for each in ends for key, _ in each.launched)
            all_end = all_end and (count == MANY or bool(ends))
            unknown = next((each.unknown for each in ends if each.unknown is not None), unknown)
            if not region.has_failed and any(each.thread == CRASH for each in self.standings(member)):
                yield self._failed(region._replace(members=_less(region.members, member)))
        if region.main is None and all_end:
            then = self.automaton.regions[region.number].on_failure if region.has_failed else region.then
            yield Standing(then, frozenset((key, MANY) for key in left), unknown)

    def _ends(self, region: OpenRegion) -> tuple[int, ...]:
        return (END, CRASH) if region.has_failed else (END,)

    def _failed(self, region: OpenRegion) -> Standing:
        """A region of which a thread, or the body, has failed."""
        rules = self.automaton.regions[region.number]
        if not rules.cancels:
            left_by = [(Joining(WHOLE_FLOW, member, _name(region)), count) for member, count in region.members]
            launched = frozenset(left_by)
            return Standing(rules.on_failure, launched)
        return Standing(self._cancelled(region))

    def _cancelled(self, region: OpenRegion) -> OpenRegion:
        members: dict[Thread, float] = {}
        for member, count in region.members:
            stopped = self._stopped(member)
            if stopped != CRASH:
                members[stopped] = members.get(stopped, 0) + count
        main = None if region.main is None else self._stopped(region.main)
        return region._replace(main=main, members=frozenset(members.items()), has_failed=True)

    def _stopped(self, thread: Thread) -> Thread:
        return self.automaton.rescues[thread] if isinstance(thread, int) else self._cancelled(thread)


def _with_main(region: OpenRegion, standing: Standing) -> Standing:
    """A region whose body stands somewhere else, and has started what it has."""
    return _started(region._replace(main=standing.thread), standing.launched, standing.unknown)


def _started(region: OpenRegion, launched: Launched, unknown: int | None) -> Standing:
    """What was started for this region joins it; the rest is for one further out."""
    members = dict(region.members)
    for (number, thread, _), count in launched:
        has_ended = thread == END or (thread == CRASH and number == WHOLE_FLOW)
        if number == region.number and not has_ended:
            members[thread] = members.get(thread, 0) + count
    others = frozenset(each for each in launched if each[0].region != region.number)
    return Standing(region._replace(members=frozenset(members.items())), others, unknown)


def _still_in(region: OpenRegion, thread: Thread) -> Joining:
    """A thread of a region that has gone on."""
    return Joining(region.number, thread, _name(region))


def _name(region: OpenRegion) -> int:
    """The number of a region, apart from those of nodes, which are counted from zero."""
    return -2 - region.number


def _less(members: Members, member: Thread) -> Members:
    """One thread less of a kind."""
    counts = dict(members)
    counts[member] -= 1
    return frozenset((thread, count) for thread, count in counts.items() if count > 0)


def _more(launched: dict[Joining, float], others: Launched, again: float | None = None) -> dict[Joining, float]:
    for key, count in others:
        launched[key] = (again or launched[key] + count) if key in launched else count
    return launched
