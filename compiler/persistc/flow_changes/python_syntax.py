"""Small questions about nodes of Python's own trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_LINES = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log", "print"})


def is_positive(duration: ast.expr) -> bool:
    """Whether a duration is written out and longer than nothing."""
    match duration:
        case ast.Constant(value=int() | float() as seconds):
            return seconds > 0
        case ast.Call(args=args, keywords=keywords) if (dotted(duration.func) or "").endswith("timedelta"):
            values = [*args, *(each.value for each in keywords)]
            return any(map(is_positive, values)) and all(isinstance(each, ast.Constant) for each in values)
        case _:
            return False


def may_last(duration: ast.expr) -> bool:
    """Whether a duration is longer than nothing, or not written out."""
    match duration:
        case ast.Constant(value=int() | float()):
            return is_positive(duration)
        case ast.Call(args=args, keywords=keywords):
            is_literal = all(isinstance(each, ast.Constant) for each in (*args, *(each.value for each in keywords)))
            return is_positive(duration) or not is_literal
        case _:
            return True


def says_nothing(node: ast.stmt) -> bool:
    """Whether a statement does nothing: `pass`, a bare annotation, a text."""
    match node:
        case ast.Pass() | ast.AnnAssign(value=None) | ast.Expr(value=ast.Constant()):
            return True
        case _:
            return False


def log_line(node: ast.stmt) -> ast.expr | None:
    """What is called in a line that may be one for the log or the screen only: `log.info`, `print`."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name) | ast.Name(id="print" as name)) as call):
            inside = [each for part in (*call.args, *call.keywords) for each in ast.walk(part)]
            acts = any(isinstance(each, ast.Await | ast.Call | ast.NamedExpr) for each in inside)
            return call.func if name in _LINES and not acts else None
        case _:
            return None


def made_from(value: ast.expr) -> ast.expr:
    """The dotted name a value comes from: `get_logger` of `get_logger(__name__).bind(flow="orders")`."""
    while dotted(value) is None:
        match value:
            case ast.Call(func=inner) | ast.Attribute(value=inner):
                value = inner
            case _:
                return value
    return value


def values_given(function: ast.AST, name: str) -> Iterator[ast.expr | None]:
    """What a function assigns to a local name; None for one that cannot be told, such as that of a loop."""
    for node in ast.walk(function):
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                yield value
            case ast.AnnAssign(target=ast.Name(id=found), value=value) if found == name and value is not None:
                yield value
            case ast.Assign(targets=targets) if any(_binds(each, name) for each in targets):
                yield None
            case ast.For(target=target) | ast.AsyncFor(target=target) | ast.comprehension(target=target):
                if _binds(target, name):
                    yield None
            case ast.NamedExpr(target=target) | ast.withitem(optional_vars=ast.expr() as target):
                if _binds(target, name):
                    yield None
            case _:
                continue


def _binds(target: ast.AST, name: str) -> bool:
    return any(isinstance(each, ast.Name) and each.id == name for each in ast.walk(target))


def parameter(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> ast.arg | None:
    arguments = function.args
    found = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
    return next((each for each in found if each.arg == name), None)


def is_block(value: object) -> bool:
    return (
        isinstance(value, list) and bool(value) and isinstance(value[0], ast.stmt | ast.ExceptHandler | ast.match_case)
    )


def nodes(value: object) -> Iterator[ast.AST]:
    """The nodes of a field of a compound statement; a name of its own stands as a constant."""
    match value:
        case ast.AST():
            yield value
        case list():
            for part in value:
                yield from nodes(part)
        case str():
            yield ast.Name(value, ast.Load())
        case _:
            return


def first_line(node: ast.AST) -> str:
    if isinstance(node, ast.ExceptHandler):
        return f"except {ast.unparse(node.type)}" if node.type is not None else "except"
    if isinstance(node, ast.match_case):
        return f"case {ast.unparse(node.pattern)}"
    lines = ast.unparse(node).split("\n") if isinstance(node, ast.stmt | ast.expr) else [""]
    decorators = len(node.decorator_list) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else 0
    first = lines[decorators].removesuffix(":")
    return first if len(first) <= 70 else f"{first[:67]}..."


def self_name(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str | None:
    parameters = [*function.args.posonlyargs, *function.args.args]
    return parameters[0].arg if parameters else None


def dotted(node: ast.expr) -> str | None:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{owner}.{name}" if (owner := dotted(value)) else None
        case _:
            return None
