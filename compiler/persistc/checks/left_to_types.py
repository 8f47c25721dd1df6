"""Where only `check --types` can tell whether there is a finding."""

from __future__ import annotations

from collections.abc import Callable, Set
from functools import cache

from persistc.checks.effects.reasons import Reason
from persistc.checks.typed_iterables import typed_iterables
from persistc.checks.typed_receivers import typed_receivers
from persistc.diagnostics import Code
from persistc.project import Project

_OF_EFFECTS = frozenset(reason.code for reason in Reason)


def only_types_tell(project: Project) -> Callable[[str, int, Code], bool]:
    """Whether a finding at a line of a file is one that takes a type checker."""

    @cache
    def iterated() -> Set[tuple[str, int]]:
        return {(each.file, each.expression.span.start.line) for each in typed_iterables(project)}

    @cache
    def called() -> Set[tuple[str, int]]:
        return {(each.file, each.expression.span.start.line) for each in typed_receivers(project)}

    def is_left(file: str, line: int, code: Code) -> bool:
        if code is Code.SET_ORDER:
            return (file, line) in iterated()
        return code in _OF_EFFECTS and (file, line) in called()

    return is_left
