"""Signatures of flows, steps and signals: whether recorded parameters and results can be read with the new ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.flow_changes.type_changes import TypeChange, TypeChanges
from persistc.flow_changes.verdicts import Reason, Verdict
from persistc.flow_graph.regions import Place
from persistc.model import Kind, Parameter, ParameterKind, Text
from persistc.project import Owned


@dataclass(frozen=True)
class Signatures:
    """Compares methods of two trees."""

    types: TypeChanges

    def of_flow(self, old: Owned, new: Owned, help_text: str) -> Iterator[Reason]:
        """The parameters of a flow and its result: a kept body has its own, but the classes in them are the same."""
        for text, written in self._differences(old, new):
            place, place_now = _place(old), _place(new)
            if written is None:
                yield Reason(Verdict.NEEDS_KEPT_VERSION, text, place, place_now, help_text)
            elif written.is_compatible:
                yield Reason(Verdict.COMPATIBLE, text, place, place_now)
            elif "." in written.path:
                yield Reason(Verdict.BREAKING, f"{text}: recorded rows cannot be read", place, place_now, _OLD_ROWS)
            else:
                yield Reason(Verdict.NEEDS_KEPT_VERSION, text, place, place_now, help_text)

    def of_member(self, old: Owned, new: Owned) -> Iterator[Reason]:
        """The parameters and the result of a step or signal, which all versions of a flow share."""
        for text, written in self._differences(old, new):
            if written is not None and written.is_compatible:
                yield Reason(Verdict.COMPATIBLE, text, _place(old), _place(new))
            else:
                message = f"{text}: recorded rows cannot be read"
                yield Reason(Verdict.BREAKING, message, _place(old), _place(new), _OLD_ROWS)

    def _differences(self, old: Owned, new: Owned) -> Iterator[tuple[str, TypeChange | None]]:
        """What differs, in words; with the change of a type where it is one."""
        what = f"{old.method.kind.value} `{old.method.name}`"
        before = {each.name: each for each in old.method.values}
        after = {each.name: each for each in new.method.values}
        for name, parameter in before.items():
            if name not in after:
                yield f"parameter `{name}` of {what} is gone", None
                continue
            for change in self._types(parameter.annotation, old, after[name].annotation, new):
                yield _worded(f"parameter `{name}` of {what}", change), change
            if _is_many(parameter) != _is_many(after[name]):
                yield f"parameter `{name}` of {what} is of another kind", None
        for name, parameter in after.items():
            if name not in before:
                is_optional = parameter.default is not None or _is_many(parameter)
                note = "has a default" if is_optional else "has no default"
                yield (
                    f"parameter `{name}` of {what} is new and {note}",
                    TypeChange("", "", True) if is_optional else None,
                )
        if old.method.kind is Kind.FLOW:
            positional = [each.name for each in old.method.values if each.kind is not ParameterKind.KEYWORD_ONLY]
            kept = [each.name for each in new.method.values if each.name in positional]
            if sorted(kept) == sorted(positional) and kept != positional:
                yield f"the parameters of {what} stand in another order", TypeChange("", "", True)
        for change in self._types(old.method.returns, old, new.method.returns, new):
            yield _worded(f"the result of {what}", change), change

    def _types(self, old: Text | None, before: Owned, new: Text | None, after: Owned) -> tuple[TypeChange, ...]:
        return self.types.between(
            self.types.old.read(old.expression if old is not None else None, before.module, before.owner),
            self.types.new.read(new.expression if new is not None else None, after.module, after.owner),
        )


_OLD_ROWS = "give a new field a default, widen a type instead of replacing it, or add a step or signal of a new name"


def _worded(what: str, change: TypeChange) -> str:
    return f"{what}: `{change.path}` {_said(change)}" if change.path else f"{what} {_said(change)}"


def _said(change: TypeChange) -> str:
    return f"is {change.message}" if change.message.startswith("`") and " was `" in change.message else change.message


def _is_many(parameter: Parameter) -> bool:
    return parameter.kind in {ParameterKind.VARIADIC, ParameterKind.VARIADIC_KEYWORD}


def _place(owned: Owned) -> Place:
    return Place(owned.module.file, owned.method.span)
