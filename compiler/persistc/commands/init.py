"""`persistc init`: what a project needs to say about its generated files."""

from __future__ import annotations

import argparse
from pathlib import Path

from persistc.exit_codes import CLEAN


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """It takes no arguments."""
    parser: argparse.ArgumentParser = commands.add_parser("init", help="prepare the project in the working directory")
    return parser


def run(_: argparse.Namespace) -> int:
    """Prepare the project, and say what was done."""
    from persistc.project_setup import set_up

    print("\n".join(set_up(Path.cwd())))
    return CLEAN
