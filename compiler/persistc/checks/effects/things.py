"""What an expression of flow code may stand for, as far as a call of it or of its methods is concerned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from persistc.flow_tree import Block, Lambda
from persistc.model import Class, Module, Parameter
from persistc.spans import Span


@dataclass(frozen=True, slots=True, eq=False)
class OfProject:
    """An instance of a class of the project; two are equal when the classes are one, without a look at their bodies."""

    cls: Class
    module: Module

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OfProject) and other.cls.qualified == self.cls.qualified

    def __hash__(self) -> int:
        return hash(self.cls.qualified)


@dataclass(frozen=True, slots=True)
class OfPackage:
    """An instance of a class from outside of the project: `pathlib.Path`, `httpx.AsyncClient`."""

    origin: str


@dataclass(frozen=True, slots=True)
class Named:
    """A function or class itself, by where it is defined."""

    origin: str


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A lambda, written outside of the body in which it is called."""

    function: Lambda
    module: Module


@dataclass(frozen=True, slots=True)
class Container:
    of: tuple[Thing, ...]
    """What its elements, or the values of a dict, may be."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A value whose methods have no effect, or a proxy, of which other checks speak."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Something `__init__` took from outside, of which nothing more is known."""

    is_function: bool = False


@dataclass(frozen=True, slots=True)
class Unseen:
    """What only running tells: `getattr(module, name)`."""


Thing: TypeAlias = OfProject | OfPackage | Named | Written | Container | Plain | Outside | Unseen
Things: TypeAlias = tuple[Thing, ...]
"""The alternatives; none means that nothing is known."""
Told: TypeAlias = Mapping[tuple[str, Span], Things]
"""What a type checker says of objects whose methods are called, by the path of the file and the place in it."""


@dataclass(frozen=True)
class Routine:
    """Code of the project that runs as a whole when it is called."""

    name: str
    """Unique within a run: where it is defined, and for a method also for instances of which class."""
    module: Module
    owner: Class | None
    """The class it is a method of."""
    on: OfProject | None
    """What its first parameter is."""
    parameters: tuple[Parameter, ...]
    body: Block
    runs: Block
    """The part of the body that a call runs; of a decorator only the functions in it."""
    is_suspended: bool
    """Whether it may be waiting somewhere in its middle when the flow leaves memory."""
    is_flow_code: bool = False
    shared: frozenset[str] = frozenset()
    """Those of its parameters that all runs have the same of: a container of a module, an object the flow class holds.

    The name says them too: the same code with parameters of its own run is another routine.
    """

    @property
    def self_name(self) -> str | None:
        return self.parameters[0].name if self.on is not None and self.parameters else None
