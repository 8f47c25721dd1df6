"""What makes a generated class a proxy: its base `Durable`, and the decorator that checks it and describes it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from persistasaurus.errors import ImportedTwice
from persistasaurus.flow_classes import FlowClass, Kind, Method, methods_of
from persistasaurus.staleness import Comparison

__all__ = ["Durable", "FlowClass", "Kind", "Method", "proxy"]

AsyncInstanceT_co = TypeVar("AsyncInstanceT_co", covariant=True)
BlockingInstanceT_co = TypeVar("BlockingInstanceT_co", covariant=True)
ProxyT = TypeVar("ProxyT", bound=type)


class Durable(Generic[AsyncInstanceT_co, BlockingInstanceT_co]):
    """The base of every proxy; its arguments are the flow instances that `Engine` and `BlockingEngine` give for it."""

    __slots__ = ()

    __persistasaurus__: ClassVar[FlowClass]

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        for base in cls.__mro__[1:]:
            if "__persistasaurus__" in vars(base):
                raise TypeError(
                    f"{cls.__qualname__} derives from the proxy {base.__qualname__}; what it overrides would not be "
                    f"recorded: derive from {base.__bases__[0].__qualname__} and run `persistc generate`"
                )


def proxy(*, raises: tuple[type[BaseException], ...] = ()) -> Callable[[ProxyT], ProxyT]:
    """Check a generated class against the user's class and describe it in `__persistasaurus__`.

    Args:
        raises: The exceptions that come back to flows as their own class, builtin ones aside.

    Raises:
        StaleProxy: The user's class has changed since.
        ImportedTwice: The module of the user's class is what runs as the program.
        ValueNotStorable: A parameter or a result has a type that cannot be stored.
        DuplicateFlow: Two bodies of a flow have one version.
        TypeError: A kept body is of no flow of the class, or not older than the flow's own.
    """

    def describe(proxy_class: ProxyT) -> ProxyT:
        name = proxy_class.__bases__[0].__name__
        _refuse_the_program(proxy_class.__bases__[0])
        methods = methods_of(name, Comparison(proxy_class, raises).declared())
        proxy_class.__persistasaurus__ = FlowClass(proxy_class, methods, raises)  # type: ignore[attr-defined]  # it derives from Durable
        return proxy_class

    return describe


def _refuse_the_program(flow_class: type) -> None:
    """Run as a program, a module is `__main__`; imported for its proxies, it is there again under its own name."""
    program = getattr(sys.modules.get("__main__"), "__file__", None)
    imported = getattr(sys.modules.get(flow_class.__module__), "__file__", None)
    if flow_class.__module__ == "__main__" or program is None or imported is None:
        return
    if _is_same_file(program, imported):
        file = os.path.basename(program)
        raise ImportedTwice(
            f"{file} runs as the program and is imported a second time, as {flow_class.__module__}, for its proxies: "
            f"each class in it would be two, and the exceptions and values of one unknown to the other. Keep "
            f"{flow_class.__qualname__} in {file} and put the program into another file, main.py say"
        )


def _is_same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False  # one of them is no file: in a zip archive, say
