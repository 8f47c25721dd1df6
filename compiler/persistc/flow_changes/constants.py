"""The values of names of modules and classes, each told once."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from persistc import flow_tree as tree
from persistc.expression_text import expression_text
from persistc.flow_changes.named_members import NamedConstant
from persistc.flow_changes.python_syntax import may_last
from persistc.project import Project


@dataclass
class Constants:
    """Those of one project that have been told."""

    project: Project
    told: set[str] = field(default_factory=set)

    def of_module(self, origin: str) -> NamedConstant | None:
        bound = self.project.binding(origin)
        if bound is None or bound[0].value is None:
            return None
        return NamedConstant(origin, bound[0].name, bound[0].value, bound[1])

    def values(self, named: NamedConstant, *, is_limit: bool) -> Iterator[str]:
        """What a name stands for, and what the names in that do; `is_limit`: it says how long a wait is, which may
        change as long as there is a wait.
        """
        if named.key in self.told or (is_limit and may_last(ast.parse(f"({named.value.text})", mode="eval").body)):
            return
        self.told.add(named.key)
        yield f"{named.shown} = {expression_text(named.value.expression)}"
        for node in tree.walk(named.value.expression):
            if isinstance(node, tree.Name | tree.Attribute):
                origin = self.project.origin_of(node, named.module, named.owner)
                if origin is not None and (inner := self.of_module(origin)) is not None:
                    yield from self.values(inner, is_limit=is_limit)
