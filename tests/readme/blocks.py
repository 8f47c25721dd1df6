"""The code blocks of the README, as files and as commands with their output."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[2] / "README.md"
_BLOCK: Final = re.compile(r"^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"# (?P<part>part of )?(?P<path>\S+\.py)\n(?P<text>.*)", re.DOTALL)

_TABLE: Final = re.compile(r"^\|.*\|\n\|[-|]+\|\n(?:\|.*\|\n)+", re.MULTILINE)
_CODE: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True)
class Command:
    """A command of the README and what it says that it prints."""

    line: str
    output: str


def files() -> Mapping[str, str]:
    """The files that the README shows, by path; the line with the path is not part of them."""
    return {file["path"]: file["text"] for file in _files() if not file["part"]}


def excerpts() -> Mapping[str, str]:
    """The parts of files that it shows, by path."""
    return {file["path"]: file["text"] for file in _files() if file["part"]}


def sessions() -> list[list[Command]]:
    """The terminal sessions."""
    return [list(_commands(text)) for language, text in _blocks() if language == "console"]


def tables() -> Mapping[str, list[tuple[str, ...]]]:
    """The rows of the tables, by the first cell of their heads."""
    found: dict[str, list[tuple[str, ...]]] = {}
    for table in _TABLE.finditer(README.read_text(encoding="utf-8")):
        head, _, *rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table[0].splitlines()]
        found[head[0]] = rows
    return found


def codes(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return _CODE.findall(cell)


def _commands(session: str) -> Iterator[Command]:
    for entry in re.split(r"^\$ ", session, flags=re.MULTILINE)[1:]:
        line, _, output = entry.partition("\n")
        yield Command(line, output)


def _files() -> Iterator[re.Match[str]]:
    for language, text in _blocks():
        if language == "python":
            file = _FILE.match(text)
            assert file is not None, f"a code block does not begin with the name of its file:\n{text}"
            yield file


def _blocks() -> Iterator[tuple[str, str]]:
    for block in _BLOCK.finditer(README.read_text(encoding="utf-8")):
        yield block["language"], block["text"]
