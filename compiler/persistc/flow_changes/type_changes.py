"""Whether rows that were written as one type can be read as another, and where in the value not."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass

from persistc.flow_changes.stored_classes import Form
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


UNREADABLE = "recorded rows cannot be read"
MISREAD = "recorded rows are read as something else"


@dataclass(frozen=True, slots=True)
class TypeChange:
    """One difference: `Order.lines[].price` was `str` and is `int`."""

    path: str
    message: str
    harm: str = ""
    """What becomes of recorded rows; nothing bad when empty."""
    is_of_class: bool = False
    """It is about a class itself, which all versions of a flow share."""

    @property
    def is_compatible(self) -> bool:
        return not self.harm


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
            case Values(), Values():
                yield from _values(old, new, path)
            case _:
                yield _changed(old, new, path, False)

    def _records(self, old: Record, new: Record, path: str, seen: frozenset[tuple[str, str]]) -> Iterator[TypeChange]:
        key = (old.cls.qualified, new.cls.qualified)
        if key in seen:
            return
        path = path or new.shown
        where = path if "." in path else new.shown
        form, form_now = self.old.form(old), self.new.form(new)
        if form.is_array != form_now.is_array:
            now, was = ("a list", "an object") if form_now.is_array else ("an object", "a list")
            yield TypeChange(where, f"is stored as {now}, was {was}", UNREADABLE, is_of_class=True)
            return
        yield from _tags(form, form_now, where)
        before, after = self.old.fields(old), self.new.fields(new)
        places = dict(zip(before, before, strict=True))
        if form_now.is_array:
            # A field is told by its place, and what is in that place now has another name perhaps.
            places = dict(zip(before, after, strict=False))
            moved = next((pair for pair in places.items() if _is_moved(pair, before, after)), None)
            if moved is not None:
                message = f"holds `{moved[1]}` where it held `{moved[0]}`"
                yield TypeChange(where, message, MISREAD, is_of_class=True)
                return
        for name, field in before.items():
            shown = places.get(name, name)
            if (field_now := after.get(shown)) is not None:
                yield from self._between(field.written, field_now.written, f"{path}.{shown}", seen | {key})
                if field_now.is_required and not field.is_required:
                    yield TypeChange(f"{path}.{shown}", "has no default any more", UNREADABLE)
            elif form_now.forbids_unknown:
                yield TypeChange(
                    f"{path}.{name}", f"is gone, and `{new.shown}` refuses what it does not know", UNREADABLE
                )
            else:
                yield TypeChange(f"{path}.{name}", "is gone: what rows hold of it is dropped")
        for name, field in after.items():
            if name not in places.values() and field.is_required:
                yield TypeChange(f"{path}.{name}", "is new and has no default", UNREADABLE)
            elif name not in places.values():
                yield TypeChange(f"{path}.{name}", "is new and has a default")

    def _union(
        self, old: Written, new: Alternatives, path: str, seen: frozenset[tuple[str, str]]
    ) -> Iterator[TypeChange]:
        members = old.members if isinstance(old, Alternatives) else (old,)
        for member in members:
            if any(self._is_chosen(member, each, new) and self._reads(member, each, seen) for each in new.members):
                continue
            # Of records the one of that name tells more than that there is none.
            same = [each for each in new.members if isinstance(each, Record) and each.shown == member.shown]
            told = list(self._records(member, same[0], path, seen)) if same and isinstance(member, Record) else []
            if any(each.harm for each in told):
                yield from told
            else:
                message = f"`{new.shown}` does not hold `{member.shown}`, which was possible"
                yield TypeChange(path, message, UNREADABLE)
            return
        if old.shown != new.shown and len(new.members) > len(members):
            yield _changed(old, new, path, True)

    def _is_chosen(self, old: Written, new: Written, among: Alternatives) -> bool:
        """Whether a row leads to this one of several classes, which are told apart by their tags."""
        classes = [each for each in among.members if isinstance(each, Record)]
        if len(classes) < 2 or not isinstance(old, Record) or not isinstance(new, Record):
            return True
        form, form_now = self.old.form(old), self.new.form(new)
        return (form.tag, form.tag_field) == (form_now.tag, form_now.tag_field)

    def _reads(self, old: Written, new: Written, seen: frozenset[tuple[str, str]]) -> bool:
        return all(change.is_compatible for change in self._between(old, new, "", seen))


def _is_moved(pair: tuple[str, str], before: Container[str], after: Container[str]) -> bool:
    """Whether a field has the place of another one, and not only another name."""
    was, now = pair
    return was != now and (was in after or now in before)


def _tags(old: Form, new: Form, path: str) -> Iterator[TypeChange]:
    """Whether what says of which class a value is still says so."""
    is_same_place = old.is_array or old.tag_field == new.tag_field
    if old.is_array and bool(old.tag) != bool(new.tag):
        yield TypeChange(path, "has a tag" if new.tag else "has no tag any more", UNREADABLE, is_of_class=True)
    elif old.tag and new.tag and is_same_place and old.tag != new.tag:
        yield TypeChange(path, f"has the tag `{new.tag}`, and had `{old.tag}`", UNREADABLE, is_of_class=True)
    elif old.tag and new.forbids_unknown and (not new.tag or not is_same_place):
        message = f"has no tag `{old.tag_field}` any more, and refuses what it does not know"
        yield TypeChange(path, message, UNREADABLE, is_of_class=True)


def _values(old: Values, new: Values, path: str) -> Iterator[TypeChange]:
    gone = sorted(set(old.names) - set(new.names))
    added = sorted(set(new.names) - set(old.names))
    if gone:
        yield TypeChange(path, f"`{new.shown}` has lost the value {gone[0]}", UNREADABLE, new.is_class)
    for value, was in old.names.items():
        now = new.names.get(value, was)
        # Another name alone is a new name; one that had, or has, another value is another member.
        if now != was and (now in old.names.values() or was in new.names.values()):
            message = f"`{new.shown}` has {value} for `{now}`, and had it for `{was}`"
            yield TypeChange(path, message, MISREAD, new.is_class)
            return
    if added and not gone:
        yield TypeChange(path, f"`{new.shown}` has the new value {added[0]}")


def _changed(old: Written, new: Written, path: str, is_compatible: bool) -> TypeChange:
    return TypeChange(path, f"`{new.shown}`, was `{old.shown}`", "" if is_compatible else UNREADABLE)
