"""What is said of each flow that has changed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from persistc.flow_graph.regions import Place


class Verdict(StrEnum):
    """What flows under way make of a change, the worst last."""

    COMPATIBLE = "compatible"
    NEEDS_KEPT_VERSION = "needs a kept version"
    BREAKING = "breaking"


@dataclass(frozen=True, slots=True)
class Reason:
    """One change: what it is, where it was and is, and what to do."""

    verdict: Verdict
    message: str
    old: Place | None = None
    new: Place | None = None
    help: str = ""


@dataclass(frozen=True, slots=True)
class FlowChange:
    """All that has changed about one flow, or one version of it."""

    flow: str
    """Its name in the log, with the version where it is not the first."""
    reasons: tuple[Reason, ...]

    @property
    def verdict(self) -> Verdict:
        order = list(Verdict)
        return max((reason.verdict for reason in self.reasons), key=order.index)
