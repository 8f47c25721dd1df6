"""`persistc schema`: JSON Schema of what flows take, give, and are sent."""

from __future__ import annotations

import argparse
import json
import sys

from persistc.commands.options import add_python
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "schema", help="print JSON Schema of the parameters and results of flows, steps and signals"
    )
    parser.add_argument(
        "flows", nargs="*", metavar="FLOW", help="classes, `SignupFlow`, or flows, `SignupFlow.sign_up` (default: all)"
    )
    parser.add_argument("--output-format", choices=["json"], default="json", help="the one there is: %(default)s")
    add_python(parser, "of the program, which its modules are imported with")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print one document; what keeps the generated modules from being up to date goes to standard error."""
    from persistc.compiling import compile_paths
    from persistc.file_reports import render_run
    from persistc.files import differences
    from persistc.schemas import schema_document

    compiled = compile_paths([])
    found = () if compiled.has_errors else differences(compiled.outputs, compiled.existing)
    if compiled.has_errors or found:
        sys.stderr.write(render_run(compiled, found, OutputFormat.TEXT, show_diff=False))
        return FINDINGS
    document = schema_document(compiled, options.flows, options.python)
    print(json.dumps(document, indent=2, ensure_ascii=False))
    return CLEAN
