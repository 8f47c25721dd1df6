"""Signatures of flows, steps and signals: whether recorded parameters and results can be read with the new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.flow_changes.type_changes import MISREAD, UNREADABLE, TypeChange, TypeChanges
from persistc.flow_changes.verdicts import Reason, Verdict
from persistc.flow_graph.regions import Place
from persistc.model import Parameter, ParameterKind, Text
from persistc.project import Owned


@dataclass(frozen=True, slots=True)
class _Difference:
    """What differs about one parameter or result."""

    subject: str
    change: str
    harm: str
    """What becomes of recorded rows; nothing bad when empty."""
    path: str = ""
    """Where in its type."""
    is_shared: bool = False
    """It is about a class, which a kept body has as it is now."""

    def reason(self, verdict: Verdict, old: Owned, new: Owned, help_text: str = "") -> Reason:
        note = f"; {self.harm}" if verdict is Verdict.BREAKING else ""
        if verdict is Verdict.BREAKING:
            help_text = _OLD_PLACES if self.harm == MISREAD else _OLD_ROWS
        change, is_inside = f"{self.change}{note}", bool(self.path)
        return Reason(verdict, change, _place(old), _place(new), help_text, self.subject, is_inside)


@dataclass(frozen=True)
class Signatures:
    """Compares methods of two trees."""

    types: TypeChanges

    def of_flow(self, old: Owned, new: Owned, help_text: str) -> Iterator[Reason]:
        """The parameters of a flow and its result: a kept body has its own, but the classes in them are the same."""
        for difference in self._differences(old, new, old.method.name):
            if not difference.harm:
                yield difference.reason(Verdict.COMPATIBLE, old, new)
            elif difference.is_shared:
                yield difference.reason(Verdict.BREAKING, old, new)
            else:
                yield difference.reason(Verdict.NEEDS_KEPT_VERSION, old, new, help_text)

    def of_member(self, old: Owned, new: Owned, name: str) -> Iterator[Reason]:
        """The parameters and the result of a step or signal, which all versions of a flow share."""
        for difference in self._differences(old, new, name):
            if not difference.harm:
                yield difference.reason(Verdict.COMPATIBLE, old, new)
            else:
                yield difference.reason(Verdict.BREAKING, old, new)

    def _differences(self, old: Owned, new: Owned, name_of_method: str) -> Iterator[_Difference]:
        what = f"{old.method.kind.value} `{name_of_method}`"
        before = {each.name: each for each in old.method.values}
        after = {each.name: each for each in new.method.values}
        for name, parameter in before.items():
            subject = f"parameter `{name}` of {what}"
            if name not in after:
                yield _Difference(subject, "is gone", UNREADABLE)
                continue
            for change in self._types(parameter.annotation, old, after[name].annotation, new):
                yield _of_type(subject, change)
            if _is_many(parameter) != _is_many(after[name]):
                yield _Difference(subject, "takes another number of values", UNREADABLE)
        for name, parameter in after.items():
            if name not in before:
                is_optional = parameter.default is not None or _is_many(parameter)
                note = "is new and has a default" if is_optional else "is new and has no default"
                yield _Difference(f"parameter `{name}` of {what}", note, "" if is_optional else UNREADABLE)
        for change in self._types(old.method.returns, old, new.method.returns, new):
            yield _of_type(f"result of {what}", change)

    def _types(self, old: Text | None, before: Owned, new: Text | None, after: Owned) -> tuple[TypeChange, ...]:
        return self.types.between(
            self.types.old.read(old.expression if old is not None else None, before.module, before.owner),
            self.types.new.read(new.expression if new is not None else None, after.module, after.owner),
        )


_OLD_ROWS = "give a new field a default, widen a type instead of replacing it, or add a step or signal of a new name"
_OLD_PLACES = "give what was there the values and places it had, and put what is new at the end"


def _of_type(subject: str, change: TypeChange) -> _Difference:
    said = f"is {change.message}" if " was `" in change.message else change.message
    is_shared = change.is_of_class or "." in change.path
    return _Difference(subject, f"`{change.path}` {said}" if change.path else said, change.harm, change.path, is_shared)


def _is_many(parameter: Parameter) -> bool:
    return parameter.kind in {ParameterKind.VARIADIC, ParameterKind.VARIADIC_KEYWORD}


def _place(owned: Owned) -> Place:
    return Place(owned.module.file, owned.method.span)
