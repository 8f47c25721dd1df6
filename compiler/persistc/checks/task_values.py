"""Which expressions of flow code are tasks and futures of the run, and which names hold several of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from persistc.checks.flow_code import FlowBody
from persistc.flow_tree import Attribute, Call, Comprehension, Display, Expression, Name, Node, walk
from persistc.model import Module
from persistc.project import Project

_MAKERS = frozenset({"asyncio.create_task", "asyncio.ensure_future", "asyncio.gather"})
_LOOPS = frozenset({"asyncio.get_event_loop", "asyncio.get_running_loop"})
_TYPES = frozenset({"asyncio.Future", "asyncio.Task", "asyncio.futures.Future", "asyncio.tasks.Task"})


def begins_task(body: FlowBody, node: Node) -> bool:
    """Whether a node is a call that makes a task for which nobody else waits; those of a group, the group awaits."""
    if not isinstance(node, Call):
        return False
    match node.function:
        case Attribute(value=Name(name=owner), name="create_task") if owner in body.local_names:
            values = body.assigned.get(owner, ())
            return bool(values) and all(value is not None and _is_loop(body, value) for value in values)
        case Attribute(value=owner, name="create_task") if _is_loop(body, owner):
            return True
        case function:
            return body.origin(function) in _MAKERS


def _is_loop(body: FlowBody, value: Expression) -> bool:
    return isinstance(value, Call) and body.origin(value.function) in _LOOPS


def is_of_tasks(project: Project, annotation: Expression, module: Module) -> bool:
    """Whether a type speaks of tasks or futures: `set[asyncio.Task[str]]`."""
    return any(
        isinstance(node, Name | Attribute) and project.origin_of(node, module) in _TYPES for node in walk(annotation)
    )


@dataclass(frozen=True)
class TaskValues:
    """Tells what is a task, or a container of tasks, in one body."""

    body: FlowBody

    def is_task(self, value: Expression) -> bool:
        """Whether it makes a task, also one of a group, or is a name that something makes one."""
        if isinstance(value, Name):
            return any(each is not None and self._makes(each) for each in self.body.assigned.get(value.name, ()))
        return self._makes(value)

    def are_tasks(self, value: Expression) -> bool:
        """Whether it is a container written out with tasks in it, or a name for one."""
        return self.is_container(value.name) if isinstance(value, Name) else self._are_written(value)

    def is_container(self, name: str) -> bool:
        """Whether something puts tasks into what bears the name, or `asyncio.wait` is asked to wait for them."""
        return name in self._containers

    @cached_property
    def _containers(self) -> frozenset[str]:
        return frozenset(self._found())

    def _found(self) -> Iterator[str]:
        for name, values in self.body.assigned.items():
            if any(each is not None and self._are_written(each) for each in values):
                yield name
        for located in self.body.nodes:
            match located.node:
                case Call(function=Attribute(value=Name(name=name), name="add" | "append"), arguments=(added,)):
                    if self.is_task(added.value):
                        yield name
                case Call(function=function, arguments=(waited, *_)) if isinstance(waited.value, Name):
                    if self.body.origin(function) == "asyncio.wait":
                        yield waited.value.name

    def _are_written(self, value: Expression) -> bool:
        match value:
            case Display(items=items):
                return any(self.is_task(item) for item in items)
            case Comprehension(elements=elements):
                return any(self.is_task(element) for element in elements)
            case _:
                return False

    def _makes(self, value: Expression) -> bool:
        if begins_task(self.body, value):
            return True
        return (
            isinstance(value, Call)
            and isinstance(value.function, Attribute)
            and value.function.name in {"create_future", "create_task", "start"}
        )
