"""Random programs for the interpreters of `program_flow`."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Node = list[Any]


class Programs:
    """Makes programs.

    Args:
        chance: Picks.
        plain: For the plain interpreter.
    """

    def __init__(self, chance: random.Random, *, plain: bool) -> None:
        self.chance = chance
        self.plain = plain
        self.names = 0

    def program(self) -> Node:
        """One program of a random size."""
        return self.node(self.chance.randint(1, 4))

    def node(self, depth: int) -> Node:
        """A node with at most so many levels below it."""
        if depth <= 0:
            return self._leaf()
        makers = self._plain_makers() if self.plain else self._async_makers()
        return self.chance.choice(makers)(depth - 1)

    def _nodes(self, depth: int, least: int = 1, most: int = 3) -> list[Node]:
        return [self.node(depth) for _ in range(self.chance.randint(least, most))]

    def _seconds(self) -> float:
        return self.chance.choice([0.5, 1, 3, 10, 60])

    def _name(self) -> str:
        self.names += 1
        return f"s{self.names}"

    def _leaf(self) -> Node:
        chance = self.chance
        behaviour = chance.choice(["obeys", "obeys", "ignores", "protests"])
        fails = chance.choice([0, 0, 0, 0, 1])
        kind = chance.random()
        if kind < 0.5:
            return ["step", self._name(), fails, behaviour]
        if kind < 0.6:
            return ["retried", self._name(), chance.choice([0, 1, 2, 3]), behaviour]
        if kind < 0.66:
            return ["delayed", self._name()]
        if kind < 0.7:
            return ["once", self._name(), behaviour]
        if kind < 0.78:
            return ["sleep", self._seconds()]
        if kind < 0.86:
            return ["signal", chance.choice(["a", "b"]), chance.choice([None, 1, 10])]
        if kind < 0.88:
            return ["raise"]
        if kind < 0.94:
            return ["draw"]
        if self.plain:
            return ["step", self._name(), fails, behaviour]
        return [chance.choice(["plain", "thread"]), self._name(), chance.choice([0, 0, 1])]

    def _plain_makers(self) -> list[Callable[[int], Node]]:
        chance = self.chance
        return [
            lambda depth: self._leaf(),
            lambda depth: ["seq", *self._nodes(depth, 1, 4)],
            lambda depth: ["seq", *self._nodes(depth, 2, 4)],
            lambda depth: ["parallel", chance.random() < 0.3, *self._nodes(depth)],
            lambda depth: ["parallel", chance.random() < 0.3, *self._nodes(depth, 2, 4)],
            lambda depth: ["try", self.node(depth), self.node(depth - 1), self.node(0)],
        ]

    def _async_makers(self) -> list[Callable[[int], Node]]:
        chance = self.chance
        until = ["FIRST_COMPLETED", "FIRST_EXCEPTION", "ALL_COMPLETED"]
        return [
            lambda depth: self._leaf(),
            lambda depth: ["seq", *self._nodes(depth, 1, 4)],
            lambda depth: ["seq", *self._nodes(depth, 2, 4)],
            lambda depth: ["gather", chance.random() < 0.5, *self._nodes(depth, 0, 4)],
            lambda depth: ["group", *self._nodes(depth, 1, 4)],
            lambda depth: [
                "wait",
                chance.choice(until),
                chance.choice([None, 1, 10]),
                chance.random() < 0.4,
                *self._nodes(depth, 1, 4),
            ],
            lambda depth: ["timeout", self._seconds(), self.node(depth)],
            lambda depth: ["timeout_at", self._seconds(), self.node(depth - 1), self.node(depth)],
            lambda depth: ["wait_for", self._seconds(), self.node(depth)],
            lambda depth: ["shield", self._seconds(), self.node(depth)],
            lambda depth: ["try", self.node(depth), self.node(depth - 1), self.node(0)],
            lambda depth: ["cancel", self.node(depth), self.node(depth - 1)],
            lambda depth: ["background", self.node(depth), self.node(depth)],
            lambda depth: ["queue", chance.randint(1, 3), *self._nodes(depth, 1, 4)],
            lambda depth: ["lock", *self._nodes(depth, 1, 3)],
            lambda depth: ["semaphore", 2, *self._nodes(depth, 1, 4)],
            lambda depth: ["event", self.node(depth), *self._nodes(depth, 1, 3)],
            lambda depth: ["generator", chance.randint(0, 2), *self._nodes(depth, 1, 3)],
            lambda depth: ["completed", *self._nodes(depth, 1, 3)],
        ]
