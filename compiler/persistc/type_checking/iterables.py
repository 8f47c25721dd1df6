"""What flow code iterates over, for mypy to tell the type of: a set comes in another order in every process.

persistc sees a set that is written out or declared; what a method or an attribute gives, only a type checker knows.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Final

from persistc.checks.flow_class import flow_classes
from persistc.checks.flow_code import FlowBody, Located, flow_code
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Argument,
    Assign,
    Call,
    Clause,
    Compound,
    Comprehension,
    Constant,
    Display,
    Expression,
    ForLoop,
    Name,
    Node,
    Starred,
    WithItem,
)
from persistc.project import Project
from persistc.spans import Position, Span
from persistc.type_checking.mypy import Report

_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")
_REVEALED: Final = re.compile(r'Revealed type is "(?P<type>.*)"\Z')
_OPEN: Final = "reveal_type(\n"
_F_STRING: Final = re.compile(r"\b[rR]?[fF][rR]?['\"]")
_SETS: Final = frozenset({"set", "frozenset", "AbstractSet", "MutableSet", "Set"})
_HOMES: Final = frozenset({"", "builtins", "typing", "typing_extensions", "collections.abc"})
_HASHED_BY_NUMBER: Final = ("asyncio.", "_asyncio.")
"""Tasks and futures of a flow loop have a hash that is the same at replay (G4)."""
_IN_ORDER: Final = frozenset({"list", "tuple", "enumerate", "iter"})
"""Builtins that go through their argument and keep its order."""
_ORDER_BLIND: Final = frozenset({"sorted", "set", "frozenset", "min", "max", "any", "all", "len"})
"""Builtins whose result is the same whatever the order."""
_OF_KNOWN_ORDER: Final = frozenset({"range", "zip", "map", "filter", "reversed", "dict"}) | _IN_ORDER | _ORDER_BLIND


@dataclass(frozen=True, slots=True)
class Iterated:
    """An expression of flow code that is iterated over."""

    path: str
    file: str
    span: Span


@dataclass(frozen=True, slots=True)
class Shadow:
    """The text of a file with `reveal_type(...)` around what is iterated over."""

    text: str
    asked: tuple[tuple[int, Iterated], ...]
    """The line of that text on which each begins. Each has one of its own: mypy says a thing once a line, and what it
    counts in columns is not the same in all versions."""


def typed_iterables(project: Project) -> tuple[Iterated, ...]:
    """What flow code iterates over and only a type checker can know, each once, in order."""
    found = {
        Iterated(body.module.path, body.module.file, iterated.span)
        for flow_class in flow_classes(project)
        for body in flow_code(flow_class)
        for located in body.nodes
        if not _is_in_f_string(located)
        for iterated in _iterated(body, located)
        if not _is_known(body, iterated)
    }
    return tuple(sorted(found, key=lambda each: (each.path, each.span.start, _reversed(each.span.end))))


def shadow_of(text: str, iterables: Sequence[Iterated]) -> Shadow:
    """The text of one file with a question around each of its iterables, given in order."""
    begins = [0, *accumulate(len(line) for line in _LINE.findall(text))]
    edits = [
        edit
        for number, each in enumerate(iterables, 1)
        for edit in ((_offset(each.span.end, begins), 0, ")"), (_offset(each.span.start, begins), number, _OPEN))
    ]
    pieces: list[str] = []
    copied = 0
    # In one place a question ends before the next begins, and of two that begin the outer one comes first.
    for offset, _, inserted in sorted(edits):
        pieces += [text[copied:offset], inserted]
        copied = offset
    asked = ((each.span.start.line + number, each) for number, each in enumerate(iterables, 1))
    return Shadow("".join([*pieces, text[copied:]]), tuple(asked))


def _offset(position: Position, begins: Sequence[int]) -> int:
    return begins[position.line - 1] + position.column


def _reversed(position: Position) -> tuple[int, int]:
    return -position.line, -position.column


def iterations_over_sets(
    shadows: Mapping[str, Shadow], reports: Sequence[Report], texts: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """PST206 for each iterable whose revealed type is a set; shadows go by path, texts by the name findings show."""
    for report in reports:
        revealed = _REVEALED.match(report.message)
        asked = shadows[report.path].asked if report.path in shadows else ()
        # A parenthesis may push what is asked for to a later line, though never beyond the next question.
        number = bisect_right(asked, report.line, key=lambda each: each[0])
        if revealed is not None and number and (shown := _set_in(revealed["type"])) is not None:
            _, iterated = asked[number - 1]
            yield _finding(iterated, shown, texts[iterated.file])


def _finding(iterated: Iterated, shown: str, text: str) -> Diagnostic:
    lines = _LINE.findall(text)
    start, end = iterated.span.start, iterated.span.end
    written = lines[start.line - 1][start.column : end.column] if start.line == end.line else "..."
    return Diagnostic(
        code=Code.SET_ORDER,
        message=f"the flow goes through a set, `{shown}`, whose order is another one at replay",
        file=iterated.file,
        span=iterated.span,
        label=f"`{shown}`, says mypy",
        help=f"write `sorted({written})`, or keep a list",
    )


def _iterated(body: FlowBody, located: Located) -> Iterator[Expression]:
    match located.node:
        case ForLoop(over=over, is_async=False):
            yield over
        case Clause(over=over, is_async=False) if not _order_is_lost(body, located.around):
            yield over
        case Call(arguments=[Argument(value=value, star="", keyword=None)]) as call:
            if _builtin(body, call) in _IN_ORDER and not _order_is_lost(body, (*located.around, call)):
                yield value
        case Argument(value=value, star="*") if not _order_is_lost(body, (*located.around, located.node)):
            yield value
        case Starred(value=value) if isinstance(located.parent, Display) and not _is_target(located):
            if located.parent.kind in {"list", "tuple"}:
                yield value


def _is_in_f_string(located: Located) -> bool:
    """Whether no line may end there: in an f-string, before Python 3.12."""
    return any(isinstance(node, Compound) and _F_STRING.search(node.text) for node in located.around)


def _is_target(located: Located) -> bool:
    """Whether a node stands where something is assigned: `first, *rest = line`."""
    line = (*located.around, located.node)
    return any(inside in _targets(node) for node, inside in pairwise(line))


def _targets(node: Node) -> tuple[Node, ...]:
    match node:
        case Assign(targets=targets):
            return targets
        case ForLoop(target=target) | Clause(target=target):
            return (target,)
        case WithItem(target=target) if target is not None:
            return (target,)
        case _:
            return ()


def _order_is_lost(body: FlowBody, around: Sequence[object]) -> bool:
    """Whether what is made of the elements, the last node here, goes straight into something without an order."""
    made = around[-1]
    if isinstance(made, Comprehension) and made.kind == "set":
        return True
    above = [node for node in around if not isinstance(node, Argument)]
    taker = above[-1] if isinstance(made, Argument) else above[-2] if len(above) > 1 else None
    return isinstance(taker, Call) and _builtin(body, taker) in _ORDER_BLIND


def _is_known(body: FlowBody, expression: Expression) -> bool:
    """Whether its order, or that it has none, can be seen without types."""
    match expression:
        case Constant() | Display() | Comprehension():
            return True
        case Call():
            return _builtin(body, expression) in _OF_KNOWN_ORDER
        case _:
            return False


def _builtin(body: FlowBody, call: Call) -> str | None:
    """The builtin function that is called."""
    if not isinstance(call.function, Name):
        return None
    home, _, name = (body.origin(call.function) or "").rpartition(".")
    return name if home == "builtins" else None


def _set_in(told: str) -> str | None:
    """The set among the types that a value may have, as it is shown."""
    told = told.removesuffix("?")
    if told.startswith(("Union[", "typing.Union[")):
        told = told[told.index("[") + 1 : -1]
    for member in _members(told):
        name, _, items = member.partition("[")
        home, _, last = name.rpartition(".")
        if last in _SETS and home in _HOMES and not items.startswith(_HASHED_BY_NUMBER):
            return re.sub(r"\b(?:builtins|typing)\.", "", member)
    return None


def _members(told: str) -> Iterator[str]:
    """The members of a union; a type that is none is its only member."""
    depth, start = 0, 0
    for index, character in enumerate(told):
        depth += (character in "[(") - (character in "])")
        if depth == 0 and character in "|,":
            yield told[start:index].strip()
            start = index + 1
    yield told[start:].strip()
