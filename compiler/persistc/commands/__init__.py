"""The commands of `persistc`, a module each: `add` says what one understands, `run` does it.

What a command needs beyond the parser is imported when it runs: `--help` and `--version` answer without the
compiler's dependencies.
"""

from __future__ import annotations

import argparse
from typing import Protocol

from persistc.commands import check, diff, explain, generate, graph, init, keep, schema, versions


class Command(Protocol):
    """A module of this package."""

    def add(self, commands: argparse._SubParsersAction[argparse.ArgumentParser], /) -> argparse.ArgumentParser:
        """Add the parser of the command's arguments."""

    def run(self, options: argparse.Namespace, /) -> int:
        """Do what the arguments ask for; returns the exit code, or raises `CannotRun`."""


COMMANDS: tuple[Command, ...] = (generate, check, graph, diff, keep, versions, schema, explain, init)
"""In the order of `persistc --help`."""
