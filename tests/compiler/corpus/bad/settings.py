"""Settings that change while the program runs."""

from __future__ import annotations

LIMITS = {"EUR": 100}
threshold = 10


def refresh() -> None:
    """Called by whoever imports this, and whenever settings change."""
    global threshold
    threshold += 1
    LIMITS.clear()
