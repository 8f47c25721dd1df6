"""`persistc diff`: what the code as it is means for flows under way, by a commit or by an execution log."""

from __future__ import annotations

import argparse
from pathlib import Path

from persistc.cannot_run import CannotRun
from persistc.commands.options import add_output_format, add_python
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "diff", help="say what changes since a commit mean for flows under way, or for those of a log"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "ref", nargs="?", default="HEAD", metavar="GIT_REF", help="the commit to compare with (default: %(default)s)"
    )
    what.add_argument(
        "--log",
        metavar="LOG",
        help="hold the code against the flows in flight of an execution log, which is only read; engines may have it "
        "open",
    )
    parser.add_argument(
        "--decode", action="store_true", help="with --log: have every row read by the types of the generated modules"
    )
    parser.add_argument(
        "--replay",
        metavar="MODULE:FLOWS",
        help="with --log: replay the flows in memory, on the list of proxies of this name or what a function of this "
        "name returns, `app.main:flows`; no step body runs",
    )
    add_output_format(parser)
    add_python(parser, "of the program, which looks into the log")
    return parser


def run(options: argparse.Namespace) -> int:
    """Report what has changed, or what becomes of flows in flight; what goes on is no finding."""
    output_format = OutputFormat(options.output_format)
    if options.log is not None:
        return _by_log(options, output_format)
    if options.decode or options.replay is not None:
        raise CannotRun("`--decode` and `--replay` are about the flows of a log: name it with `--log`")
    return _by_commit(options.ref, output_format)


def _by_commit(ref: str, output_format: OutputFormat) -> int:
    from persistc.commands.printing import print_text
    from persistc.flow_changes.change_reports import render_changes
    from persistc.flow_changes.trees import changes_since
    from persistc.flow_changes.verdicts import Verdict

    changes = changes_since(ref, Path.cwd())
    print_text(render_changes(changes, output_format))
    return CLEAN if all(change.verdict is Verdict.COMPATIBLE for change in changes) else FINDINGS


def _by_log(options: argparse.Namespace, output_format: OutputFormat) -> int:
    from persistc.commands.printing import print_text
    from persistc.configuration import read_configuration
    from persistc.log_fit.asking import Question, code_of, flows_in_flight
    from persistc.log_fit.judging import judge
    from persistc.log_fit.report import breaks, render_judgements
    from persistc.sound_projects import sound_reading

    configuration = read_configuration(())
    project = sound_reading((), configuration).project
    question = Question(options.log, options.python, options.decode, options.replay)
    found = judge(flows_in_flight(question, project, str(configuration.root.absolute())), code_of(project))
    print_text(render_judgements(found, output_format))
    return FINDINGS if breaks(found) else CLEAN
