"""`persistc generate` and `persistc check`: compile, compare with what is there, write or report."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from persistc.compiling import Compiled, compile_paths
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.file_reports import render_differences
from persistc.files import Difference, State, differences, write
from persistc.reporting import OutputFormat, render
from persistc.sources import shown


def generate(paths: Sequence[Path], output_format: OutputFormat, *, force: bool) -> int:
    """Write the generated files below the paths and remove those nothing is generated into any more.

    Nothing is written when anything is wrong; a file that was edited by hand is kept unless `force` is given, and one
    that persistc did not write always.
    """
    compiled = compile_paths(paths)
    if compiled.has_errors:
        _print_findings(compiled, output_format)
        return FINDINGS
    changes = differences(compiled.outputs, compiled.existing)
    kept = [change for change in changes if change.state is State.FOREIGN or not (change.is_intact or force)]
    if kept:
        _print(render_differences(kept, output_format, show_diff=False))
        return FINDINGS
    write(changes)
    _print_findings(compiled, output_format)
    if output_format in {OutputFormat.TEXT, OutputFormat.CONCISE}:
        _print("".join(f"{_done(change)} {shown(change.path)}\n" for change in changes))
        _print(_summary(compiled, changes))
    return CLEAN


def check(paths: Sequence[Path], output_format: OutputFormat) -> int:
    """Report what is wrong and which generated files are not up to date, with a diff of each that is stale."""
    compiled = compile_paths(paths)
    if compiled.has_errors:
        _print_findings(compiled, output_format)
        return FINDINGS
    found = differences(compiled.outputs, compiled.existing)
    if not found:
        _print_findings(compiled, output_format)
        return CLEAN
    if compiled.findings and output_format is not OutputFormat.JSON:
        _print_findings(compiled, output_format)
    _print(render_differences(found, output_format, show_diff=output_format is OutputFormat.TEXT))
    return FINDINGS


def _done(change: Difference) -> str:
    return "removed" if change.wanted is None else "wrote"


def _summary(compiled: Compiled, changes: Sequence[Difference]) -> str:
    if not compiled.outputs and not changes:
        return "no flow classes found\n"
    unchanged = len(compiled.outputs) - sum(change.wanted is not None for change in changes)
    return f"{unchanged} unchanged\n" if unchanged else ""


def _print_findings(compiled: Compiled, output_format: OutputFormat) -> None:
    _print(render(compiled.findings, compiled.texts, output_format))


def _print(text: str) -> None:
    sys.stdout.write(text)
