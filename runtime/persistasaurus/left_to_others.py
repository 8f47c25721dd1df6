"""Flows of versions that are not here: for a moment they are left to engines that have them (G11)."""

from __future__ import annotations

from typing import Final

_LEFT_FOR: Final = 5_000_000
"""Microseconds."""
_MOST: Final = 1000
"""Flows that are remembered; what is beyond is looked at when they are gone."""


class LeftToOthers:
    """When an engine that cannot run a flow may take it all the same, to park it: nobody else has by then."""

    def __init__(self) -> None:
        self._until: dict[str, int] = {}

    def until(self, flow_id: str, now: int) -> int | None:
        """Until when a flow that is there to be run is left to others; None if that is over."""
        until = self._until.get(flow_id)
        if until is None:
            until = now + _LEFT_FOR
            if len(self._until) < _MOST:
                self._until[flow_id] = until
        if until > now:
            return until
        del self._until[flow_id]
        return None

    def forget(self, now: int) -> None:
        """Every flow that is there to be run was seen: those whose time is over were taken by others."""
        self._until = {flow_id: until for flow_id, until in self._until.items() if until > now}
