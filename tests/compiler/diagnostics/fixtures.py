"""Reads the fixtures beside this file: markdown sections with Python files and what persistc says of them.

A `py` block is a file, `flows.py` unless the line before the block names another: "`billing.py`:". A section without
an `output` block holds good code: persistc must have nothing to say. With `PERSISTC_FIXTURES=write` in the environment
a test run writes the outputs anew.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from persistc.compiling import findings_of
from persistc.configuration import Configuration
from persistc.diagnostics import Diagnostic, in_order
from persistc.reading import read_project
from persistc.reporting import OutputFormat, render
from persistc.sources import find_sources

FOLDER = Path(__file__).parent
_SECTION = re.compile(r"^## (?P<title>.+?)\n(?P<body>.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(
    r"(?:^`(?P<file>[^`\n]+)`:\n\n)?^```(?P<kind>py|output)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Fixture:
    """One section: the files of a small project, and the exact text persistc prints for them."""

    page: Path
    title: str
    files: Mapping[str, str]
    output: str

    @property
    def name(self) -> str:
        return f"{self.page.stem}: {self.title}"


@dataclass(frozen=True)
class Verdict:
    """What persistc found in a project, as values and as text."""

    found: tuple[Diagnostic, ...]
    text: str


def fixtures(folder: Path = FOLDER) -> Iterator[Fixture]:
    """All sections of all pages of a folder."""
    for page in sorted(folder.glob("*.md")):
        for section in _SECTION.finditer(page.read_text(encoding="utf-8")):
            blocks = list(_BLOCK.finditer(section["body"]))
            files = {block["file"] or "flows.py": block["text"] for block in blocks if block["kind"] == "py"}
            outputs = [block["text"] for block in blocks if block["kind"] == "output"]
            yield Fixture(page, section["title"], files, "".join(outputs))


def diagnose(files: Mapping[str, str], folder: Path, output_format: OutputFormat = OutputFormat.TEXT) -> Verdict:
    """What persistc says of a project with these files, written to `folder`, which is the working directory."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    configuration = Configuration(root=folder, source=(folder,))
    sources = find_sources((), configuration).sources
    reading = read_project(sources, configuration)
    found = tuple(in_order(findings_of(reading, sources)))
    return Verdict(found, render(found, reading.texts, output_format))


def write_output(fixture: Fixture, output: str) -> None:
    """Put the output persistc gives today into the page, for a person to read and commit."""
    text = fixture.page.read_text(encoding="utf-8")
    section = next(each for each in _SECTION.finditer(text) if each["title"] == fixture.title)
    body = re.sub(r"```output\n.*?^```\n", "", section["body"], flags=re.MULTILINE | re.DOTALL).rstrip()
    shown = f"\n\n```output\n{output}```" if output else ""
    tail = "\n\n" if text[section.end() :] else "\n"
    rewritten = f"{text[: section.start('body')]}{body}{shown}{tail}{text[section.end() :]}"
    fixture.page.write_text(rewritten, encoding="utf-8")
