"""Processes with engines on one log are killed for a short while; `make torture` does it for long."""

from __future__ import annotations

import os

from .processes import torture

SECONDS = float(os.environ.get("TORTURE_PROCESSES", "20"))


def test_nothing_is_lost_or_done_again_when_processes_are_killed() -> None:
    assert torture(SECONDS, seed=1) == []
