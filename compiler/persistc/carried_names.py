"""The names that carried signatures need: which imports a generated module has, and what its annotations say.

A name that the user's module imports is imported the same way. One that the module defines itself, or knows in another
way, is taken from that module. One of a class body is written `SignupFlow.Status`. What a flow class inherits from
another module is found from there.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from persistc.expression_text import expression_text
from persistc.flow_tree import Expression
from persistc.import_lines import ImportLine
from persistc.model import Binding, BindingKind, Class, Import, Module
from persistc.project import Project
from persistc.sources import module_name


@dataclass
class CarriedNames:
    """Collects what one generated file needs; texts come out with the names they have there."""

    project: Project
    home: Module
    """The module the file is generated from."""
    taken: frozenset[str]
    """Names the generated file defines itself."""
    lines: list[ImportLine] = field(default_factory=list)

    def text(self, expression: Expression, module: Module, owner: Class | None) -> str:
        """The text of an expression that stands in `module`, in the body of `owner`."""
        return expression_text(expression, lambda name: self.name(name, module, owner))

    def name(self, name: str, module: Module, owner: Class | None) -> str:
        """How a name of that module and class is written in the generated file; its import is taken up."""
        if owner is not None and _is_in_class(name, owner):
            return f"{self.defined(owner.name, module)}.{name}"
        bindings = module.scope.by_name.get(name, ())
        if not bindings:
            local = [each for each in module.imports if each.in_function and each.bound == name]
            if local:  # an exception that a flow imports in its body
                return self._carried(local[:1], module)
            star = any(binding.kind is BindingKind.STAR_IMPORT for binding in module.scope.bindings)
            return self.defined(name, module) if star and not hasattr(builtins, name) else name
        imports = _imports_of(bindings)
        return self._carried(imports, module) if imports else self.defined(name, module)

    def defined(self, name: str, module: Module) -> str:
        """A name that a module of the user makes known, imported from it."""
        return self._bound(ImportLine(self._reach(self._name(module)), name, of_project=True))

    def _carried(self, imports: Sequence[Import], module: Module) -> str:
        bound = ""
        for imported in imports:
            written = imported.module
            if written.startswith(".") and module is not self.home:
                written = self._reach(self._absolute(written, module))
            of_project = imported.origin.startswith(".")
            bound = self._bound(ImportLine(written, imported.name, imported.alias, of_project))
        return bound

    def _bound(self, line: ImportLine) -> str:
        """The name an import binds in this file: with an underscore before it when another thing has the name."""
        if line.name is None and line.alias is None:
            if line not in self.lines:
                self.lines.append(line)
            return line.bound
        for same in self.lines:
            if (same.module, same.name) == (line.module, line.name) and line.alias in {None, same.alias}:
                return same.bound
        names = {other.bound for other in self.lines} | self.taken
        alias = line.alias
        while (alias or line.bound) in names:
            alias = f"_{alias or line.bound}"
        self.lines.append(ImportLine(line.module, line.name, alias, line.of_project))
        return self.lines[-1].bound

    def _reach(self, module: str) -> str:
        """How the generated file imports a module of the project: relatively within one package tree."""
        target = module.split(".")
        start = self._package(self.home).split(".") if self.home.in_package else []
        common = 0
        while common < min(len(start), len(target)) and start[common] == target[common]:
            common += 1
        return "." * (len(start) - common + 1) + ".".join(target[common:]) if common else module

    def _name(self, module: Module) -> str:
        """The name a module is imported by: below a folder that an import of the user shows to be on the path, from
        there, since folders without `__init__.py` may be part of the name."""
        if self._path_entry and module.path.startswith(os.path.join(self._path_entry, "")):
            return module_name(module.path, self._path_entry).removeprefix(".")
        return module.import_name

    @cached_property
    def _path_entry(self) -> str:
        """A folder from which the user's module imports another one of the project."""
        for imported in self.home.imports:
            owner = self.project.modules.get(imported.origin.rpartition(".")[0])
            if owner is not None and not imported.module.startswith("."):
                stem = owner.path.removesuffix(".py").removesuffix(f"{os.sep}__init__")
                below = os.sep + imported.module.replace(".", os.sep)
                if stem.endswith(below):
                    return stem.removesuffix(below)
        return ""

    def _package(self, module: Module) -> str:
        """What a single leading dot means in a module."""
        name = self._name(module)
        return name if module.path.endswith("__init__.py") else name.rpartition(".")[0]

    def _absolute(self, written: str, module: Module) -> str:
        """A relative import of a module, resolved against the name that module is imported by."""
        name = written.lstrip(".")
        package = self._package(module).split(".")
        above = package[: len(package) - (len(written) - len(name) - 1)]
        return ".".join([*above, *([name] if name else [])])


def _is_in_class(name: str, owner: Class) -> bool:
    """Whether a name in a signature means one of the class body: methods, which are no types, stand in nobody's way."""
    return any(binding.kind is not BindingKind.FUNCTION for binding in owner.scope.by_name.get(name, ()))


def _imports_of(bindings: Sequence[Binding]) -> tuple[Import, ...]:
    """The imports that make a name known; none when it is (also) bound in another way."""
    imports = [binding.imported for binding in bindings]
    known = tuple(imported for imported in imports if imported is not None)
    if len(known) < len(imports):
        return ()
    if all(imported.name is None and imported.alias is None for imported in known):
        return known  # `import xml.dom` and `import xml.sax` both make `xml` known
    if len({imported.origin for imported in known}) > 1:
        return ()
    return (next((imported for imported in known if not imported.type_checking), known[0]),)
