"""`persistc check`: what is wrong, and which generated files are not up to date."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from persistc.commands.options import add_cache, add_output_format, add_sources
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat

if TYPE_CHECKING:
    from persistc.outcome import Outcome


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check", help="say what is wrong or not up to date; write nothing"
    )
    add_sources(parser)
    add_output_format(parser)
    add_cache(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Report what is wrong and which generated files are not up to date, with a diff of each that is stale."""
    from persistc.commands.printing import print_text
    from persistc.run_cache import remembered

    output_format = OutputFormat(options.output_format)
    check = partial(check_files, options.paths, output_format)
    outcome = remembered(["check", output_format], options.paths, check) if options.cache else check()
    print_text(outcome.text)
    return outcome.exit_code


def check_files(paths: Sequence[Path], output_format: OutputFormat) -> Outcome:
    """What is wrong below these paths, or below the configured source when none are given.

    Raises `CannotRun` when a path or the configuration is wrong.
    """
    from persistc.compiling import compile_paths
    from persistc.file_reports import render_run
    from persistc.files import differences
    from persistc.outcome import Outcome

    compiled = compile_paths(paths)
    found = () if compiled.has_errors else differences(compiled.outputs, compiled.existing)
    text = render_run(compiled, found, output_format, show_diff=output_format is OutputFormat.TEXT)
    return Outcome(text, FINDINGS if found or compiled.has_errors else CLEAN)
