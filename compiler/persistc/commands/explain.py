"""`persistc explain`: the page of a finding."""

from __future__ import annotations

import argparse

from persistc.cannot_run import CannotRun
from persistc.exit_codes import CLEAN


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser("explain", help="explain a finding")
    parser.add_argument("code", metavar="PSTnnn", help="the code of the finding")
    return parser


def run(options: argparse.Namespace) -> int:
    """Print the page."""
    from persistc.explanations import UnknownCode, explain

    try:
        print(explain(options.code), end="")
    except UnknownCode as error:
        raise CannotRun(error.args[0]) from None
    return CLEAN
