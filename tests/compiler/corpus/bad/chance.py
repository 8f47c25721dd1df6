"""Flows that draw lots, or make names that nobody else has."""

from __future__ import annotations

import os
import random
import secrets
import uuid
from dataclasses import dataclass, field
from random import Random, choice, shuffle
from uuid import uuid4

from persistasaurus import flow, step

GENERATOR = random.Random(7)


@dataclass
class Ticket:
    name: str
    number: str = field(default_factory=lambda: str(uuid4()))


@dataclass(kw_only=True)
class Rated(Ticket):
    rate: float = field(default_factory=random.random)


class LotteryFlow:
    def __init__(self, generator: Random, seed: int) -> None:
        self.generator = generator
        self.seed = seed

    @flow
    def draw(self, names: list[str]) -> None:
        self.tell(choice(names))  # error: PST202
        shuffle(names)  # error: PST202
        self.tell(str(uuid.uuid4()), str(uuid.uuid1()))  # error: PST202
        self.tell(secrets.token_urlsafe())  # error: PST202
        self.tell(os.urandom(3).hex())  # error: PST202
        self.tell(str(Random().random()))  # error: PST202
        self.tell(str(random.SystemRandom().random()))  # error: PST202
        self.tell(str(self.generator.random()))  # error: PST202
        random.seed(3)  # error: PST202
        own = Random(self.seed)
        own.shuffle(names)
        self.tell(own.choice(names), str(uuid.uuid5(uuid.NAMESPACE_DNS, names[0])))
        self.tell(str(secrets.compare_digest("a", "b")))

    @flow
    def make(self, name: str) -> None:
        self.tell(Ticket(name).number)  # error: PST202
        self.tell(Ticket(name, "7").number)
        self.tell(str(Rated(name=name, number="7").rate))  # error: PST202
        self.tell(Rated(name=name, number="7", rate=0.5).number)
        self.sort([name])

    def sort(self, names: list[str]) -> list[str]:
        return sorted(names, key=lambda _: random.random())  # error: PST202

    @step
    def tell(self, name: str, key: str = "") -> None:
        print(name, key, random.random())
