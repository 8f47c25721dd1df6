"""The code of a flow as a row of statements in a normal form, in which a change that changes nothing does not show.

Comments, layout, quotes, docstrings, annotations, logging, the order of keyword arguments, the length of sleeps and
time limits, and the names of local variables and of unmarked methods are not in it. What unmarked methods and functions
of the project do, with their parameters, defaults and decorators, stands where they are first named, on `self`, by
`super()`, by a class or by themselves; so do the values of names of modules and classes.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from persistc.checks.flow_class import FlowClass
from persistc.flow_changes.constants import Constants
from persistc.flow_changes.loggers import Loggers
from persistc.flow_changes.named_members import MemberNames, Named, NamedConstant, instance_name
from persistc.flow_changes.python_functions import Sources
from persistc.flow_changes.python_syntax import (
    dotted,
    first_line,
    is_block,
    is_positive,
    log_line,
    made_from,
    nodes,
    parameter,
    says_nothing,
    values_given,
)
from persistc.flow_changes.statements import Statement
from persistc.flow_graph.regions import Place
from persistc.model import PACKAGE, Kind, Module
from persistc.project import Owned
from persistc.spans import Span

_LIMITS = {
    "asyncio.sleep": (0, "delay"),
    f"{PACKAGE}.sleep": (0, "duration"),
    "asyncio.timeout": (0, "delay"),
    "asyncio.wait_for": (1, "timeout"),
}
"""Where these functions take a duration."""
_WAIT = f"{PACKAGE}.wait_for_signal"
_REPEATED = (ast.For, ast.AsyncFor, ast.While)
_TIMERS = frozenset(_LIMITS)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def normal_form(flow_class: FlowClass, flow: Owned, sources: Sources) -> tuple[Statement, ...]:
    """The statements of a flow with those of the methods and functions it reaches."""
    reader = _Reader(flow_class, sources, Loggers(flow_class.project), Constants(flow_class.project))
    function = sources.function(flow)
    if function is not None:
        reader.function(function, flow, flow_class, ())
    return tuple(reader.found)


@dataclass
class _Reader:
    flow_class: FlowClass
    sources: Sources
    loggers: Loggers
    constants: Constants
    found: list[Statement] = field(default_factory=list)
    told: dict[str, str] = field(default_factory=dict)
    """The methods and functions already told, with the names they have here."""
    calls: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """What those call that have been told to their end."""

    def function(
        self,
        function: Function,
        owned: Owned | Module,
        flow_class: FlowClass,
        around: tuple[int, ...],
        *,
        is_flow: bool = True,
    ) -> None:
        is_method = isinstance(owned, Owned)
        owner = owned.owner if isinstance(owned, Owned) else flow_class.cls
        members = MemberNames(flow_class, owner, instance_name(function) if is_method else None)
        scope = _Scope(self, function, owned, members)
        scope.rename(with_parameters=not is_flow)
        if not is_flow:
            scope.head(around)
        scope.block(function.body, around)


@dataclass
class _Scope:
    """One function being read."""

    reader: _Reader
    function: Function
    owned: Owned | Module
    members: MemberNames
    renamed: dict[str, str] = field(default_factory=dict)

    @property
    def module(self) -> Module:
        return self.owned.module if isinstance(self.owned, Owned) else self.owned

    @property
    def self_name(self) -> str | None:
        return self.members.self_name

    def head(self, around: tuple[int, ...]) -> None:
        """The parameters of what is called, with their defaults, and what decorates it."""
        self._add(self.function, [self.function.args], around, word="def")
        for decorator in self.function.decorator_list:
            self._add(decorator, [decorator], around, word="@", shown=f"@{ast.unparse(decorator)}")

    def rename(self, *, with_parameters: bool) -> None:
        """Number the local names in the order they first occur."""
        function, arguments = self.function, self.function.args
        parameters = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
        parameters += [each.arg for each in (arguments.vararg, arguments.kwarg) if each is not None]
        names = list(parameters) if with_parameters else []
        kept = {self.self_name, *(() if with_parameters else parameters)}
        for node in ast.walk(function):
            match node:
                case ast.Name(id=name, ctx=ast.Store()):
                    names.append(name)
                case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
                    names.append(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if node is not function:
                    names += [name, *(each.arg for each in node.args.args)]
                case ast.Global(names=shared) | ast.Nonlocal(names=shared):
                    kept.update(shared)
        for name in dict.fromkeys(names):
            if name not in kept:
                self.renamed[name] = ""

    def block(self, body: Sequence[ast.stmt], around: tuple[int, ...]) -> None:
        for statement in body:
            self._statement(statement, around)

    def _statement(self, node: ast.stmt, around: tuple[int, ...]) -> None:
        if says_nothing(node) or self._is_for_people(node):
            return
        blocks = [(name, value) for name, value in ast.iter_fields(node) if is_block(value)]
        if not blocks:
            self._add(node, [node], around)
            return
        heads = [each for name, each in ast.iter_fields(node) if not is_block(each)]
        number = len(self.reader.found)
        self._add(node, [part for head in heads for part in nodes(head)], around, word=type(node).__name__)
        inner = (*around, number) if isinstance(node, _REPEATED) or self._is_parallel(node) else around
        for name, value in blocks:
            self._mark(f"{name}:", node, inner)
            for part in value:
                if isinstance(part, ast.stmt):
                    self._statement(part, inner)
                else:
                    self._part(part, inner)
        self._mark("end", node, inner)

    def _part(self, part: ast.AST, around: tuple[int, ...]) -> None:
        """A handler or a case."""
        heads = [each for _, each in ast.iter_fields(part) if not is_block(each)]
        parts = [node for head in heads for node in nodes(head)]
        self._add(part, parts, around, word=type(part).__name__)
        for _, value in ast.iter_fields(part):
            if is_block(value):
                self.block([each for each in value if isinstance(each, ast.stmt)], around)

    def _mark(self, form: str, node: ast.AST, around: tuple[int, ...]) -> None:
        self.reader.found.append(Statement(form, form, self._place(node), (), False, around))

    def _add(
        self, node: ast.AST, parts: Sequence[ast.AST], around: tuple[int, ...], word: str = "", shown: str = ""
    ) -> None:
        calls = [call for part in parts for call in self._calls(part)]
        reached = [each for part in parts for each in self._reached(part)]
        for key, function, _, _ in reached:
            if key in self.reader.told:
                # What is not told to its end calls itself, and may call anything it has called before.
                calls += self.reader.calls.get(key, (function.name,))
        form = " ".join([word, *(self._form(part) for part in parts)])
        is_condition = isinstance(node, ast.If | ast.While | ast.Match | ast.match_case)
        place = self._place(node)
        self.reader.found.append(Statement(form, shown or first_line(node), place, tuple(calls), is_condition, around))
        for part in parts:
            self._constants(part, place, around)
        for key, function, owned, flow_class in reached:
            if key not in self.reader.told:
                self.reader.told[key] = f"_method_{len(self.reader.told)}"
                start = len(self.reader.found)
                self.reader.function(function, owned, flow_class, around, is_flow=False)
                told = (call for each in self.reader.found[start:] for call in each.calls)
                self.reader.calls[key] = tuple(dict.fromkeys(told))
                self._mark("end of call", node, around)

    def _constants(self, part: ast.AST, place: Place, around: tuple[int, ...], *, is_limit: bool = False) -> None:
        """The values of names of modules and classes, where they are first used; how long a wait is may change."""
        if isinstance(part, ast.Name | ast.Attribute) and (found := self._constant(part)) is not None:
            for shown in self.reader.constants.values(found, is_limit=is_limit):
                self.reader.found.append(Statement(f"name {shown}", shown, place, (), False, around))
        limit = self.limit_of(part) if isinstance(part, ast.Call) else None
        # What these give may be no time at all, for which nothing waits.
        is_difference = isinstance(part, ast.Compare) or (isinstance(part, ast.BinOp) and isinstance(part.op, ast.Sub))
        for child in ast.iter_child_nodes(part):
            given = child.value if isinstance(child, ast.keyword) else child
            self._constants(child, place, around, is_limit=(is_limit and not is_difference) or given is limit)

    def _constant(self, node: ast.Name | ast.Attribute) -> NamedConstant | None:
        origin = self._origin(node)
        if origin is not None and (found := self.reader.constants.of_module(origin)) is not None:
            return found
        if isinstance(node, ast.Attribute):
            return self.members.constant(node, self._origin(node.value))
        return None

    def _place(self, node: ast.AST) -> Place:
        line, column = getattr(node, "lineno", None), getattr(node, "col_offset", 0)
        if line is None and isinstance(node, ast.match_case):
            line, column = node.pattern.lineno, node.pattern.col_offset
        return Place(self.module.file, Span.within_line(line or 1, column, column + 1))

    # --- what an expression asks for --------------------------------------------------------------------------------

    def _calls(self, part: ast.AST) -> Iterator[str]:
        for node in ast.walk(part):
            if isinstance(node, ast.Attribute) and (named := self._member(node)) is not None:
                if named.is_recorded:
                    yield named.shown
            elif isinstance(node, ast.Call) and self._origin(node.func) in _TIMERS:
                yield "a timer"

    def _reached(self, part: ast.AST) -> Iterator[tuple[str, Function, Owned | Module, FlowClass]]:
        """The methods without a mark and the functions of the project that are named."""
        for node in ast.walk(part):
            if isinstance(node, ast.Attribute) and (named := self._member(node)) is not None:
                function = self.reader.sources.function(named.owned)
                if not named.is_recorded and function is not None:
                    yield named.key, function, named.owned, named.flow_class
            elif isinstance(node, ast.Name | ast.Attribute) and (origin := self._origin(node)) is not None:
                home, _, name = origin.rpartition(".")
                module = self.reader.flow_class.project.modules.get(home) if home.startswith(".") else None
                if module is not None and (found := self.reader.sources.of(module).by_name.get(name)) is not None:
                    yield origin, found, module, self.reader.flow_class

    def _member(self, node: ast.Attribute) -> Named | None:
        return self.members.method(node, self._origin(node.value))

    def _is_for_people(self, node: ast.stmt) -> bool:
        """Whether a statement only writes a line for the log or the screen."""
        called = log_line(node)
        if isinstance(called, ast.Attribute):
            return self._is_logger(called.value)
        return called is not None and self._origin(called) == "builtins.print"

    def _is_logger(self, value: ast.expr) -> bool:
        match made_from(value):
            case ast.Attribute(value=ast.Name(id=owner), attr=name) if owner == self.self_name:
                return self.reader.loggers.is_attribute(self.members.flow_class.lineage, name)
            case ast.Name(id=name) if (declared := parameter(self.function, name)) is not None:
                origin = self._origin(declared.annotation) if declared.annotation is not None else None
                return self.reader.loggers.is_logger(origin)
            case ast.Name(id=name) if name in self.renamed:
                given = list(values_given(self.function, name))
                return bool(given) and all(
                    each is not None and self.reader.loggers.is_logger(self._origin(made_from(each))) for each in given
                )
            case found:
                return self.reader.loggers.is_logger(self._origin(found))

    def _origin(self, node: ast.expr) -> str | None:
        name = dotted(node)
        if name is None or name.partition(".")[0] in self.renamed:
            return None
        origin = self.module.origin(name)
        return None if origin is None else self.reader.flow_class.project.canonical(origin)

    def _is_parallel(self, node: ast.stmt) -> bool:
        return isinstance(node, ast.With | ast.AsyncWith) and any(
            isinstance(item.context_expr, ast.Call)
            and self._origin(item.context_expr.func) in {"asyncio.TaskGroup", f"{PACKAGE}.parallel"}
            for item in node.items
        )

    # --- the normal form --------------------------------------------------------------------------------------------

    def _form(self, part: ast.AST) -> str:
        normal = _Normal(self).visit(copy.deepcopy(part))
        return ast.dump(normal)

    def name_of(self, name: str) -> str:
        if name == self.self_name:
            return "self"
        if name not in self.renamed:
            return name
        if not self.renamed[name]:
            self.renamed[name] = f"_{sum(bool(each) for each in self.renamed.values())}"
        return self.renamed[name]

    def name_of_member(self, node: ast.Attribute) -> str:
        named = self._member(node)
        if named is None or named.owned.method.kind is not Kind.OTHER:
            return node.attr
        return self.reader.told.get(named.key, f"_method_{len(self.reader.told)}")

    def limit_of(self, node: ast.Call) -> ast.expr | None:
        """The argument of a call that is a duration."""
        origin = self._origin(node.func) or ""
        position, keyword = (len(node.args), "timeout") if origin == _WAIT else _LIMITS.get(origin, (None, ""))
        if position is None:
            return None
        given = next((each.value for each in node.keywords if each.arg == keyword), None)
        return node.args[position] if position < len(node.args) else given

    def is_wait(self, node: ast.Call) -> bool:
        return self._origin(node.func) == _WAIT

    def step_of(self, node: ast.Call) -> Owned | None:
        named = self._member(node.func) if isinstance(node.func, ast.Attribute) else None
        return named.owned if named is not None and named.is_bound and named.owned.method.kind is Kind.STEP else None


_A_WHILE = ast.Constant("a while")


class _Normal(ast.NodeTransformer):
    def __init__(self, scope: _Scope) -> None:
        self._scope = scope

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self._scope.name_of(node.id), node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        name = self._scope.name_of_member(node)
        return ast.Attribute(self.visit(node.value), name, node.ctx)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(self._scope.name_of(node.arg), None)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        assert node.value is not None
        return ast.Assign([self.visit(node.target)], self.visit(node.value))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        arguments, keywords = list(node.args), list(node.keywords)
        limit = self._scope.limit_of(node)
        if limit is not None and is_positive(limit):
            arguments = [_A_WHILE if each is limit else each for each in arguments]
            keywords = [ast.keyword(each.arg, _A_WHILE) if each.value is limit else each for each in keywords]
        if self._scope.is_wait(node):
            keywords = [each for each in keywords if each.arg != "timeout"]
        step = self._scope.step_of(node)
        if step is not None and not any(isinstance(each, ast.Starred) for each in arguments):
            names = [each.name for each in step.method.values]
            keywords += [ast.keyword(name, value) for name, value in zip(names, arguments, strict=False)]
            arguments = arguments[len(names) :]
        keywords.sort(key=lambda each: each.arg or "~")
        return ast.Call(
            self.visit(node.func), [self.visit(each) for each in arguments], list(map(self.visit, keywords))
        )
