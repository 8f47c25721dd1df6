"""Docstrings that are carried: the text of a user's docstring as a string literal again."""

from __future__ import annotations

from collections.abc import Iterator


def docstring_lines(text: str) -> Iterator[str]:
    """The physical lines of the literal, without indentation; none for an empty text."""
    if not text:
        return
    first, *rest = _escaped(text).split("\n")
    if not rest:
        yield f'"""{first}"""'
        return
    yield f'"""{first}'
    yield from (line.rstrip() for line in rest)
    yield '"""'


def _escaped(text: str) -> str:
    """What a plain triple-quoted literal needs escaped: backslashes, its own quotes, and what cannot be seen."""
    text = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if text.endswith('"'):
        text = f'{text[:-1]}\\"'
    return "".join(
        character if character.isprintable() or character == "\n" else repr(character)[1:-1] for character in text
    )
