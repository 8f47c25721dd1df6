"""What a change means for flows under way: each case with the exact words.

`base.md` holds a module, the other pages edits of it, or of a module of their own. With `PERSISTC_FIXTURES=write` in
the environment a run writes the outputs anew.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from persistc.configuration import Configuration
from persistc.flow_changes.change_reports import render_changes
from persistc.flow_changes.comparing import compare
from persistc.reading import Reading, read_project
from persistc.reporting import OutputFormat
from persistc.sources import find_sources

FOLDER = Path(__file__).parent
_SECTION = re.compile(r"^## (?P<title>.+?)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^```(?P<kind>base|edit|output)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
BASE = next(_BLOCK.finditer((FOLDER / "base.md").read_text(encoding="utf-8")))["text"]


@dataclass(frozen=True)
class Case:
    """One section of a page."""

    page: Path
    title: str
    base: str
    edit: str
    output: str

    @property
    def name(self) -> str:
        return f"{self.page.stem}: {self.title}"


def _cases() -> Iterator[Case]:
    for page in sorted(FOLDER.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        base = next((each["text"] for each in _BLOCK.finditer(text) if each["kind"] == "base"), BASE)
        for section in _SECTION.finditer(text):
            blocks = {block["kind"]: block["text"] for block in _BLOCK.finditer(section["body"])}
            yield Case(page, section["title"], base, blocks.get("edit", ""), blocks.get("output", ""))


CASES = tuple(_cases())


def edited(text: str, edit: str) -> str:
    """A text with `-` lines replaced by the `+` lines below them, wherever a blank line ends such an edit."""
    for part in filter(None, edit.split("\n\n")):
        lines = part.rstrip("\n").split("\n")
        old = "\n".join(line[1:] for line in lines if line.startswith("-"))
        new = "\n".join(line[1:] for line in lines if line.startswith("+"))
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def read(folder: Path, text: str) -> Reading:
    folder.mkdir()
    (folder / "flows.py").write_text(text, encoding="utf-8")
    configuration = Configuration(root=folder, source=(folder,))
    reading = read_project(find_sources((), configuration).sources, configuration)
    assert reading.findings == ()
    return reading


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_change_is_told_in_exactly_these_words(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    old, new = read(tmp_path / "old", case.base), read(tmp_path / "new", edited(case.base, case.edit))
    output = render_changes(compare(old, new), OutputFormat.TEXT)
    if os.environ.get("PERSISTC_FIXTURES") == "write" and output != case.output:
        _write(case, output)
    assert output == case.output


def _write(case: Case, output: str) -> None:
    text = case.page.read_text(encoding="utf-8")
    section = next(each for each in _SECTION.finditer(text) if each["title"] == case.title)
    body = re.sub(r"```output\n.*?^```\n", "", section["body"], flags=re.MULTILINE | re.DOTALL).rstrip()
    tail = "\n\n" if text[section.end() :] else "\n"
    shown = f"{text[: section.start('body')]}{body}\n\n```output\n{output}```{tail}{text[section.end() :]}"
    case.page.write_text(shown.replace("\n\n\n```output", "\n\n```output"), encoding="utf-8")


def test_each_page_says_what_it_is_about() -> None:
    verdicts = {"compatible": "compatible", "versions": "needs a kept version", "breaking": "breaking"}
    worst = {case.name: case.output.partition(":")[0] for case in CASES if case.page.stem in verdicts}
    others = {name for name, verdict in worst.items() if verdict != verdicts[name.partition(":")[0]]}
    assert others == {
        "compatible: Nothing",
        "compatible: A class of another name with the same fields",
        "compatible: An alias for a type",
        "compatible: The length of a wait that has a name",
        "versions: A kept body",
    }
    assert len(CASES) >= 25
