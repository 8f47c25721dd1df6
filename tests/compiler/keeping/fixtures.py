"""Reads `kept.md`: what a file was, what it is, and what `persistc keep` makes of it and says.

A section has a `py` block for each of the first three, under the lines "It was:", "It is:" and "It becomes:", and an
`output` block. With `PERSISTC_FIXTURES=write` in the environment a test run writes the last two anew.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parent / "kept.md"
_SECTION = re.compile(r"^## (?P<title>.+?)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(?:py|output)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Fixture:
    """One change of a file, and what is kept."""

    title: str
    was: str
    now: str
    becomes: str
    output: str


def fixtures() -> Iterator[Fixture]:
    """All sections of the page."""
    for section in _SECTION.finditer(PAGE.read_text(encoding="utf-8")):
        blocks = _BLOCK.findall(section["body"])
        yield Fixture(section["title"], *blocks[:2], *(blocks[2:] or ("", "")))


def write(fixture: Fixture, becomes: str, output: str) -> None:
    """Put what comes out today into the page, for a person to read and commit."""
    text = PAGE.read_text(encoding="utf-8")
    section = next(each for each in _SECTION.finditer(text) if each["title"] == fixture.title)
    tail = "\n" if text[section.end() :] else ""
    body = (
        f"\nIt was:\n\n```py\n{fixture.was}```\n\nIt is:\n\n```py\n{fixture.now}```\n\n"
        f"It becomes:\n\n```py\n{becomes}```\n\n```output\n{output}```\n{tail}"
    )
    PAGE.write_text(f"{text[: section.start('body')]}{body}{text[section.end() :]}", encoding="utf-8")
