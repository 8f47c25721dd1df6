"""Projects whose model can be trusted: the commands that read flows without compiling them begin here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from persistc.cannot_run import CannotRun
from persistc.checks import check_reading
from persistc.configuration import Configuration, read_configuration
from persistc.diagnostics import Diagnostic, Severity, in_order
from persistc.project import Project
from persistc.reading import Reading, read_project
from persistc.sources import find_sources

FIRST_OF_BODIES = "PST100"
"""Findings from here on are about what code does at replay; the model is right in spite of them."""


def sound_project(paths: Sequence[Path]) -> Project:
    """The project below the paths, or below the configured source when none are given.

    Raises:
        CannotRun: A path or the configuration is wrong, or the source has errors.
    """
    return sound_reading(paths, read_configuration(paths)).project


def sound_reading(paths: Sequence[Path], configuration: Configuration) -> Reading:
    """`sound_project` with the texts that were read.

    Raises:
        CannotRun: A path is wrong, or the source has errors.
    """
    reading = read_project(find_sources(paths, configuration).sources, configuration)
    found = in_order(check_reading(reading))
    errors = [each for each in found if each.severity is Severity.ERROR and each.code < FIRST_OF_BODIES]
    if errors:
        raise CannotRun(f"{_shown(errors[0])}{_more(len(errors) - 1)}; `persistc check` shows all")
    return reading


def _shown(finding: Diagnostic) -> str:
    return f"{finding.file}:{finding.start.line}: error[{finding.code}] {finding.message}"


def _more(number: int) -> str:
    return f", and {number} more" if number else ""
