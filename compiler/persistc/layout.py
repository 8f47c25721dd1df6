"""Laying out one logical line as black does, so that running black over the generated files changes nothing.

Only the forms that occur there are covered: definitions, classes, calls, types, imports.
"""

from __future__ import annotations

from collections.abc import Iterator

WIDTH = 88
INDENT = 4
_OPENING = "([{"
_CLOSING = ")]}"


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
    split = _first_pair(line) if line.startswith(("def ", "async def ")) else _last_pair(line)
    if split is None:
        return [" " * indent + line]
    head, body, tail = split
    if not body:
        return [" " * indent + line]
    return [" " * indent + head, *_body(body, indent + INDENT), *_tail(tail, indent)]


def _body(body: str, indent: int) -> list[str]:
    """What stands between brackets: on one line if it fits, else an item a line."""
    if indent + len(body) <= WIDTH:
        return [" " * indent + body]
    items = list(_split(body, ","))
    if len(items) > 1:
        return [line for item in items for line in laid_out(f"{item},", indent)]
    alternatives = list(_split(body, "|"))
    if len(alternatives) > 1:
        first, *rest = alternatives
        return [*laid_out(first, indent), *(line for each in rest for line in laid_out(f"| {each}", indent))]
    return laid_out(body, indent)


def _tail(tail: str, indent: int) -> list[str]:
    return laid_out(tail, indent)


def _first_pair(line: str) -> tuple[str, str, str] | None:
    """The line cut at its first brackets: those of a definition's parameters."""
    start = line.find("(")
    return _cut(line, start, _partner(line, start))


def _last_pair(line: str) -> tuple[str, str, str] | None:
    """The line cut at its last brackets."""
    found = None
    for start in _brackets(line):
        found = _cut(line, start, _partner(line, start))
    return found


def _cut(line: str, start: int, end: int) -> tuple[str, str, str]:
    return line[: start + 1], line[start + 1 : end].rstrip(","), line[end:]


def _brackets(line: str) -> Iterator[int]:
    """Where brackets open that stand in no others."""
    depth = 0
    for position, character in _code(line):
        if character in _OPENING:
            if depth == 0:
                yield position
            depth += 1
        elif character in _CLOSING:
            depth -= 1


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
    depth = 0
    start = 0
    for position, character in _code(text):
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == separator and depth == 0:
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
