"""What several commands print."""

from __future__ import annotations

import sys

from persistc.compiling import Compiled
from persistc.reporting import OutputFormat, render


def print_text(text: str) -> None:
    """Print text that brings its own line breaks."""
    sys.stdout.write(text)


def print_findings(compiled: Compiled, output_format: OutputFormat) -> None:
    """Print what was found wrong."""
    print_text(render(compiled.findings, compiled.texts, output_format))
