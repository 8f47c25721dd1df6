"""Import statements of a generated file: sections, order and line breaks as isort, ruff and black have them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One imported name, or with `name` None one `import module`."""

    module: str
    name: str | None = None
    alias: str | None = None
    of_project: bool = False
    """The module belongs to the user's project, and is not relative."""

    @property
    def bound(self) -> str:
        """The name it makes known."""
        return self.alias or self.name or self.module.partition(".")[0]

    @property
    def section(self) -> int:
        """Standard library, other packages, the project, relative."""
        if self.module.startswith("."):
            return 3
        if self.of_project:
            return 2
        return 0 if self.module.partition(".")[0] in sys.stdlib_module_names else 1


def import_block(lines: Iterable[ImportLine]) -> tuple[tuple[str, ...], ...]:
    """The statements as logical lines, section by section."""
    ordered = sorted(set(lines), key=lambda line: line.section)
    return tuple(_section(list(section)) for _, section in groupby(ordered, key=lambda line: line.section))


def _section(lines: Sequence[ImportLine]) -> tuple[str, ...]:
    modules = [line for line in lines if line.name is None]
    members = [line for line in lines if line.name is not None]
    return (*_modules(modules), *_members(members))


def _modules(lines: Sequence[ImportLine]) -> list[str]:
    ordered = sorted(lines, key=lambda line: (line.module.lower(), line.module, line.alias or ""))
    return [f"import {line.module}{_as(line)}" for line in ordered]


def _members(lines: Sequence[ImportLine]) -> list[str]:
    """One statement a module; a name under an alias has a statement of its own."""
    ordered = sorted(
        lines, key=lambda line: (module_key(line.module), line.alias is not None, member_key(line.name or ""))
    )
    statements: list[str] = []
    for module, members in groupby(ordered, key=lambda line: line.module):
        of_module = list(members)
        plain = [line.name or "" for line in of_module if line.alias is None]
        if plain:
            statements.append(f"from {module} import {', '.join(plain)}")
        statements += [f"from {module} import {line.name}{_as(line)}" for line in of_module if line.alias is not None]
    return statements


def _as(line: ImportLine) -> str:
    return f" as {line.alias}" if line.alias is not None else ""


def module_key(module: str) -> tuple[int, str, str]:
    """The farther a relative import reaches, the earlier it stands."""
    name = module.lstrip(".")
    return len(name) - len(module), name.lower(), name


def member_key(name: str) -> tuple[int, str, str]:
    """Constants, then classes, then the rest."""
    kind = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return kind, name.lower(), name
