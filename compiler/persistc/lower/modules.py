"""Modules: the whole of one, its classes, and what carries a mark outside of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from persistc.lower.classes import Classes
from persistc.lower.expressions import Expressions
from persistc.lower.scopes import scope_of
from persistc.lower.statements import Statements
from persistc.model import Class, Decorator, Import, Kind, Module, Stray
from persistc.names import blocks
from persistc.parse import Tree
from persistc.sources import SourceFile


def lower(
    tree: Tree,
    source: SourceFile,
    imports: tuple[Import, ...],
    canonical: Callable[[str], str],
    starred: Mapping[str, str] | None = None,
) -> Module:
    """The model of a module.

    Args:
        tree: Its tree.
        source: Its names.
        imports: Its import table.
        canonical: Follows the re-exports of the project's modules.
        starred: What its star imports make known; None if one leads where persistc cannot look.
    """
    expressions = Expressions.of(tree)
    shell = Module(
        file=source.file,
        path=source.path,
        name=source.name,
        import_name=source.import_name,
        in_package=source.in_package,
        imports=imports,
        scope=scope_of(tree.module.body, source.name, expressions, imports),
        classes=(),
        starred=starred or {},
        has_unknown_stars=starred is None,
    )
    classes = Classes(shell, Statements(expressions, imports), canonical)
    found = tuple(_classes(tree.module.body, classes))
    return replace(shell, classes=found, strays=tuple(_strays(tree.module.body, classes, "module")))


def _classes(body: Sequence[cst.CSTNode], classes: Classes) -> Iterator[Class]:
    for statement in body:
        if isinstance(statement, cst.ClassDef):
            yield classes.lower(statement)
        elif not isinstance(statement, cst.FunctionDef):
            for block in blocks(statement):
                yield from _classes(block, classes)


def _strays(body: Sequence[cst.CSTNode], classes: Classes, inside: str) -> Iterator[Stray]:
    """The functions that look marked, apart from the methods of the classes at the top."""
    for statement in body:
        match statement:
            case cst.FunctionDef(name=name):
                decorators = tuple(classes.decorator(each, None) for each in statement.decorators)
                is_method = inside.startswith("class ") and "." not in inside
                if not is_method and any(_looks_marked(each) for each in decorators):
                    yield Stray(name.value, classes.statements.expressions.place(name), decorators, inside)
                yield from _strays(statement.body.body, classes, f"function {name.value}")
            case cst.ClassDef(name=name):
                at_top = inside == "module"
                outer = "" if at_top else f"{inside.partition(' ')[2]}."
                yield from _strays(statement.body.body, classes, f"class {outer}{name.value}")
            case _:
                for block in blocks(statement):
                    yield from _strays(block, classes, inside)


def _looks_marked(decorator: Decorator) -> bool:
    last = (decorator.name or "").rpartition(".")[2]
    return decorator.mark is not None or last in set(Kind) - {Kind.OTHER}
