"""What the checks look at: a flow class in its project, and the words in which findings speak of its members."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from persistc.diagnostics import Note
from persistc.model import Class, Kind, Method, Module
from persistc.project import Owned, Project


@dataclass(frozen=True)
class FlowClass:
    """A class that has a flow, step or signal, its own or inherited."""

    project: Project
    module: Module
    cls: Class

    @cached_property
    def members(self) -> Mapping[str, Owned]:
        """Every method it has, by name."""
        return self.project.members(self.cls, self.module)

    @cached_property
    def lineage(self) -> tuple[tuple[Class, Module], ...]:
        """The class and its bases, in the order Python looks them up."""
        return self.project.lineage(self.cls, self.module)

    @property
    def own_marked(self) -> tuple[Method, ...]:
        """The flows, steps and signals defined in its own body."""
        return tuple(method for method in self.cls.methods if method.kind is not Kind.OTHER)

    def overridden(self, name: str) -> Owned | None:
        """The flow, step or signal that a method of this name, its own, overrides."""
        for owner, module in self.lineage[1:]:
            method = owner.by_name.get(name)
            if method is not None and method.kind is not Kind.OTHER:
                return Owned(method, owner, module)
        return None


def flow_classes(project: Project) -> Iterator[FlowClass]:
    """The flow classes of all modules that were read with their bodies."""
    for module in project.modules.values():
        if not module.interface_only:
            for cls in project.flow_classes(module):
                yield FlowClass(project, module, cls)


def described(method: Method) -> str:
    """`step \\`charge\\``; a method without a mark is a method."""
    word = "method" if method.kind is Kind.OTHER else method.kind.value
    return f"{word} `{method.name}`"


def defined_here(owned: Owned) -> Note:
    """A second frame that shows where the method is defined and what it is."""
    colour = "async" if owned.method.is_async else "plain"
    word = "method" if owned.method.kind is Kind.OTHER else owned.method.kind.value
    article = "an" if colour == "async" else "a"
    return Note(owned.module.file, owned.method.span, f"{article} {colour} {word}, defined here")
