"""What several commands print."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from persistc.compiling import Compiled
    from persistc.reporting import OutputFormat


def print_text(text: str) -> None:
    """Print text that brings its own line breaks."""
    sys.stdout.write(text)


def print_findings(compiled: Compiled, output_format: OutputFormat) -> None:
    """Print what was found wrong."""
    from persistc.reporting import render

    print_text(render(compiled.findings, compiled.texts, output_format))
