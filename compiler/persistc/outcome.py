"""How a command ended, as a value: it can be printed, and kept for a run that would come to the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has to say, and its exit code."""

    text: str
    """It brings its own line breaks."""
    exit_code: int
    has_written: bool = False
    """Files are not as they were before."""
