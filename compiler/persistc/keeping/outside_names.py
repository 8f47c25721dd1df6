"""The names from outside of its class that a kept body needs: what they stood for, and whether they still do."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from persistc.keeping.code_shapes import Function, names_of, names_used, shape
from persistc.keeping.snapshots import Snapshot
from persistc.model import Binding, Import, Module
from persistc.project import Owned, Project


@dataclass(frozen=True)
class OutsideNames:
    """The names of a file as it was, held against what it is."""

    project: Project
    old: Snapshot
    new: Snapshot
    changed_files: frozenset[str]

    def missing_imports(self, names: Iterable[str]) -> tuple[Import, ...]:
        """The imports that made these names known and that the file has no more."""
        return tuple(each for name in names if not self._now(name) for each in _imports(self._before(name)))

    def is_changed(self, name: str) -> bool:
        """Whether a name is defined in the file and stands for something else now, or for nothing."""
        before, now = self.old.definitions.get(name), self.new.definitions.get(name)
        return before is not None and (now is None or shape(before) != shape(now))

    def led_to(self, names: Iterable[str]) -> tuple[str, ...]:
        """These names, and those of the file that functions and values by these names used."""
        found: dict[str, None] = {}
        waiting = list(names)
        while waiting:
            name = waiting.pop(0)
            if name in found:
                continue
            found[name] = None
            defined = self.old.definitions.get(name)
            if isinstance(defined, Function):
                waiting += names_used(defined, decorated=True)
            elif isinstance(defined, ast.Assign | ast.AnnAssign) and defined.value is not None:
                waiting += names_of(defined.value)
        return tuple(found)

    def remarks(self, names: Iterable[str]) -> Iterator[str]:
        """What is to be said of the names that no import brings back."""
        for name in names:
            before, now = self._before(name), self._now(name)
            if not before:
                if name in self.old.cls.scope and name not in self.new.cls.scope:
                    yield f"{name} was defined in {self.new.cls.name} and is gone: define it again"
            elif not now:
                if not _imports(before):
                    yield f"{name} was defined in this file and is gone: define it again"
            elif name in self.old.definitions and name in self.new.definitions:
                if self.is_changed(name):
                    yield f"{name} has changed: where the kept body needs the old one, add that under another name"
            elif (was := self._origins(before)) != (is_now := self._origins(now)):
                yield f"{name} is {is_now} now and was {was}: see which of them the kept body means"
            elif (file := self._changed_home(now)) is not None:
                yield f"{name} is from {file}, which has changed: see that it does what it did"

    def remarks_on_bases(self, inherited: Iterable[Owned]) -> Iterator[str]:
        """What is to be said of inherited methods, which are not kept."""
        for each in inherited:
            is_here = each.module is self.new.module
            if self.is_changed(each.owner.name) if is_here else self._is_changed_file(each.module):
                base = each.owner.name if is_here else f"{each.owner.name} in {each.module.file}"
                yield f"{each.method.name} is inherited from {base}, which has changed: see that it does what it did"

    def _changed_home(self, bindings: Sequence[Binding]) -> str | None:
        """The other file of the project that defines a name, if it has changed."""
        for binding in bindings:
            origin = self.project.canonical(binding.origin)
            home = self.project.modules.get(origin) or self.project.modules.get(origin.rpartition(".")[0])
            if home is not None and home is not self.new.module and self._is_changed_file(home):
                return home.file
        return None

    def _is_changed_file(self, module: Module) -> bool:
        return os.path.realpath(module.path) in self.changed_files

    def _before(self, name: str) -> Sequence[Binding]:
        return self.old.module.scope.by_name.get(name, ())

    def _now(self, name: str) -> Sequence[Binding]:
        return self.new.module.scope.by_name.get(name, ())

    def _origins(self, bindings: Sequence[Binding]) -> str:
        found = {self.project.canonical(binding.origin).lstrip(".") for binding in bindings}
        return " or ".join(sorted(found))


def _imports(bindings: Sequence[Binding]) -> tuple[Import, ...]:
    """The imports that make a name known; none where it is (also) bound in another way."""
    found = tuple(binding.imported for binding in bindings if binding.imported is not None)
    return found if len(found) == len(bindings) else ()
