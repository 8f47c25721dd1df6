"""What is said of each flow that has changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
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
    change: str
    old: Place | None = None
    new: Place | None = None
    help: str = ""
    subject: str = ""
    """The parameter or result that it is about."""
    is_inside: bool = False
    """It is about a part of the subject's type, and so about all that have such a part."""
    others: int = 0
    """How many more of them there are."""

    @property
    def message(self) -> str:
        more = "" if not self.others else " and one more" if self.others == 1 else f" and {self.others} more"
        colon = ":" if self.subject and self.change.startswith("`") else ""
        return f"{self.subject}{more}{colon} {self.change}".lstrip()


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


def folded(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """The reasons with one for all places where a type with the same change is stored."""
    found: dict[tuple[object, ...], Reason] = {}
    for reason in reasons:
        place = () if reason.is_inside else (reason.subject, reason.old, reason.new)
        key = (reason.verdict, reason.change, place)
        known = found.get(key)
        found[key] = reason if known is None else replace(known, others=known.others + reason.is_inside)
    return tuple(found.values())
