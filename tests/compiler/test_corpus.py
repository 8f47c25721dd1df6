"""Realistic flows, of which persistc says nothing, and flows with mistakes, of which it says each on its line.

In `corpus/bad` a line where a finding begins ends with its code: `# error: PST206`, `# warning: PST220`, several with
commas between them. Files without flows may stand beside the others for them to import.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from persistc.compiling import findings_of
from persistc.configuration import Configuration
from persistc.diagnostics import Diagnostic
from persistc.model import Kind
from persistc.reading import Reading, read_project
from persistc.sources import find_sources
from tests.compiler.projects import REPOSITORY

CORPUS = Path(__file__).parent / "corpus"
MARKER = re.compile(r"# (?P<severity>error|warning): (?P<codes>PST\d{3}(?:, PST\d{3})*)$")

# Said outright, so that neither corpus can shrink unseen; who adds to one says so here.
GOOD_FLOWS = 18
BAD_LINES = {
    "PST106": 2,
    "PST201": 48,
    "PST202": 13,
    "PST203": 10,
    "PST204": 25,
    "PST205": 43,
    "PST206": 30,
    "PST207": 6,
    "PST208": 11,
    "PST209": 9,
    "PST210": 6,
    "PST211": 1,
    "PST212": 10,
    "PST220": 6,
}


def read(folder: str) -> tuple[Reading, list[Diagnostic]]:
    """A corpus, and what persistc finds in it."""
    configuration = Configuration(root=REPOSITORY, source=(CORPUS / folder,))
    sources = find_sources((), configuration).sources
    reading = read_project(sources, configuration)
    return reading, findings_of(reading, sources)


def marked_in(path: Path) -> Iterator[tuple[int, str, str]]:
    """Line, severity and code of each finding that a file announces."""
    for token in tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline):
        if token.type == tokenize.COMMENT and (marker := MARKER.search(token.string)) is not None:
            for code in marker["codes"].split(", "):
                yield token.start[0], marker["severity"], code


def test_persistc_has_nothing_to_say_about_good_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    _, found = read("good")
    assert [f"{each.file}:{each.start.line} {each.code} {each.message}" for each in found] == []


def test_persistc_finds_every_mistake_on_its_line_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    _, diagnostics = read("bad")
    found = {f"{each.file}:{each.start.line} {each.severity} {each.code}" for each in diagnostics}
    announced = {
        f"{path.relative_to(REPOSITORY).as_posix()}:{line} {severity} {code}"
        for path in (CORPUS / "bad").rglob("*.py")
        for line, severity, code in marked_in(path)
    }
    assert sorted(found - announced) == []
    assert sorted(announced - found) == []


def test_the_corpora_hold_as_much_as_is_said_here() -> None:
    reading, _ = read("good")
    modules = reading.project.modules.values()
    methods = [method for module in modules for cls in module.classes for method in cls.methods]
    assert sum(method.kind is Kind.FLOW for method in methods) == GOOD_FLOWS
    codes = (code for path in (CORPUS / "bad").rglob("*.py") for _, _, code in marked_in(path))
    assert Counter(codes) == BAD_LINES
