"""Which step `asyncio.to_thread` or `run_in_executor` is to run in a flow body."""

from __future__ import annotations

import contextvars
import functools
from collections.abc import Callable
from typing import Any

from persistasaurus.errors import NotOnFlowLoop
from persistasaurus.flow_classes import FlowClass


def step_in_thread(
    function: Callable[..., Any], args: tuple[Any, ...]
) -> tuple[object, str, tuple[Any, ...], dict[str, Any]]:
    """Unwrap what asyncio wraps round a function for a thread; returns proxy, step, arguments and keywords.

    Raises:
        NotOnFlowLoop: It is no plain step of a proxy.
    """
    kwargs: dict[str, Any] = {}
    while isinstance(function, functools.partial):
        partial = function
        kwargs = {**partial.keywords, **kwargs}
        function, args = partial.func, (*partial.args, *args)
        if isinstance(getattr(function, "__self__", None), contextvars.Context) and function.__name__ == "run":
            function, args = args[0], args[1:]
    proxy = getattr(function, "__self__", None)
    flow_class = getattr(type(proxy), "__persistasaurus__", None)
    method = flow_class.methods.get(function.__name__) if isinstance(flow_class, FlowClass) else None
    if method is None or method.kind != "step" or method.is_async:
        raise NotOnFlowLoop(
            "a flow body has no threads: `await asyncio.to_thread(self.step, ...)` works for plain steps, "
            f"anything else goes into a step, {getattr(function, '__qualname__', function)!r} too"
        )
    return proxy, method.name, args, kwargs
