"""`persistc generate`: compile, compare with what is there, and write."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from persistc.commands.options import add_output_format, add_sources
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat

if TYPE_CHECKING:
    from persistc.compiling import Compiled
    from persistc.files import Difference


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "generate", help="write flows_durable.py and flows_durable.pyi beside each flows.py"
    )
    add_sources(parser)
    add_output_format(parser)
    parser.add_argument("--force", action="store_true", help="overwrite and remove files that were edited by hand")
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the generated files below the paths and remove those nothing is generated into any more.

    Nothing is written when anything is wrong; a file that was edited by hand is kept unless `force` is given, and one
    that persistc did not write always.
    """
    from persistc.commands.printing import print_findings, print_text
    from persistc.compiling import compile_paths
    from persistc.file_reports import render_differences
    from persistc.files import State, differences, write
    from persistc.sources import shown

    output_format = OutputFormat(options.output_format)
    compiled = compile_paths(options.paths)
    if compiled.has_errors:
        print_findings(compiled, output_format)
        return FINDINGS
    changes = differences(compiled.outputs, compiled.existing)
    kept = [change for change in changes if change.state is State.FOREIGN or not (change.is_intact or options.force)]
    if kept:
        print_text(render_differences(kept, output_format, show_diff=False))
        return FINDINGS
    write(changes)
    print_findings(compiled, output_format)
    if output_format in {OutputFormat.TEXT, OutputFormat.CONCISE}:
        print_text("".join(f"{_done(change)} {shown(change.path)}\n" for change in changes))
        print_text(_summary(compiled, changes))
    return CLEAN


def _done(change: Difference) -> str:
    return "removed" if change.wanted is None else "wrote"


def _summary(compiled: Compiled, changes: Sequence[Difference]) -> str:
    if not compiled.outputs and not changes:
        return "no flow classes found\n"
    unchanged = len(compiled.outputs) - sum(change.wanted is not None for change in changes)
    return f"{unchanged} unchanged\n" if unchanged else ""
