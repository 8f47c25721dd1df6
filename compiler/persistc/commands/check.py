"""`persistc check`: what is wrong, and which generated files are not up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from persistc.commands.options import add_cache, add_output_format, add_python, add_sources
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat

if TYPE_CHECKING:
    from persistc.compiling import Compiled
    from persistc.outcome import Outcome


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check", help="say what is wrong or not up to date; write nothing"
    )
    add_sources(parser)
    add_output_format(parser)
    add_cache(parser)
    parser.add_argument(
        "--types",
        action="store_true",
        help="also run mypy over flow modules and generated files, and ask it for types; never from the cache",
    )
    add_python(parser, "whose mypy `--types` runs")
    return parser


def run(options: argparse.Namespace) -> int:
    """Report what is wrong and which generated files are not up to date, with a diff of each that is stale."""
    from persistc.commands.printing import print_text
    from persistc.run_cache import remembered

    output_format = OutputFormat(options.output_format)
    check = partial(check_files, options.paths, output_format, options.python if options.types else None)
    is_cached = options.cache and not options.types  # what mypy says depends on more than persistc reads
    outcome = remembered(["check", output_format], options.paths, check) if is_cached else check()
    print_text(outcome.text)
    return outcome.exit_code


def check_files(paths: Sequence[Path], output_format: OutputFormat, typed_by: str | None = None) -> Outcome:
    """What is wrong below these paths, or below the configured source when none are given; with types if a Python is
    given whose mypy checks them.

    Raises `CannotRun` when a path or the configuration is wrong, or mypy cannot run.
    """
    from persistc.compiling import compile_paths
    from persistc.file_reports import render_run
    from persistc.files import differences
    from persistc.outcome import Outcome

    compiled = compile_paths(paths)
    found = () if compiled.has_errors else differences(compiled.outputs, compiled.existing)
    if typed_by is not None and (found or compiled.has_errors):
        sys.stderr.write("types are looked at when nothing else is wrong\n")
    elif typed_by is not None:
        compiled = _with_types(compiled, typed_by)
    text = render_run(compiled, found, output_format, show_diff=output_format is OutputFormat.TEXT)
    return Outcome(text, FINDINGS if found or compiled.has_errors else CLEAN)


def _with_types(compiled: Compiled, python: str) -> Compiled:
    from persistc.type_checking import check_types

    checked = check_types(compiled, python)
    sys.stderr.write(checked.warnings)
    return checked.compiled
