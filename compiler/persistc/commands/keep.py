"""`persistc keep`: the old body of a flow, from git, put beside the new one."""

from __future__ import annotations

import argparse

from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "keep", help="put the old body of a flow, from git, beside the new one: flows under way end on it"
    )
    parser.add_argument("flow", metavar="CLASS.FLOW", help="the flow whose body has changed: OrderFlow.place_order")
    parser.add_argument(
        "--ref",
        metavar="GIT_REF",
        default="HEAD",
        help="the commit that has the old body: the one flows under way run (default: %(default)s)",
    )
    parser.add_argument(
        "--version",
        metavar="N",
        type=int,
        default=None,
        dest="number",
        help="the version of the new body (default: one more than the highest there is)",
    )
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the kept body into the source file, and say what was done and what a person must look at."""
    from persistc.commands.printing import print_findings, print_text
    from persistc.compiling import compile_paths
    from persistc.files import overwrite
    from persistc.keeping.changes import find_change
    from persistc.keeping.edits import edited
    from persistc.keeping.plan import NothingToKeep, plan_keeping
    from persistc.keeping.telling import told

    change = find_change(options.flow, options.ref)
    plan = plan_keeping(change, options.number)
    if isinstance(plan, NothingToKeep):
        print_text(f"{plan.reason}\n")
        return CLEAN
    overwrite(change.new.module.path, edited(change.old, change.new, plan))
    print_text(told(plan, change))
    compiled = compile_paths(())
    if compiled.has_errors:
        print_findings(compiled, OutputFormat.TEXT)
        return FINDINGS
    print_text("run `persistc generate`\n")
    return CLEAN
