"""Options that several commands share."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from persistc.reporting import OutputFormat


def add_sources(parser: argparse.ArgumentParser) -> None:
    """The files and folders to compile."""
    parser.add_argument(
        "paths",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files and folders to search for flow classes (default: `source` of [tool.persistc] in pyproject.toml, "
        "or the whole project)",
    )


def add_output_format(parser: argparse.ArgumentParser) -> None:
    """How findings are shown: the value of an `OutputFormat`."""
    parser.add_argument(
        "--output-format",
        choices=[each.value for each in OutputFormat],
        default=OutputFormat.TEXT.value,
        help="how findings are shown (default: %(default)s)",
    )


def add_python(parser: argparse.ArgumentParser, purpose: str) -> None:
    """The interpreter of the environment that the user's program runs in."""
    parser.add_argument(
        "--python",
        metavar="PYTHON",
        default=sys.executable,
        help=f"the Python {purpose} (default: the one persistc runs on)",
    )


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Whether an outcome may come from `.persistc_cache`, and be kept there."""
    parser.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="neither read nor write .persistc_cache, which spares a run when nothing has changed",
    )
