"""What a region does, without where it stands and how the source words it: the same for branches that are alike."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import fields
from typing import get_args

from persistc.flow_graph.regions import Arm, Handler, Region

_REGIONS = (*get_args(Region), Arm, Handler)
_WORDING = frozenset({"place", "text", "head", "subject", "note", "duration", "timeout", "key", "why"})


def shape(region: object) -> Hashable:
    """A value that two regions have in common if they make the same calls in the same ways."""
    if isinstance(region, tuple):
        return tuple(map(shape, region))
    if isinstance(region, _REGIONS):
        return type(region), *(shape(getattr(region, name)) for name in _told(type(region)))
    assert isinstance(region, Hashable)
    return region


def _told(kind: type[Region | Arm | Handler]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if each.name not in _WORDING)
