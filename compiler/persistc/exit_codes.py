"""The exit codes of the `persistc` command."""

from typing import Final

CLEAN: Final = 0
FINDINGS: Final = 1
CANNOT_RUN: Final = 2
