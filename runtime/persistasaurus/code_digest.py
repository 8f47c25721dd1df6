"""A digest of a flow class's code: another digest is a reason to try a parked flow again (G5).

It covers what can change how a flow runs: the functions of the class, its bases and their modules, and the plain
constants these read. It is the same in every process and on every machine with one Python version: no file, line, hash
seed, address or name of a module enters it.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from functools import cached_property
from types import CodeType, FunctionType
from typing import Any, Final

from persistasaurus.marks import FlowMark, mark_of

_CONSTANTS: Final = (str, bytes, int, float, bool, type(None))


def code_digest(flow_class: type) -> str:
    """The digest of the code of a user's flow class."""
    functions: dict[int, FunctionType] = {}
    modules = dict.fromkeys(cls.__module__ for cls in flow_class.__mro__ if cls.__module__ != "builtins")
    for cls in flow_class.__mro__:
        if cls.__module__ in modules:
            _collect(vars(cls), functions)
    for name in modules:
        module = vars(sys.modules[name]) if name in sys.modules else {}
        own = {key: value for key, value in module.items() if getattr(value, "__module__", None) == name}
        _collect(own, functions)
        for value in own.values():
            if isinstance(value, type):
                _collect(vars(value), functions)
    facts = sorted(f"{each.__qualname__} {_facts(each)}" for each in functions.values())
    return hashlib.sha256("\n".join(facts).encode("utf-8", "backslashreplace")).hexdigest()[:16]


def _collect(namespace: Any, functions: dict[int, FunctionType]) -> None:
    for value in list(namespace.values()):
        for function in _functions_in(value):
            _collect_function(function, functions)


def _collect_function(function: FunctionType, functions: dict[int, FunctionType]) -> None:
    if id(function) in functions:
        return
    functions[id(function)] = function
    # What a decorator wrapped: it is in a cell of the wrapper, or in `__wrapped__`.
    for inside in (*_cells(function), getattr(function, "__wrapped__", None)):
        if isinstance(inside, FunctionType):
            _collect_function(inside, functions)


def _functions_in(value: object) -> Iterator[FunctionType]:
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, staticmethod | classmethod):
        yield from _functions_in(value.__func__)
    elif isinstance(value, property):
        for accessor in (value.fget, value.fset, value.fdel):
            yield from _functions_in(accessor)
    elif isinstance(value, cached_property):
        yield from _functions_in(value.func)
    elif isinstance(wrapped := getattr(value, "__wrapped__", None), FunctionType):
        yield wrapped


def _cells(function: FunctionType) -> Iterator[object]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:
            continue  # not filled yet


def _facts(function: FunctionType) -> str:
    names = _names(function.__code__)
    constants = [
        (name, function.__globals__[name])
        for name in sorted(names)
        if type(function.__globals__.get(name, ...)) in _CONSTANTS and not name.startswith("__")
    ]
    return f"{_code_facts(function.__code__)} {constants!r}{_version(function)}"


def _version(function: FunctionType) -> str:
    """Of which version a body is decides which flows run it, and stands in no code."""
    mark = mark_of(function)
    if not isinstance(mark, FlowMark) or (mark.version == 1 and mark.of is None):
        return ""
    return f" version {mark.version} of {mark.of}"


def _names(code: CodeType) -> set[str]:
    inner = (const for const in code.co_consts if isinstance(const, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _code_facts(code: CodeType) -> str:
    return repr(
        (
            code.co_name,
            code.co_argcount,
            code.co_posonlyargcount,
            code.co_kwonlyargcount,
            code.co_flags,
            code.co_code,
            code.co_names,
            code.co_varnames,
            code.co_freevars,
            code.co_cellvars,
            code.co_exceptiontable,
            [_const_facts(const) for const in code.co_consts],
        )
    )


def _const_facts(const: object) -> str:
    if isinstance(const, CodeType):
        return _code_facts(const)
    if isinstance(const, tuple):
        return f"({', '.join(map(_const_facts, const))})"
    if isinstance(const, frozenset):
        return f"{{{', '.join(sorted(map(_const_facts, const)))}}}"
    return repr(const)
