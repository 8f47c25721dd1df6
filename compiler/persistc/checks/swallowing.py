"""What a flow must let pass: exceptions that are no failure of anything, by which the runtime ends a run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from persistc.checks.flow_class import FlowClass
from persistc.checks.flow_code import FlowBody
from persistc.diagnostics import Code, Diagnostic
from persistc.flow_tree import (
    Block,
    Branch,
    Call,
    Expression,
    ForLoop,
    Handler,
    Match,
    Name,
    NestedClass,
    NestedFunction,
    Other,
    Raise,
    Return,
    Statement,
    Try,
    Unary,
    WhileLoop,
    With,
)
from persistc.spans import Span

_EVERYTHING = "builtins.BaseException"
_FAILURES = "builtins.Exception"


def check_swallowing(flow_class: FlowClass, bodies: Sequence[FlowBody]) -> Iterator[Diagnostic]:
    """PST209 for `except BaseException`, bare `except`, `suppress` and `finally` that let nothing pass."""
    for body in bodies:
        for located in body.nodes:
            match located.node:
                case Try(handlers=handlers, final=final, is_group=is_group):
                    for handler in handlers:
                        yield from _caught(body, handler, is_group)
                    yield from _left_in_finally(body, final)
                case With(items=items):
                    for item in items:
                        yield from _suppressed(body, item.value)


def _caught(body: FlowBody, handler: Handler, is_group: bool) -> Iterator[Diagnostic]:
    wide = next((each for each in handler.types if body.origin(each) == _EVERYTHING), None)
    if (handler.types and wide is None) or _Passing(body, handler.name).always(handler.body):
        return
    keyword = "except*" if is_group else "except"
    written = keyword if wide is None else f"{keyword} BaseException"
    start = handler.span.start
    yield Diagnostic(
        code=Code.SWALLOWS_EVERYTHING,
        message=f"this `{written}` does not always raise again what it caught",
        file=body.module.file,
        span=wide.span if wide is not None else Span.within_line(start.line, start.column, start.column + len(keyword)),
        label="swallows what the runtime ends a run with, Ctrl-C too",
        help=f"write `{keyword} Exception`, or end every path of it with `raise`",
    )


def _suppressed(body: FlowBody, value: Expression) -> Iterator[Diagnostic]:
    if not isinstance(value, Call) or body.origin(value.function) != "contextlib.suppress":
        return
    for argument in value.arguments:
        if body.origin(argument.value) == _EVERYTHING:
            yield Diagnostic(
                code=Code.SWALLOWS_EVERYTHING,
                message="this `suppress(BaseException)` lets nothing pass",
                file=body.module.file,
                span=argument.span,
                label="swallows what the runtime ends a run with, Ctrl-C too",
                help="write `suppress(Exception)`",
            )


def _left_in_finally(body: FlowBody, block: Block, in_loop: bool = False) -> Iterator[Diagnostic]:
    """What leaves a `finally` of its own accord takes the place of the exception that was on its way."""
    for node in block:
        match node:
            case Return():
                yield _leaves(body, node, "return")
            case Other(keyword="break" | "continue" as keyword) if not in_loop:
                yield _leaves(body, node, keyword)
            case NestedFunction() | NestedClass():
                pass
            case Try(final=()):
                yield from _left_in_finally(body, (*_blocks_of(node),), in_loop)
            case Try():
                # An inner `finally` is asked about when its own `try` is.
                inner = (*node.body, *node.orelse, *(each for handler in node.handlers for each in handler.body))
                yield from _left_in_finally(body, inner, in_loop)
            case _:
                inside = in_loop or isinstance(node, ForLoop | WhileLoop)
                yield from _left_in_finally(body, tuple(_blocks_of(node)), inside)


def _blocks_of(node: Statement) -> Iterator[Statement]:
    match node:
        case Branch() | ForLoop() | WhileLoop():
            yield from (*node.body, *node.orelse)
        case Try():
            yield from (*node.body, *node.orelse, *node.final)
            yield from (each for handler in node.handlers for each in handler.body)
        case With():
            yield from node.body
        case Match():
            yield from (each for case in node.cases for each in case.body)
        case _:
            return


def _leaves(body: FlowBody, node: Statement, keyword: str) -> Diagnostic:
    return Diagnostic(
        code=Code.SWALLOWS_EVERYTHING,
        message=f"this `{keyword}` in `finally` drops the exception that was on its way",
        file=body.module.file,
        span=Span.within_line(node.span.start.line, node.span.start.column, node.span.start.column + len(keyword)),
        label="swallows also what the runtime ends a run with",
        help=f"move the `{keyword}` behind the `try` statement",
    )


class _Passing:
    """Whether a block raises again, on every path, what its `except` caught under `name`."""

    def __init__(self, body: FlowBody, name: str | None) -> None:
        self._body = body
        self._name = name

    def always(self, block: Block) -> bool:
        """Whether no path leaves the block, or goes on behind it, without having raised."""
        for node in block:
            if self._raises(node):
                return True
            if _may_leave(node):
                return False
        return False

    def _raises(self, node: Statement) -> bool:
        match node:
            case Raise(value=None):
                return True
            case Raise(value=Name(name=name)):
                return name == self._name
            case Branch(test=Unary(operator="not", value=test), body=block) if self._is_failure(test):
                return self.always(block)
            case Branch(test=test, orelse=orelse) if self._is_failure(test):
                return self.always(orelse)
            case Branch(body=block, orelse=orelse):
                return self.always(block) and self.always(orelse)
            case Try(final=final) if self.always(final):
                return True
            case Try(body=block, handlers=handlers):
                return self.always(block) and not handlers
            case With(body=block):
                return self.always(block)
            case Match(cases=cases):
                return any(case.pattern == "_" for case in cases) and all(self.always(case.body) for case in cases)
            case _:
                return False

    def _is_failure(self, test: Expression) -> bool:
        """`isinstance(error, Exception)`: what is left of everything is what has to be raised."""
        match test:
            case Call(function=function, arguments=(caught, cls)):
                named = isinstance(caught.value, Name) and caught.value.name == self._name
                is_asked = self._body.origin(function) == "builtins.isinstance"
                return is_asked and named and self._body.origin(cls.value) == _FAILURES
            case _:
                return False


def _may_leave(node: Statement, in_loop: bool = False) -> bool:
    """Whether a statement may leave the block it stands in by itself."""
    match node:
        case Return():
            return True
        case Other(keyword="break" | "continue"):
            return not in_loop
        case _:
            inside = in_loop or isinstance(node, ForLoop | WhileLoop)
            return any(_may_leave(each, inside) for each in _blocks_of(node))
