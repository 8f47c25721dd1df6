"""Where the chains end: functions and classes that read clocks."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime


def now_text() -> str:
    return datetime.now(UTC).isoformat()


class Clock:
    def read(self) -> float:
        return self.at()

    def at(self) -> float:
        return 0.0


class WallClock(Clock):
    def at(self) -> float:
        return super().at() + time.time()


@dataclass
class Event:
    name: str
    at: float = field(default_factory=time.time)

    @property
    def age(self) -> float:
        return time.time() - self.at

    @classmethod
    def fresh(cls) -> Event:
        return cls("fresh")


class Called:
    def __call__(self, number: int) -> float:
        return number + time.time()
