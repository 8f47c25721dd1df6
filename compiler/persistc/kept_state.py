"""What a module keeps between calls, names at its top and attributes of its classes, and what changes it."""

from __future__ import annotations

from dataclasses import dataclass

from persistc.spans import Span


@dataclass(frozen=True, slots=True)
class Change:
    """One place in a function that changes what outlives the call."""

    path: str
    """What is changed, seen from the top of the module: `CACHE`, `settings.debug`, `OrderFlow.seen`."""
    span: Span
    function: str
    """The function or method it stands in: `refresh`, `OrderFlow.charge`."""
    mutator: str | None = None
    """The method that changes a container in place, `append`: a change only where `path` holds a container."""
    rebinds: bool = False
    """The path stands for something else afterwards: who imported the name itself still has what it was."""
    at_setup: bool = False
    """Done while the module is imported or the object is made, before any flow runs."""


@dataclass(frozen=True, slots=True)
class KeptState:
    """The changes of one module, in the order they are written."""

    changes: tuple[Change, ...] = ()
    containers: frozenset[str] = frozenset()
    """The paths that hold lists, dicts, sets and their like for certain."""
