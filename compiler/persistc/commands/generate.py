"""`persistc generate`: compile, compare with what is there, and write."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from persistc.commands.options import add_cache, add_output_format, add_sources
from persistc.exit_codes import CLEAN, FINDINGS
from persistc.reporting import OutputFormat

if TYPE_CHECKING:
    from persistc.compiling import Compiled
    from persistc.files import Difference
    from persistc.outcome import Outcome


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> argparse.ArgumentParser:
    """Its arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "generate", help="write flows_durable.py and flows_durable.pyi beside each flows.py"
    )
    add_sources(parser)
    add_output_format(parser)
    add_cache(parser)
    parser.add_argument("--force", action="store_true", help="overwrite and remove files that were edited by hand")
    parser.add_argument(
        "--tests",
        action="store_true",
        help="write a test for each flow class as well, unless it is there: its flows crash behind every write",
    )
    parser.add_argument(
        "--tests-folder",
        type=Path,
        metavar="PATH",
        help="where to write them (default: `tests` beside pyproject.toml, or in the working directory)",
    )
    parser.add_argument("--watch", action="store_true", help="go on after every change, until Ctrl-C")
    return parser


def run(options: argparse.Namespace) -> int:
    """Write the generated files below the paths and remove those nothing is generated into any more."""
    from persistc.commands.printing import print_text
    from persistc.run_cache import remembered

    output_format = OutputFormat(options.output_format)
    tests = _tests_folder(options) if options.tests else None
    generate = partial(generate_files, options.paths, output_format, force=options.force, tests=tests)
    if options.watch:
        from persistc.watching import watch

        return watch(generate)
    command = ["generate", output_format, f"force={options.force}", f"tests={tests}"]
    outcome = remembered(command, options.paths, generate) if options.cache else generate()
    print_text(outcome.text)
    return outcome.exit_code


def _tests_folder(options: argparse.Namespace) -> Path:
    from persistc.configuration import project_root

    given: Path | None = options.tests_folder
    return Path(os.path.abspath(given)) if given else (project_root(options.paths) or Path.cwd()) / "tests"


def generate_files(
    paths: Sequence[Path], output_format: OutputFormat, *, force: bool, tests: Path | None = None
) -> Outcome:
    """Make the generated files below these paths what they should be, or say what is wrong.

    Nothing is written when anything is wrong; a file that was edited by hand is kept unless `force` is given, and one
    that persistc did not write always. In the folder `tests` a test is written for each flow class; one that is there
    belongs to its user, and is kept unless `force` is given. Raises `CannotRun` when a path or the configuration is
    wrong, or a file cannot be written.
    """
    from persistc.compiling import compile_paths
    from persistc.file_reports import render_run
    from persistc.files import State, differences, write
    from persistc.outcome import Outcome
    from persistc.sources import shown

    compiled = compile_paths(paths)
    changes = () if compiled.has_errors else differences(compiled.outputs, compiled.existing)
    kept = [change for change in changes if change.state is State.FOREIGN or not (change.is_intact or force)]
    text = render_run(compiled, kept, output_format, show_diff=False)
    if kept or compiled.has_errors:
        return Outcome(text, FINDINGS)
    added = () if tests is None else _crash_tests(compiled, tests, force=force)
    write([*changes, *added])
    if output_format in {OutputFormat.TEXT, OutputFormat.CONCISE}:
        text += "".join(f"{_done(change)} {shown(change.path)}\n" for change in (*changes, *added))
        text += _summary(compiled, changes)
    return Outcome(text, CLEAN, has_written=bool(changes or added))


def _crash_tests(compiled: Compiled, folder: Path, *, force: bool) -> Sequence[Difference]:
    from persistc import disk
    from persistc.compiling import crash_tests
    from persistc.files import differences

    wanted = crash_tests(compiled, str(folder))
    return differences([each for each in wanted if force or not disk.is_file(each.path)], ())


def _done(change: Difference) -> str:
    return "removed" if change.wanted is None else "wrote"


def _summary(compiled: Compiled, changes: Sequence[Difference]) -> str:
    if not compiled.outputs and not changes:
        return "no flow classes found\n"
    unchanged = len(compiled.outputs) - sum(change.wanted is not None for change in changes)
    return f"{unchanged} unchanged\n" if unchanged else ""
