"""How a graph words what the source says: conditions in one short line, what a decorator says, time limits."""

from __future__ import annotations

from collections.abc import Sequence

from persistc.durations import duration_text
from persistc.expression_text import expression_text, one_line
from persistc.flow_graph.regions import Timers
from persistc.flow_tree import Argument, Call, Case, Constant, Expression, Handler, Unary, dotted
from persistc.model import Kind, Method

TEXT_WIDTH = 56
"""Conditions and the like are cut to this many characters: a graph is for the eye."""


def short(expression: Expression) -> str:
    """An expression in one line, without `await`."""
    return cut(expression_text(expression, awaits=False))


def cut(text: str) -> str:
    return text if len(text) <= TEXT_WIDTH else f"{text[: TEXT_WIDTH - 3].rstrip()}..."


def joined(*notes: str) -> str:
    return ", ".join(note for note in notes if note)


def handler_text(handler: Handler, is_group: bool) -> str:
    keyword = "except*" if is_group else "except"
    return cut(" ".join([keyword, ", ".join(expression_text(each) for each in handler.types)]).strip())


def case_text(case: Case) -> str:
    guard = f" if {short(case.guard)}" if case.guard is not None else ""
    return cut(f"case {one_line(case.pattern)}{guard}")


def step_note(method: Method) -> str:
    """What the decorator of a step says about when and how often it runs."""
    if method.kind is not Kind.STEP or method.mark is None:
        return ""
    delay = method.mark.argument("delay")
    retry = method.mark.argument("retry")
    once = method.mark.argument("at_most_once")
    return joined(
        f"delay {duration_text(delay.expression)}" if delay is not None else "",
        _retry_text(retry.expression) if retry is not None else "",
        "at most once" if once is not None and once.text == "True" else "",
    )


def _retry_text(retry: Expression) -> str:
    match retry:
        case Constant(value=None):
            return ""
        case Call(arguments=arguments):
            attempts = keyword(arguments, "max_attempts")
            if attempts is None:
                attempts = next((each.value for each in arguments if each.keyword is None), None)
            return f"{short(attempts)} attempts" if attempts is not None else "retried"
        case _:
            return f"retried by {short(retry)}"


def timers_of(duration: Expression) -> Timers:
    """Whether a wait of this duration leaves a timer in the log: one that is written out tells."""
    match duration:
        case Constant(value=None) | Unary(operator="-", value=Constant()):
            return Timers.NONE
        case Constant(value=int() | float() as seconds):
            return Timers.ONE if seconds > 0 else Timers.NONE
        case Call(function=function, arguments=arguments) if (dotted(function) or "").endswith("timedelta"):
            parts = [each.value.value for each in arguments if isinstance(each.value, Constant)]
            numbers = [part for part in parts if isinstance(part, int | float)]
            if len(numbers) == len(arguments) and all(number >= 0 for number in numbers):
                return Timers.ONE if any(numbers) else Timers.NONE
    return Timers.PERHAPS


def keyword(arguments: Sequence[Argument], name: str) -> Expression | None:
    return next((each.value for each in arguments if each.keyword == name), None)


def argument(arguments: Sequence[Argument], position: int, name: str) -> Expression | None:
    """The value of a parameter, given by position or by name."""
    placed = [each.value for each in arguments if each.keyword is None and not each.star]
    return placed[position] if position < len(placed) else keyword(arguments, name)
