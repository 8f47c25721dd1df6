"""Whether rows that were written as one type can be read as another, and where in the value not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.flow_changes.stored_types import (
    Alternatives,
    Fixed,
    Keyed,
    Listed,
    Plain,
    Record,
    StoredTypes,
    Values,
    Written,
)

_WIDER = frozenset({("builtins.int", "builtins.float"), ("builtins.bytes", "builtins.bytearray")})
_ANYTHING = frozenset({"typing.Any", "persistasaurus.Json", "persistasaurus.conversions.Json"})


@dataclass(frozen=True, slots=True)
class TypeChange:
    """One difference: `Order.lines[].price` was `str` and is `int`."""

    path: str
    message: str
    is_compatible: bool


@dataclass
class TypeChanges:
    """Compares types of two projects, the one that wrote the rows and the one that reads them."""

    old: StoredTypes
    new: StoredTypes

    def between(self, old: Written, new: Written) -> tuple[TypeChange, ...]:
        """All differences, those that are compatible too."""
        return tuple(self._between(old, new, "", frozenset()))

    def _between(self, old: Written, new: Written, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[TypeChange]:
        match old, new:
            case Plain(name=before), Plain(name=after):
                if before != after:
                    yield _changed(old, new, path, (before, after) in _WIDER or after in _ANYTHING)
            case _, Plain(name=after) if after in _ANYTHING:
                yield _changed(old, new, path, True)
            case Record(), Record():
                yield from self._records(old, new, path, seen)
            case Alternatives() | Plain() | Record() | Listed() | Keyed() | Fixed() | Values(), Alternatives():
                yield from self._union(old, new, path, seen)
            case Alternatives(members=members), _:
                if not all(self._reads(member, new, seen) for member in members):
                    yield _changed(old, new, path, False)
            case Listed(items=before), Listed(items=after):
                yield from self._between(before, after, f"{path}[]", seen)
            case Fixed(items=items), Listed(items=after):
                for item in items:
                    yield from self._between(item, after, f"{path}[]", seen)
            case Fixed(items=first), Fixed(items=second) if len(first) == len(second):
                for number, (before, after) in enumerate(zip(first, second, strict=True)):
                    yield from self._between(before, after, f"{path}[{number}]", seen)
            case Keyed(keys=keys, values=values), Keyed(keys=keys_now, values=values_now):
                yield from self._between(keys, keys_now, f"{path}{{key}}", seen)
                yield from self._between(values, values_now, f"{path}{{}}", seen)
            case Values(texts=texts), Values(texts=texts_now):
                gone = sorted(texts - texts_now)
                if gone:
                    yield TypeChange(path, f"`{new.shown}` has lost the value {gone[0]}", False)
                elif texts != texts_now:
                    added = sorted(texts_now - texts)
                    yield TypeChange(path, f"`{new.shown}` has the new value {added[0]}", True)
            case _:
                yield _changed(old, new, path, False)

    def _records(self, old: Record, new: Record, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[TypeChange]:
        key = (old.cls.qualified, new.cls.qualified)
        if key in seen:
            return
        path = path or new.shown
        before, after = self.old.fields(old), self.new.fields(new)
        for name, field in before.items():
            if name in after:
                yield from self._between(field.written, after[name].written, f"{path}.{name}", seen | {key})
                if after[name].is_required and not field.is_required:
                    yield TypeChange(f"{path}.{name}", "has no default any more", False)
            else:
                yield TypeChange(f"{path}.{name}", "is gone", not field.is_required)
        for name, field in after.items():
            if name not in before and field.is_required:
                yield TypeChange(f"{path}.{name}", "is new and has no default", False)
            elif name not in before:
                yield TypeChange(f"{path}.{name}", "is new and has a default", True)

    def _union(
        self, old: Written, new: Alternatives, path: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[TypeChange]:
        members = old.members if isinstance(old, Alternatives) else (old,)
        for member in members:
            if any(self._reads(member, each, seen) for each in new.members):
                continue
            # Of records the one of that name tells more than that there is none.
            same = [each for each in new.members if isinstance(each, Record) and each.shown == member.shown]
            if same and isinstance(member, Record):
                yield from self._records(member, same[0], path, seen)
            else:
                yield TypeChange(path, f"`{new.shown}` does not hold `{member.shown}`, which was possible", False)
            return
        if old.shown != new.shown and len(new.members) > len(members):
            yield _changed(old, new, path, True)

    def _reads(self, old: Written, new: Written, seen: frozenset[tuple[str, str]]) -> bool:
        return all(change.is_compatible for change in self._between(old, new, "", seen))


def _changed(old: Written, new: Written, path: str, is_compatible: bool) -> TypeChange:
    return TypeChange(path, f"`{new.shown}`, was `{old.shown}`", is_compatible)
