"""Small questions about nodes of Python's own trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator

_LOG_METHODS = frozenset({"debug", "info", "warning", "error", "exception", "critical", "log"})


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


def says_nothing(node: ast.stmt) -> bool:
    """Whether a statement is only there for people: `pass`, a bare annotation, a text, a line for the log or screen."""
    match node:
        case ast.Pass() | ast.AnnAssign(value=None) | ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=function) as call):
            is_log = isinstance(function, ast.Attribute) and function.attr in _LOG_METHODS
            is_print = isinstance(function, ast.Name) and function.id == "print"
            owner = dotted(function.value) if isinstance(function, ast.Attribute) else ""
            is_logger = is_log and "log" in (owner or "").lower()
            inside = [each for part in (*call.args, *call.keywords) for each in ast.walk(part)]
            acts = any(isinstance(each, ast.Await | ast.Call | ast.NamedExpr) for each in inside)
            return (is_logger or is_print) and not acts
        case _:
            return False


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
    first = ast.unparse(node).partition("\n")[0].removesuffix(":") if isinstance(node, ast.stmt | ast.expr) else ""
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
