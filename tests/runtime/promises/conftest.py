"""Machines for the tests of this folder: on each log, and one that throws flows out of memory whenever they wait."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from .machine import Machine, Outside


@pytest.fixture(params=["memory", "sqlite", "always-evict"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Machine:
    """A machine of each sort."""
    return make_machine(str(request.param), tmp_path)


@pytest.fixture
def memory_machine(tmp_path: Path) -> Machine:
    """A machine whose log is in memory; flows that wait stay in memory for their grace."""
    return make_machine("memory", tmp_path)


@pytest.fixture
def sqlite_machine(tmp_path: Path) -> Machine:
    """A machine whose log is a file."""
    return make_machine("sqlite", tmp_path)


@pytest.fixture
def evicting_machine(tmp_path: Path) -> Machine:
    """A machine with so little memory that a flow which waits leaves it at once."""
    return make_machine("always-evict", tmp_path)


@pytest.fixture
def outside(machine: Machine) -> Outside:
    """The world outside of the machine."""
    return machine.outside


def make_machine(sort: str, folder: Path) -> Machine:
    """A machine: "memory", "sqlite", or "always-evict"."""
    if sort == "always-evict":
        return Machine("memory", folder, waiting_grace=timedelta(0))
    return Machine("sqlite" if sort == "sqlite" else "memory", folder)
