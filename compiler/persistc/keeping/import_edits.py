"""Import statements added to a source file, where ruff and isort would have them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import libcst as cst

from persistc.import_lines import ImportLine, member_key, module_key
from persistc.model import Import


def with_imports(source: cst.Module, imports: Iterable[Import]) -> cst.Module:
    """The file with these imports too: a name joins a statement that imports from its module, if there is one.

    What was imported for annotations only goes to the others below `if TYPE_CHECKING:`, if the file has some.
    """
    for imported in imports:
        block = _for_annotations(source) if imported.type_checking else None
        body = source.body if block is None else block.body.body
        joined = _joined(source, body, imported)
        if joined is not None:
            source = joined
        elif block is None:
            source = source.with_changes(body=_with_statement(source, body, imported))
        else:
            added = block.body.with_changes(body=_with_statement(source, body, imported))
            source = source.with_deep_changes(block, body=added)
    return source


def _for_annotations(source: cst.Module) -> cst.If | None:
    """The block of what only type checkers import."""
    for statement in source.body:
        if isinstance(statement, cst.If) and source.code_for_node(statement.test).endswith("TYPE_CHECKING"):
            return statement
    return None


def _joined(source: cst.Module, body: Sequence[cst.CSTNode], imported: Import) -> cst.Module | None:
    """The name put among those of a statement of this block."""
    if imported.name is None or imported.alias is not None:
        return None
    for statement in body:
        match statement:
            case cst.SimpleStatementLine(body=[cst.ImportFrom(names=[*names]) as found]) if _module_of(
                source, found
            ) == imported.module and all(each.asname is None for each in names):
                return source.with_deep_changes(found, names=_with_name(found, names, imported))
    return None


def _with_name(
    statement: cst.ImportFrom, names: Sequence[cst.ImportAlias], imported: Import
) -> Sequence[cst.ImportAlias]:
    key = member_key(imported.name or "")
    place = next((at for at, each in enumerate(names) if member_key(_name(each)) > key), len(names))
    between = statement.lpar.whitespace_after if statement.lpar is not None else cst.SimpleWhitespace(" ")
    if isinstance(between, cst.SimpleWhitespace):
        between = cst.SimpleWhitespace(" ")
    separator = cst.Comma(whitespace_after=between)
    ordered = [*names[:place], cst.ImportAlias(cst.Name(imported.name or "")), *names[place:]]
    last = names[-1].comma
    return [*(each.with_changes(comma=separator) for each in ordered[:-1]), ordered[-1].with_changes(comma=last)]


def _with_statement(source: cst.Module, body: Sequence[cst.CSTNode], imported: Import) -> list[cst.CSTNode]:
    """The block with a statement of its own for the import, in order; an empty line parts it from other sections."""
    key = _key(ImportLine(imported.module, imported.name))
    line = cst.SimpleStatementLine([_statement(imported)])
    apart = [cst.EmptyLine(indent=False)]
    keys = {at: _key_of(source, each) for at, each in enumerate(body) if _is_import(each)}
    before = [at for at in keys if keys[at] <= key]
    after = [at for at in keys if keys[at] > key]
    has_section_before = any(keys[at][0] == key[0] for at in before)
    if before and (has_section_before or not any(keys[at][0] == key[0] for at in after)):
        here = line if has_section_before else line.with_changes(leading_lines=apart)
        return [*body[: before[-1] + 1], here, *body[before[-1] + 1 :]]
    if not after:
        place = 1 if source.get_docstring(clean=False) is not None else 0
        return [*body[:place], line.with_changes(leading_lines=apart), *body[place:]]
    first = cst.ensure_type(body[after[0]], cst.SimpleStatementLine)
    here = line.with_changes(leading_lines=first.leading_lines)
    pushed = first.with_changes(leading_lines=[] if keys[after[0]][0] == key[0] else apart)
    return [*body[: after[0]], here, pushed, *body[after[0] + 1 :]]


def _is_import(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(
        statement.body[-1], cst.Import | cst.ImportFrom
    )


def _key_of(source: cst.Module, statement: cst.CSTNode) -> tuple[int, bool, tuple[int, str, str]]:
    match statement:
        case cst.SimpleStatementLine(body=[*_, cst.Import(names=names)]):
            return _key(ImportLine(source.code_for_node(names[0].name)))
        case cst.SimpleStatementLine(body=[*_, cst.ImportFrom() as found]):
            return _key(ImportLine(_module_of(source, found), ""))
        case _:
            raise TypeError("no import statement")


def _key(line: ImportLine) -> tuple[int, bool, tuple[int, str, str]]:
    """Of a statement: its section, then `import module` before `from module import`, then the module."""
    section = -1 if line.module == "__future__" else line.section
    return section, line.name is not None, module_key(line.module)


def _module_of(source: cst.Module, statement: cst.ImportFrom) -> str:
    name = "" if statement.module is None else source.code_for_node(statement.module)
    return "." * len(statement.relative) + name


def _name(alias: cst.ImportAlias) -> str:
    return alias.name.value if isinstance(alias.name, cst.Name) else ""


def _statement(imported: Import) -> cst.Import | cst.ImportFrom:
    alias = "" if imported.alias is None else f" as {imported.alias}"
    text = f"import {imported.module}{alias}"
    if imported.name is not None:
        text = f"from {imported.module} import {imported.name}{alias}"
    line = cst.ensure_type(cst.parse_statement(text), cst.SimpleStatementLine)
    found = line.body[0]
    assert isinstance(found, cst.Import | cst.ImportFrom)
    return found
