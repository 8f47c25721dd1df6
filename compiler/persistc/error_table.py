"""The error table of a flow class: the exceptions of the user that its flows may be given back as themselves (G3)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from persistc.flow_tree import Display, Expression, Handler, LocalImport, dotted, walk
from persistc.model import PACKAGE, Class, Kind, Method, Module
from persistc.project import Owned, Project

_NOT_RAISED_BY_STEPS = (f"{PACKAGE}.", "asyncio.", "concurrent.futures.CancelledError")
"""What an `except` of a flow catches that comes from the runtime or from the flow itself."""
_ALIASES_OF_BUILTINS = frozenset({"asyncio.TimeoutError", "concurrent.futures.TimeoutError", "socket.timeout"})


@dataclass(frozen=True, slots=True)
class Listed:
    """An exception, named as in the module and class where it is written."""

    expression: Expression
    origin: str
    module: Module
    owner: Class | None


def error_table(members: list[Owned], project: Project) -> tuple[Listed, ...]:
    """The exceptions of `@step(raises=...)` and of the `except` clauses of a flow class, each once, in order.

    Builtin ones are left out: the runtime knows them. The `except` clauses of methods without a mark count too, since
    a flow may call them.
    """
    found: dict[str, Listed] = {}
    for owned in members:
        for expression, is_caught in _named(owned.method):
            for listed in _expanded(expression, owned.module, owned.owner, owned.method, project):
                if not (_is_builtin(listed.origin) or (is_caught and listed.origin.startswith(_NOT_RAISED_BY_STEPS))):
                    found.setdefault(listed.origin, listed)
    return tuple(found.values())


def _is_builtin(origin: str) -> bool:
    return origin.startswith("builtins.") or origin in _ALIASES_OF_BUILTINS


def _named(method: Method) -> Iterator[tuple[Expression, bool]]:
    """The expressions of `raises=` and `except`, with whether it is the latter."""
    raises = method.mark.argument("raises") if method.mark is not None else None
    if raises is not None:
        yield raises.expression, False
    if method.kind in {Kind.FLOW, Kind.OTHER}:
        for node in walk(*method.body):
            if isinstance(node, Handler):
                yield from ((each, True) for each in node.types)


def _expanded(
    expression: Expression, module: Module, owner: Class | None, method: Method | None, project: Project
) -> Iterator[Listed]:
    """The exceptions an expression names: a class, a tuple of them, or a constant that is such a tuple."""
    if isinstance(expression, Display):
        for item in expression.items:
            yield from _expanded(item, module, owner, method, project)
        return
    name = dotted(expression)
    if name is None:
        return
    local = _local_origin(name, method)
    origin = local or module.origin(name, owner)
    if origin is None:
        if name.partition(".")[0] in module.scope:  # bound in several ways, in `try` and `except ImportError` say
            yield Listed(expression, f"{module.name}.{name}", module, owner)
        return
    origin = project.canonical(origin)
    home = project.modules.get(origin.rpartition(".")[0])
    bindings = home.scope.by_name.get(origin.rpartition(".")[2], ()) if home is not None else ()
    value = bindings[0].value if bindings else None
    if home is not None and value is not None and isinstance(value.expression, Display):
        yield from _expanded(value.expression, home, None, None, project)
    else:
        yield Listed(expression, origin, module, owner)


def _local_origin(name: str, method: Method | None) -> str | None:
    """What a name stands for that the method imports in its body."""
    first, dot, rest = name.partition(".")
    if method is not None:
        for node in walk(*method.body):
            if isinstance(node, LocalImport):
                for bound, origin in node.names:
                    if bound == first:
                        return f"{origin}{dot}{rest}"
    return None
