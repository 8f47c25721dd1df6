"""Findings as text: for people (with the source and a caret), for editors, for programs, for GitHub."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum

from persistc.diagnostics import Diagnostic, Note, Severity
from persistc.source_frame import source_frame


class OutputFormat(StrEnum):
    """The values of `--output-format`."""

    TEXT = "text"
    CONCISE = "concise"
    JSON = "json"
    GITHUB = "github"


def render(diagnostics: Sequence[Diagnostic], sources: Mapping[str, str], output_format: OutputFormat) -> str:
    """All findings as one text that ends with a line break; empty when there is nothing to say.

    `sources` holds the text of each file by the name its findings carry; a file that is missing there (because it
    could not be read) is shown without a frame. JSON is always a document: an empty list when nothing was found.
    """
    match output_format:
        case OutputFormat.TEXT:
            return "".join(f"{_text(found, sources)}\n\n" for found in diagnostics) + _summary(diagnostics)
        case OutputFormat.CONCISE:
            return "".join(f"{_concise(found)}\n" for found in diagnostics) + _summary(diagnostics)
        case OutputFormat.JSON:
            return json_document([json_object(found) for found in diagnostics])
        case OutputFormat.GITHUB:
            return "".join(f"{_github(found)}\n" for found in diagnostics)


def _text(found: Diagnostic, sources: Mapping[str, str]) -> str:
    lines = [f"{found.severity}[{found.code}]: {found.message}"]
    lines += source_frame(found, sources)
    if found.help:
        first, *rest = found.help.split("\n")
        margin = _help_margin(found)
        lines.append(f"{margin}= help: {first}")
        indent = " " * len(f"{margin}= help: ")
        lines += [f"{indent}{line}".rstrip() for line in rest]
    return "\n".join(lines)


def _help_margin(found: Diagnostic) -> str:
    """As wide as the line numbers of the frame, so that `=` stands under its bar."""
    spans = [found.span] if found.span else []
    spans += [note.span for note in found.notes]
    widest = max((len(str(span.start.line)) for span in spans), default=1)
    return " " * (widest + 1)


def _place(found: Diagnostic) -> str:
    if found.span is None:
        return found.file
    return f"{found.file}:{found.start.line}:{found.start.column + 1}"


def _concise(found: Diagnostic) -> str:
    return f"{_place(found)}: {found.severity}[{found.code}] {found.message}"


def _summary(diagnostics: Sequence[Diagnostic]) -> str:
    if not diagnostics:
        return ""
    counts = []
    for severity in Severity:
        number = sum(found.severity is severity for found in diagnostics)
        if number:
            counts.append(f"{number} {severity}" if number == 1 else f"{number} {severity}s")
    return f"Found {' and '.join(counts)}. `persistc explain {diagnostics[0].code}` says more.\n"


def json_document(objects: Sequence[Mapping[str, object]]) -> str:
    """What `--output-format json` prints: always one list."""
    return json.dumps(objects, indent=2, ensure_ascii=False) + "\n"


def json_object(found: Diagnostic) -> dict[str, object]:
    """Lines and columns both count from 1 here, as editors and ruff's own JSON have it."""
    return {
        "code": found.code,
        "name": found.code.slug,
        "severity": found.severity,
        "message": found.message,
        "file": found.file,
        "span": _json_span(found),
        "label": found.label,
        "help": found.help,
        "notes": [{"file": note.file, "span": _json_span(note), "label": note.label} for note in found.notes],
    }


def _json_span(place: Diagnostic | Note) -> dict[str, dict[str, int]] | None:
    if place.span is None:
        return None
    return {
        "start": {"line": place.span.start.line, "column": place.span.start.column + 1},
        "end": {"line": place.span.end.line, "column": place.span.end.column + 1},
    }


def _github(found: Diagnostic) -> str:
    properties = {"title": f"persistc ({found.code})", "file": found.file}
    if found.span is not None:
        properties["line"] = str(found.span.start.line)
        properties["col"] = str(found.span.start.column + 1)
        properties["endLine"] = str(found.span.end.line)
        properties["endColumn"] = str(found.span.end.column + 1)
    message = f"{_concise(found)}\n{found.help}" if found.help else _concise(found)
    return github_command(found.severity, properties, message)


def github_command(level: str, properties: Mapping[str, str], message: str) -> str:
    """One workflow command: https://docs.github.com/actions/reference/workflow-commands-for-github-actions."""
    listed = ",".join(f"{key}={_github_property(value)}" for key, value in properties.items())
    return f"::{level} {listed}::{_github_data(message)}"


def _github_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _github_property(text: str) -> str:
    return _github_data(text).replace(":", "%3A").replace(",", "%2C")
