"""One statement of a flow in its normal form, and what it may ask for."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass

from persistc.flow_changes.python_syntax import says_nothing
from persistc.flow_graph.regions import Place


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement, or the head of a compound one."""

    form: str
    shown: str
    place: Place
    calls: tuple[str, ...]
    """The steps, signals and timers it asks for, in the order they are written."""
    is_condition: bool
    around: tuple[int, ...]
    """The loops and parallel regions it stands in, by the number of their own statement: calls may lead back here."""


def defines_functions(statements: Sequence[Statement]) -> bool:
    """Whether a body has functions in it, which call what they call when they are called."""
    return any(each.form.startswith(("FunctionDef ", "AsyncFunctionDef ")) for each in statements)


def body_text(function: ast.FunctionDef | ast.AsyncFunctionDef | None) -> str:
    """The body of a step in a form that comments, layout and docstrings do not change."""
    if function is None:
        return ""
    return "\n".join(ast.unparse(each) for each in function.body if not says_nothing(each))
