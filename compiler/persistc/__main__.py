"""The `persistc` command: what it understands, and which exit code it ends with.

`--help` and `--version` answer without the compiler's dependencies; everything else is imported when it is asked for.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from persistc.cannot_run import CannotRun
from persistc.commands import COMMANDS
from persistc.exit_codes import CANNOT_RUN

INSTALL = """\
persistc needs libcst and jinja2, which come with the extra `compiler`:
  pip install "persistasaurus[compiler]", or of a clone: pip install "<path of the clone>[compiler]"\
"""
RECURSION_LIMIT = 10_000
"""A chain of a thousand operators, which Python compiles, is a tree a thousand nodes deep."""
_EXTRA = frozenset({"libcst", "jinja2", "markupsafe"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, by default those of the process; returns the exit code."""
    options = _parser().parse_args(arguments)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), RECURSION_LIMIT))
    with _nothing_collected():
        try:
            code: int = options.run(options)
            return code
        except CannotRun as error:
            print(f"persistc: {error}", file=sys.stderr)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _EXTRA:
                raise
            print(INSTALL, file=sys.stderr)
        except BrokenPipeError:
            sys.stderr.close()  # whoever read our output has gone; Python would complain while it shuts down
    return CANNOT_RUN


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Leave garbage where it is: a run is short, its trees live to its end, and looking for it takes a tenth of it."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="persistc",
        description="Compile flow classes to typed proxies that run durably.",
        epilog="exit codes: 0 clean, 1 findings or files that are not up to date, 2 could not run",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands).set_defaults(run=command.run)
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than all the rest of a start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        print(f"persistc {metadata.version('persistasaurus')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
