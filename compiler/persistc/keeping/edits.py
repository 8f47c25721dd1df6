"""The plan written into the source: on the libcst tree, so that all else stays as it was."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import libcst as cst

from persistc.cannot_run import CannotRun
from persistc.keeping.import_edits import with_imports
from persistc.keeping.plan import Plan
from persistc.keeping.snapshots import Snapshot
from persistc.model import Method
from persistc.names import blocks
from persistc.versions import kept_of, version

_ONLY_OF_OVERRIDES = frozenset({"typing.override", "typing_extensions.override"})


def edited(old: Snapshot, new: Snapshot, plan: Plan) -> bytes:
    """The file with the old body beside the new one. Raises `CannotRun` for a flow that is defined conditionally."""
    source, was = cst.parse_module(new.data), cst.parse_module(old.data)
    cls = _class(source.body, new.cls.name)
    body = list(cls.body.body)
    newest = _index(body, plan.flow)
    flow = body[newest] if newest is not None else None
    if newest is None or not isinstance(flow, cst.FunctionDef):
        raise CannotRun(f"{new.cls.name}.{plan.flow} is defined under a condition: define it once, in the class itself")
    mark = _mark_index(new.cls.by_name[plan.flow])
    body[newest] = _with_decorator(flow, mark, _with_version(flow.decorators[mark].decorator, plan.newest))
    for name in plan.older:
        at = _index(body, name)
        if at is not None:
            body[at] = _renaming(body[at], new.cls.name, plan)
    newer = [each.name for each in new.cls.methods if kept_of(each) == plan.flow and version(each) > plan.number]
    place = max(_index(body, name) or newest for name in (plan.flow, *newer)) + 1
    copies = _Copies(old, plan, _function_of(flow.decorators[mark].decorator))
    body[place:place] = copies.of(_functions(_class(was.body, old.cls.name).body.body))
    return with_imports(source.with_deep_changes(cls, body=cls.body.with_changes(body=body)), plan.imports).bytes


@dataclass(frozen=True)
class _Copies:
    """What is taken over from the old class."""

    old: Snapshot
    plan: Plan
    decorator: cst.BaseExpression
    """`flow`, as the file calls it today."""

    def of(self, functions: Mapping[str, cst.FunctionDef]) -> Iterator[cst.FunctionDef]:
        """The kept body, then what comes along."""
        yield self._kept(functions[self.plan.flow])
        for name in self.plan.copied:
            yield self._renamed(functions[name], self.plan.renamed[name])
        for name in self.plan.put_back:
            yield functions[name].with_changes(leading_lines=_apart(functions[name].leading_lines))

    def _kept(self, flow: cst.FunctionDef) -> cst.FunctionDef:
        method = self.old.cls.by_name[self.plan.flow]
        options = {"version": cst.Integer(str(self.plan.number)), "of": cst.Name(self.plan.flow)}
        kept = _with_decorator(flow, _mark_index(method), _called(self.decorator, options))
        staying = [
            decorator
            for decorator, told in zip(kept.decorators, method.decorators, strict=True)
            if told.origin not in _ONLY_OF_OVERRIDES
        ]
        return self._renamed(kept.with_changes(decorators=staying), self.plan.kept_as)

    def _renamed(self, function: cst.FunctionDef, name: str) -> cst.FunctionDef:
        function = function.with_changes(name=cst.Name(name), leading_lines=_apart(function.leading_lines))
        return _renaming(function, self.old.cls.name, self.plan)


class _Renaming(cst.CSTTransformer):
    """Lets code name the methods that came along by the names they have now."""

    def __init__(self, owners: set[str], renamed: Mapping[str, str]) -> None:
        super().__init__()
        self._owners = owners
        self._renamed = renamed

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.Attribute:
        match updated_node:
            case cst.Attribute(value=cst.Name(value=owner), attr=cst.Name(value=name)) if owner in self._owners:
                return updated_node.with_changes(attr=cst.Name(self._renamed.get(name, name)))
            case _:
                return updated_node


def _renaming(function: cst.CSTNode, cls: str, plan: Plan) -> cst.FunctionDef:
    function = cst.ensure_type(function, cst.FunctionDef)
    first = [*function.params.posonly_params, *function.params.params][:1]
    renamed = function.visit(_Renaming({cls, *(each.name.value for each in first)}, plan.renamed))
    return cst.ensure_type(renamed, cst.FunctionDef)


# --- finding ----------------------------------------------------------------------------------------------------------


def _class(body: Sequence[cst.CSTNode], name: str) -> cst.ClassDef:
    """The class at the top of a file; the last one of its name, as in Python."""
    return [each for each in _statements(body) if isinstance(each, cst.ClassDef) and each.name.value == name][-1]


def _functions(body: Sequence[cst.CSTNode]) -> dict[str, cst.FunctionDef]:
    return {each.name.value: each for each in _statements(body) if isinstance(each, cst.FunctionDef)}


def _statements(body: Sequence[cst.CSTNode]) -> Iterator[cst.CSTNode]:
    for statement in body:
        yield statement
        if not isinstance(statement, cst.FunctionDef | cst.ClassDef):
            for block in blocks(statement):
                yield from _statements(block)


def _index(body: Sequence[cst.CSTNode], name: str) -> int | None:
    found = [at for at, each in enumerate(body) if isinstance(each, cst.FunctionDef) and each.name.value == name]
    return found[-1] if found else None


def _mark_index(method: Method) -> int:
    return next(at for at, decorator in enumerate(method.decorators) if decorator.mark is not None)


# --- writing ----------------------------------------------------------------------------------------------------------


def _with_decorator(function: cst.FunctionDef, at: int, decorator: cst.BaseExpression) -> cst.FunctionDef:
    decorators = list(function.decorators)
    decorators[at] = decorators[at].with_changes(decorator=decorator)
    return function.with_changes(decorators=decorators)


def _with_version(mark: cst.BaseExpression, number: int) -> cst.Call:
    """The mark with this version, its other options as they are."""
    value = cst.Integer(str(number))
    if not isinstance(mark, cst.Call) or not mark.args:
        return _called(_function_of(mark), {"version": value})
    written = [each.keyword is not None and each.keyword.value == "version" for each in mark.args]
    if any(written):
        arguments = [
            each.with_changes(value=value) if is_version else each
            for each, is_version in zip(mark.args, written, strict=True)
        ]
        return mark.with_changes(args=arguments)
    first = _option("version", value).with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
    return mark.with_changes(args=[first, *mark.args])


def _called(function: cst.BaseExpression, options: Mapping[str, cst.BaseExpression]) -> cst.Call:
    return cst.Call(function, [_option(keyword, value) for keyword, value in options.items()])


def _function_of(mark: cst.BaseExpression) -> cst.BaseExpression:
    return mark.func if isinstance(mark, cst.Call) else mark


def _option(keyword: str, value: cst.BaseExpression) -> cst.Arg:
    tight = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    return cst.Arg(value, keyword=cst.Name(keyword), equal=tight)


def _apart(lines: Sequence[cst.EmptyLine]) -> list[cst.EmptyLine]:
    """An empty line, and the comments that belong to the function: those that no empty line parts from it."""
    blank = [at for at, line in enumerate(lines) if line.comment is None]
    return [cst.EmptyLine(indent=False), *lines[blank[-1] + 1 if blank else 0 :]]
