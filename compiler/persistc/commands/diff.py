"""`persistc diff`: what the changes since a commit mean for flows under way."""

from __future__ import annotations

import argparse
from pathlib import Path

from persistc.commands.options import add_output_format
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "diff", help="say what changes since a commit mean for flows under way"
    )
    parser.add_argument(
        "ref", nargs="?", default="HEAD", metavar="GIT_REF", help="the commit to compare with (default: %(default)s)"
    )
    add_output_format(parser)
    return parser


def run(options: argparse.Namespace) -> int:
    """Report each flow that has changed; compatible changes are no findings."""
    from persistc.commands.printing import print_text
    from persistc.flow_changes.change_reports import render_changes
    from persistc.flow_changes.trees import changes_since
    from persistc.flow_changes.verdicts import Verdict

    changes = changes_since(options.ref, Path.cwd())
    print_text(render_changes(changes, OutputFormat(options.output_format)))
    return CLEAN if all(change.verdict is Verdict.COMPATIBLE for change in changes) else FINDINGS
