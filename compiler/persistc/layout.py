"""Laying out one logical line as black does, so that running black over the generated files changes nothing.

Only the forms that occur there are covered: definitions, classes, calls, types, imports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

WIDTH = 88
INDENT = 4
_OPENING = "([{"
_CLOSING = ")]}"
_TYPED = re.compile(r"[*]{0,2}\w+: |\) -> ")


def laid_out_file(text: str) -> str:
    """A file of logical lines with every line that is too long laid out; comments and docstrings stay."""
    lines: list[str] = []
    in_docstring = False
    for line in text.split("\n"):
        code = line.strip()
        if in_docstring or code.startswith(("#", '"""')):
            lines.append(line)
            opened = in_docstring or code.startswith('"""')
            in_docstring = opened and not (code.endswith('"""') and (in_docstring or len(code) > 3))
        else:
            lines += laid_out(code, len(line) - len(line.lstrip())) if code else [""]
    return "\n".join(lines).rstrip("\n") + "\n"


def laid_out(line: str, indent: int = 0) -> list[str]:
    """A logical line, written without line breaks, as the physical lines black makes of it."""
    if indent + len(line) <= WIDTH:
        return [" " * indent + line]
    if line.startswith("from "):
        statement, _, names = line.partition(" import ")
        inner = " " * (indent + INDENT)
        return [f"{statement} import (", *(f"{inner}{name}," for name in _split(names, ",")), ")"]
    is_definition = line.startswith(("def ", "async def "))
    split = _first_pair(line) if is_definition else _union(line, indent) or _last_pair(line, WIDTH - indent)
    if split is None or not split[1]:
        return [" " * indent + line]
    head, body, tail = split
    if is_definition and "," not in body:
        body_lines = laid_out(f"{body},", indent + INDENT)  # black gives a lone parameter a comma, and so a line
    else:
        body_lines = _body(body, indent + INDENT, is_display=_is_display(head))
    return [" " * indent + head, *body_lines, *laid_out(tail, indent)]


def _is_display(head: str) -> bool:
    """Whether the bracket at the end opens a tuple, list, set or dict, and no call, subscript or parameters."""
    before = head[:-1]
    return not before or not (before[-1].isidentifier() or before[-1].isdigit() or before[-1] in _CLOSING)


def _body(body: str, indent: int, *, is_display: bool) -> list[str]:
    """What stands between brackets: on one line if it fits, else an item a line; that of a display always so."""
    items = list(_split(body, ","))
    if indent + len(body) <= WIDTH and not (is_display and len(items) > 1):
        return [" " * indent + body]
    if len(items) > 1:
        return [line for item in items for line in laid_out(f"{item},", indent)]
    alternatives = list(_split(body, "|"))
    if len(alternatives) > 1:
        first, *rest = alternatives
        return [*laid_out(first, indent), *(line for each in rest for line in laid_out(f"| {each}", indent))]
    return laid_out(body, indent)


def _union(line: str, indent: int) -> tuple[str, str, str] | None:
    """A parameter or a result whose type is a union: black puts the type into brackets of its own."""
    found = _TYPED.match(line)
    if found is None:
        return None
    rest = line[found.end() :]
    end = next((position for position, character in _outside(rest) if character in "=,:"), len(rest))
    union, tail = rest[:end].rstrip(), rest[end:]
    if len(list(_split(union, "|"))) < 2:
        return None
    room = WIDTH - indent - (len(line) - len(tail))
    default = _last_pair(tail, room) if tail.startswith("=") else None
    if default is not None and len(default[0]) <= room:
        return None  # the brackets of the default come last and give way first
    return f"{found[0]}(", union, f"){' ' if tail.startswith('=') else ''}{tail}"


def _first_pair(line: str) -> tuple[str, str, str] | None:
    """The line cut at its first brackets: those of a definition's parameters."""
    start = line.find("(")
    return _cut(line, start, _partner(line, start))


def _last_pair(line: str, room: int) -> tuple[str, str, str] | None:
    """The line cut at its last brackets before which there is room for what comes first."""
    starts = [start for start, character in _outside(line) if character in _OPENING]
    cuts = [_cut(line, start, _partner(line, start)) for start in reversed(starts)]
    return next((cut for cut in cuts if len(cut[0]) <= room), cuts[0] if cuts else None)


def _cut(line: str, start: int, end: int) -> tuple[str, str, str]:
    return line[: start + 1], line[start + 1 : end].rstrip(","), line[end:]


def _outside(line: str) -> Iterator[tuple[int, str]]:
    """The characters that stand in no brackets, the outermost opening brackets among them."""
    depth = 0
    for position, character in _code(line):
        if character in _CLOSING:
            depth = max(depth - 1, 0)
        elif depth == 0:
            yield position, character
        if character in _OPENING:
            depth += 1


def _partner(line: str, start: int) -> int:
    """Where the bracket that opens at `start` closes."""
    depth = 0
    for position, character in _code(line):
        if position < start:
            continue
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
            if depth == 0:
                return position
    return len(line)


def _split(text: str, separator: str) -> Iterator[str]:
    """The parts between separators that stand in no brackets."""
    start = 0
    for position, character in _outside(text):
        if character == separator:
            yield text[start:position].strip()
            start = position + 1
    if text[start:].strip():
        yield text[start:].strip()


def _code(text: str) -> Iterator[tuple[int, str]]:
    """The characters with their positions, without those of string literals."""
    quote = ""
    position = 0
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif text.startswith(quote, position):
                position += len(quote) - 1
                quote = ""
        elif character in "'\"":
            quote = character * 3 if text.startswith(character * 3, position) else character
            position += len(quote) - 1
        else:
            yield position, character
        position += 1
