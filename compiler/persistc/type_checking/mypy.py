"""Runs mypy by its command line, as the user would in the project, and reads its reports."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tempfile
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from persistc.cannot_run import CannotRun

NEEDED: Final = "1.11"
"""The first mypy that reports as JSON."""
_FAILED: Final = 2
"""Mypy's exit code when it could not check: a crash, a wrong configuration or option, a file it cannot parse."""


@dataclass(frozen=True, slots=True)
class Report:
    """One report; its notes are `hints` of the error they belong to."""

    path: str
    """Absolute."""
    line: int
    column: int
    """From 0. What it counts on a line with other than ASCII text differs between versions of mypy."""
    end_column: int | None
    """Where it ends in its first line, if mypy says so."""
    message: str
    hints: tuple[str, ...]
    code: str | None
    is_note: bool


@dataclass(frozen=True, slots=True)
class MypyRun:
    """What one run had to say."""

    reports: tuple[Report, ...]
    warnings: str
    """About the configuration, for people."""


def run_mypy(python: str, root: str, files: Sequence[str], shadows: Mapping[str, str] | None = None) -> MypyRun:
    """Check files with the mypy and the configuration of the project.

    Args:
        python: The interpreter of the environment that has mypy in it.
        root: The folder of the project, where mypy looks for its configuration.
        files: Absolute paths.
        shadows: Texts to read in place of what stands in files, by path.

    Raises:
        CannotRun: There is no such mypy, or it could not check.
    """
    with tempfile.TemporaryDirectory() as folder:
        # `-P`: modules of the project must not shadow those mypy imports, as they do not for an installed command.
        command = [python, "-P", "-m", "mypy", "-O", "json", "--no-error-summary"]
        for number, (path, text) in enumerate((shadows or {}).items()):
            shadow = Path(folder, f"shadow_{number}.py")
            shadow.write_bytes(text.encode(_encoding(text)))
            command += ["--shadow-file", path, str(shadow)]
        try:
            ended = subprocess.run(
                [*command, *files], cwd=root, capture_output=True, encoding="utf-8", errors="replace", check=False
            )
        except OSError as error:
            raise CannotRun(f"{python} cannot be run: {error.strerror}; name a Python with `--python`") from None
    reports = tuple(_with_notes(_reports(ended.stdout, root)))
    if ended.returncode >= _FAILED or (ended.returncode and not reports):
        raise CannotRun(_why_it_failed(python, root, ended.stdout, ended.stderr))
    return MypyRun(reports, ended.stderr)


def _encoding(text: str) -> str:
    return tokenize.detect_encoding(io.BytesIO(text.encode()).readline)[0]


def _reports(output: str, root: str) -> Iterator[Report]:
    for line in output.splitlines():
        if not line.startswith("{"):
            continue  # printed by a plugin
        found = json.loads(line)
        ends_there = found.get("end_line") == found["line"]
        yield Report(
            path=os.path.normpath(os.path.join(root, found["file"])),
            line=found["line"],
            column=max(found["column"], 0),
            end_column=found.get("end_column") if ends_there else None,
            message=found["message"],
            hints=tuple((found["hint"] or "").splitlines()),
            code=found["code"],
            is_note=found["severity"] == "note",
        )


def _with_notes(reports: Iterator[Report]) -> Iterator[Report]:
    """Mypy itself gives most notes to their error; those that follow it on the same line belong to it as well."""
    error: Report | None = None
    for report in reports:
        if not report.is_note:
            if error is not None:
                yield error
            error = report
        elif error is not None and (error.path, error.line) == (report.path, report.line) and not _is_reveal(report):
            error = replace(error, hints=(*error.hints, report.message, *report.hints))
        else:
            yield report
    if error is not None:
        yield error


def _is_reveal(report: Report) -> bool:
    return report.message.startswith("Revealed type is ")


def _why_it_failed(python: str, root: str, output: str, errors: str) -> str:
    if "No module named mypy" in errors:
        return (
            f"`--types` runs mypy, which {python} has not: `{python} -m pip install mypy`, or name another `--python`"
        )
    if "unrecognized arguments: -O" in errors:
        return f"`--types` needs mypy {NEEDED} or newer: `{python} -m pip install --upgrade mypy`"
    reports = [*_reports(output, root), *_reports(errors, root)]  # of its configuration it reports among the errors
    if reports:
        told = [f"{os.path.relpath(each.path, root)}:{each.line}: {each.message}" for each in reports]
    else:
        told = (errors or output).strip().splitlines() or ["it did not say why"]
    return "mypy could not check:\n  " + "\n  ".join(told)
