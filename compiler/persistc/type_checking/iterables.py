"""Reads from a type checker's answers which of the things that flow code goes through are sets."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from persistc.checks.set_order import set_in_order
from persistc.checks.typed_iterables import Iterated
from persistc.diagnostics import Diagnostic
from persistc.type_checking.questions import Answers
from persistc.type_checking.revealed import members

_SETS: Final = frozenset({"set", "frozenset", "AbstractSet", "MutableSet", "Set"})
_HOMES: Final = frozenset({"", "builtins", "typing", "typing_extensions", "collections.abc"})
_HASHED_BY_NUMBER: Final = ("asyncio.", "_asyncio.")
"""Tasks and futures of a flow loop have a hash that is the same at replay (G4)."""


def iterations_over_sets(iterables: Iterable[Iterated], answers: Answers) -> Iterator[Diagnostic]:
    """PST206 for each iterable whose revealed type is a set."""
    for each in iterables:
        shown = _set_in(answers.get((os.path.normpath(each.path), each.expression.span), ()))
        if shown is not None:
            found = set_in_order(each.file, each.expression, each.label)
            yield replace(found, label=f"`{shown}`, says mypy: {each.label}")


def _set_in(types: Sequence[str]) -> str | None:
    """The set among the types that a value may have, as it is shown."""
    for member in (member for told in types for member in members(told)):
        name, _, items = member.partition("[")
        home, _, last = name.rpartition(".")
        if last in _SETS and home in _HOMES and not items.startswith(_HASHED_BY_NUMBER):
            return re.sub(r"\b(?:builtins|typing)\.", "", member)
    return None
