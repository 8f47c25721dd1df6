"""`persistc check`: what is wrong, and which generated files are not up to date."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from persistc.commands.options import add_output_format, add_python, add_sources
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat

if TYPE_CHECKING:
    from persistc.compiling import Compiled


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "check", help="say what is wrong or not up to date; write nothing"
    )
    add_sources(parser)
    add_output_format(parser)
    parser.add_argument(
        "--types", action="store_true", help="also run mypy over flow modules and generated files; asks it for types"
    )
    add_python(parser, "whose mypy `--types` runs")
    return parser


def run(options: argparse.Namespace) -> int:
    """Report what is wrong and which generated files are not up to date, with a diff of each that is stale."""
    from persistc.commands.printing import print_findings, print_text
    from persistc.compiling import compile_paths
    from persistc.file_reports import render_differences
    from persistc.files import differences

    output_format = OutputFormat(options.output_format)
    compiled = compile_paths(options.paths)
    if compiled.has_errors:
        print_findings(compiled, output_format)
        return FINDINGS
    found = differences(compiled.outputs, compiled.existing)
    if not found:
        if options.types:
            compiled = _with_types(compiled, options.python)
        print_findings(compiled, output_format)
        return FINDINGS if compiled.has_errors else CLEAN
    if compiled.findings and output_format is not OutputFormat.JSON:
        print_findings(compiled, output_format)
    print_text(render_differences(found, output_format, show_diff=output_format is OutputFormat.TEXT))
    return FINDINGS


def _with_types(compiled: Compiled, python: str) -> Compiled:
    from persistc.type_checking import check_types

    checked = check_types(compiled, python)
    sys.stderr.write(checked.warnings)
    return checked.compiled
