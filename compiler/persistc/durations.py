"""Durations in words: `timedelta(days=3)` is `3 days`."""

from __future__ import annotations

from persistc.expression_text import expression_text
from persistc.flow_tree import Call, Constant, Expression, dotted


def duration_text(expression: Expression) -> str:
    """A duration as a reader says it; one that is no literal stays as it is written. A bare number is seconds."""
    match expression:
        case Constant(value=int() | float() as seconds, text=text):
            return _counted(text, seconds, "seconds")
        case Call(function=function, arguments=arguments) if (dotted(function) or "").endswith("timedelta"):
            parts = [
                _counted(argument.value.text, argument.value.value, argument.keyword or "days")
                for argument in arguments
                if isinstance(argument.value, Constant) and isinstance(argument.value.value, int | float)
            ]
            if parts and len(parts) == len(arguments):
                return " ".join(parts)
    return expression_text(expression)


def _counted(text: str, number: float, unit: str) -> str:
    return f"{text} {unit.removesuffix('s') if number == 1 else unit}"
