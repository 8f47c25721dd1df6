"""The first difference between two bodies of a flow, and whether a flow under way may have passed it."""

from __future__ import annotations

from collections.abc import Sequence

from persistc.flow_changes.statements import Statement
from persistc.flow_changes.verdicts import Reason, Verdict
from persistc.flow_graph.regions import Place


def body_change(old: Sequence[Statement], new: Sequence[Statement], *, is_straight: bool, help_text: str) -> Reason:
    """What is said of two bodies that differ; `is_straight`: nothing in them runs beside what follows."""
    at = next(
        (number for number, (before, after) in enumerate(zip(old, new, strict=False)) if before.form != after.form),
        min(len(old), len(new)),
    )
    before = old[at] if at < len(old) else None
    after = new[at] if at < len(new) else None
    last = next((each for each in reversed(old[:at]) if each.calls), None)
    if is_straight and not _may_call(old, at, (*_around(before), *_around(after))):
        where = f"behind `{last.calls[-1]}`, the last call" if last is not None else "in a flow that calls nothing"
        message = f"the change lies {where}: no flow under way has passed it"
        return Reason(Verdict.COMPATIBLE, message, _place(before, old), _place(after, new))
    start = f"after {_named(last.calls[-1])} ({last.place})" if last is not None else "at its start"
    message = f"{start} {_difference(before, after)}"
    return Reason(Verdict.NEEDS_KEPT_VERSION, message, _place(before, old), _place(after, new), help_text)


def _may_call(old: Sequence[Statement], at: int, around: Sequence[int]) -> bool:
    """Whether the old body may still make a call once it has come to a statement."""
    if any(each.calls for each in old[at:]):
        return True
    return any(each.calls and number in each.around for number in around for each in old)


def _around(statement: Statement | None) -> tuple[int, ...]:
    return statement.around if statement is not None else ()


def _place(statement: Statement | None, body: Sequence[Statement]) -> Place | None:
    return statement.place if statement is not None else (body[-1].place if body else None)


def _difference(old: Statement | None, new: Statement | None) -> str:
    match old, new:
        case Statement(calls=(first, *_)), Statement(calls=(second, *_)) if old.calls == new.calls:
            if old.is_condition and new.is_condition:
                return f"the condition is `{new.shown}`, and was `{old.shown}`"
            if old.shown == new.shown:
                return f"{_named(first)} gets its arguments by other names"
            return f"it calls {_named(second)} in another way, `{new.shown}`, and did `{old.shown}`"
        case Statement(is_condition=True), Statement(is_condition=True):
            return f"the condition is `{new.shown}`, and was `{old.shown}`"
        case Statement(), Statement() if all(each.form.startswith("def ") for each in (old, new)):
            return f"it calls `{new.shown}`, and called `{old.shown}`"
        case _:
            return f"it now {_does(new, 'calls', 'does')}, and {_does(old, 'called', 'did')}"


def _does(statement: Statement | None, calls: str, does: str) -> str:
    if statement is None:
        return "ends" if does == "does" else "ended"
    if statement.calls:
        return f"{calls} {' and '.join(map(_named, statement.calls))}"
    if statement.form == statement.shown:
        return "does nothing there" if does == "does" else "did nothing there"
    return f"{does} `{statement.shown}`"


def _named(call: str) -> str:
    return call if call == "a timer" else f"`{call}`"
