"""The members of its class that a kept body reaches: what they were, and whether they still are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from persistc.flow_tree import Constant
from persistc.keeping.code_shapes import members_used, shape, signature
from persistc.keeping.snapshots import Snapshot
from persistc.model import Class, Kind
from persistc.project import Owned, Project

_RECORDED = frozenset({Kind.STEP, Kind.SIGNAL})


@dataclass(frozen=True)
class Members:
    """A flow class as it was, held against what it is."""

    project: Project
    old: Snapshot
    new: Snapshot

    def is_unchanged(self, name: str) -> bool:
        """Whether a method says by itself what it said."""
        before, now = self.old.methods.get(name), self.new.methods.get(name)
        return before is not None and now is not None and shape(before) == shape(now)

    def is_what_it_was(self, name: str, before: str) -> bool:
        """Whether a method without a mark is what another one was, which calls nothing that differs."""
        now, kind = self.new.methods.get(name), self._kind_before(before)
        if now is None or kind is not Kind.OTHER or self._kind_now(name) is not Kind.OTHER:
            return False
        return shape(now) == shape(self.old.methods[before]) and not self.differing_helpers((before,))

    def inherited(self, callers: Iterable[str]) -> tuple[Owned, ...]:
        """The methods without a mark that these name and that the class has from another one."""
        members = self.project.members(self.new.cls, self.new.module)
        used = (name for caller in callers for name in members_used(self.old.methods[caller], self.new.cls.name))
        found = (members[name] for name in dict.fromkeys(used) if name in members and name not in self.old.methods)
        return tuple(each for each in found if each.owner is not self.new.cls and each.method.kind is Kind.OTHER)

    def differing_helpers(self, flows: Iterable[str]) -> tuple[str, ...]:
        """The methods without a mark that these flows reached and that do something else now, or call one that does."""
        others = [name for name in self.old.methods if self._kind_before(name) is Kind.OTHER]
        differing = {name for name in others if self._is_another(name)}
        while more := {name for name in others if name not in differing and differing.intersection(self._uses(name))}:
            differing |= more
        return tuple(name for name in self.reached(flows) if name in differing)

    def gone_steps(self, flows: Sequence[str]) -> tuple[str, ...]:
        """The steps and signals that these flows called and that are gone, with the methods that those need."""
        used = dict.fromkeys(name for caller in (*flows, *self.reached(flows)) for name in self._uses(caller))
        gone = [name for name in used if self._kind_before(name) in _RECORDED and self._kind_now(name) is None]
        return (*gone, *(name for name in self.reached(gone) if self._kind_now(name) is None))

    def remarks(self, callers: Iterable[str]) -> Iterator[str]:
        """What is to be said of the members that the kept code names and that do not come along."""
        cls = self.new.cls
        lineage = self.project.lineage(cls, self.new.module)
        attributes = {each.name for owner, _ in lineage for each in owner.attributes}
        attributes_before = {each.name for each in self.old.cls.attributes}
        used = (name for caller in callers for name in members_used(self.old.methods[caller], cls.name))
        for name in dict.fromkeys(used):
            before, now = self._kind_before(name), self._kind_now(name)
            if before in _RECORDED and now is not None:
                if now is not before:
                    what = "method without a mark" if now is Kind.OTHER else now.value
                    yield f"{before} {name} is a {what} now, and flows under way have it on record as a {before}"
                elif self._has_other_signature(name):
                    yield f"{before} {name} takes or returns something else now: see that the kept body fits it"
            elif before is None and now is None and name in attributes_before - attributes:
                yield f"the attribute {name} is set nowhere in {cls.name} any more: set it in `__init__` again"

    def changed_constants(self, flows: Iterable[str]) -> Iterator[str]:
        """What is to be said of the names that the class gives another value than it gave, where these use one."""
        cls, flows = self.new.cls, tuple(flows)
        bases = [each for each, home in self.project.lineage(cls, self.new.module) if home is self.new.module]
        bases_before = [each for base in bases if (each := self.old.module.find(base.name)) is not None]
        before, now = _constants(bases_before), _constants(bases)
        callers = dict.fromkeys((*flows, *self.reached(flows)))
        used = (name for caller in callers for name in members_used(self.old.methods[caller], cls.name))
        for name in dict.fromkeys(used):
            if name in before and now.get(name, before[name]) != before[name]:
                yield f"{name} of {cls.name} was {before[name]} and is {now[name]} now"

    def _kind_before(self, name: str) -> Kind | None:
        method = self.old.cls.by_name.get(name)
        return None if method is None else method.kind

    def _kind_now(self, name: str) -> Kind | None:
        """The kind of the method that the class has under a name, its own or inherited."""
        found = self.project.members(self.new.cls, self.new.module).get(name)
        return None if found is None else found.method.kind

    def _uses(self, name: str) -> tuple[str, ...]:
        """The methods of the old class that one of them names."""
        used = members_used(self.old.methods[name], self.old.cls.name)
        return tuple(each for each in used if each in self.old.methods)

    def reached(self, start: Iterable[str]) -> tuple[str, ...]:
        """The methods without a mark that these lead to, also by way of others."""
        found: dict[str, None] = {}
        waiting = list(start)
        while waiting:
            for name in self._uses(waiting.pop(0)):
                if self._kind_before(name) is Kind.OTHER and name not in found:
                    found[name] = None
                    waiting.append(name)
        return tuple(found)

    def _is_another(self, name: str) -> bool:
        now = self.new.methods.get(name)
        if now is None or self._kind_now(name) is not Kind.OTHER:
            return True
        return shape(self.old.methods[name]) != shape(now)

    def _has_other_signature(self, name: str) -> bool:
        now = self.new.methods.get(name)
        return now is not None and signature(self.old.methods[name]) != signature(now)


def _constants(lineage: Iterable[Class]) -> Mapping[str, str]:
    """What class bodies assign to their names, and the literals that methods assign to those of the instance."""
    return {
        each.name: each.value.text
        for cls in reversed(tuple(lineage))
        for each in cls.attributes
        if each.value is not None and (each.method is None or isinstance(each.value.expression, Constant))
    }
