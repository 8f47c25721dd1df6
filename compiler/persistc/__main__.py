"""The `persistc` command: what it understands, and which exit code it ends with.

`--help` and `--version` answer without the compiler's dependencies; everything else is imported when it is asked for.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from persistc.cannot_run import CannotRun
from persistc.exit_codes import CANNOT_RUN, CLEAN
from persistc.reporting import OutputFormat

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
    try:
        return _run(options)
    except CannotRun as error:
        print(f"persistc: {error}", file=sys.stderr)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        print(INSTALL, file=sys.stderr)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; Python would complain while it shuts down
    return CANNOT_RUN


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "generate":
            from persistc.commands import generate

            return generate(options.paths, OutputFormat(options.output_format), force=options.force)
        case "check":
            from persistc.commands import check

            return check(options.paths, OutputFormat(options.output_format))
        case "explain":
            return _explain(options.code)
        case _:
            from persistc.project_setup import set_up

            print("\n".join(set_up(Path.cwd())))
            return CLEAN


def _explain(code: str) -> int:
    from persistc.explanations import UnknownCode, explain

    try:
        print(explain(code), end="")
    except UnknownCode as error:
        raise CannotRun(error.args[0]) from None
    return CLEAN


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="persistc",
        description="Compile flow classes to typed proxies that run durably.",
        epilog="exit codes: 0 clean, 1 findings or files that are not up to date, 2 could not run",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    sources = argparse.ArgumentParser(add_help=False)
    sources.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files and folders to search for flow classes (default: `source` of [tool.persistc] in pyproject.toml, "
        "or the whole project)",
    )
    sources.add_argument(
        "--output-format",
        choices=[each.value for each in OutputFormat],
        default=OutputFormat.TEXT.value,
        help="how findings are shown (default: %(default)s)",
    )
    generating = commands.add_parser(
        "generate", parents=[sources], help="write flows_durable.py and flows_durable.pyi beside each flows.py"
    )
    generating.add_argument("--force", action="store_true", help="overwrite and remove files that were edited by hand")
    commands.add_parser("check", parents=[sources], help="say what is wrong or not up to date; write nothing")
    explaining = commands.add_parser("explain", help="explain a finding")
    explaining.add_argument("code", metavar="PSTnnn", help="the code of the finding")
    commands.add_parser("init", help="prepare the project in the working directory")
    return parser


class _Version(argparse.Action):
    """Looks the version up when it is asked for: that takes longer than all the rest of a start."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib import metadata

        print(f"persistc {metadata.version('persistasaurus')}")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())
