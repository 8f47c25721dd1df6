"""What generated methods and flow bodies call: it finds the flow that is running and hands the call to it."""

from __future__ import annotations

import logging
from asyncio.events import _get_running_loop
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, NoReturn, ParamSpec, TypeVar, cast, overload

from persistasaurus import branches
from persistasaurus.clock import microseconds
from persistasaurus.errors import NotInFlow, NotRunByEngine, SignalCalledDirectly, StepOutsideFlow
from persistasaurus.execution import Execution
from persistasaurus.flow_loop import FlowLoop, Nothing
from persistasaurus.marks import FlowMark, SignalMark, mark_of
from persistasaurus.proxies import FlowClass, Method
from persistasaurus.step_info import in_step

P = ParamSpec("P")
R = TypeVar("R")


def running_execution() -> Execution | None:
    """The flow whose body is calling, None outside of flow bodies."""
    loop = _get_running_loop()
    return cast(Execution, loop.owner) if loop.__class__ is FlowLoop else None


async def step(body: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """An async step of a proxy was called."""
    loop = _get_running_loop()
    if loop.__class__ is FlowLoop:
        if loop.dead:
            await loop.refuse_in_task()
        return cast(R, await loop.owner.calling.step(body.__self__, body.__name__, args, kwargs))  # type: ignore[attr-defined]
    if in_step():
        return await body(*args, **kwargs)
    _refuse_step(body)


def plain_step(body: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """A plain step of a proxy was called."""
    loop = _get_running_loop()
    if loop.__class__ is FlowLoop:
        if loop.dead:
            refuse_plain(loop)
        execution = loop.owner
        return cast(R, execution.wait_plain(execution.calling.step(body.__self__, body.__name__, args, kwargs)))  # type: ignore[attr-defined]
    if in_step():
        return body(*args, **kwargs)
    _refuse_step(body)


async def flow(body: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """An async flow method of a proxy was called."""
    _refuse_flow(body)


def plain_flow(body: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """A plain flow method of a proxy was called."""
    _refuse_flow(body)


async def signal(body: Callable[P, Coroutine[Any, Any, R]], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """An async signal method of a proxy was called."""
    if in_step() and running_execution() is None:
        return await body(*args, **kwargs)
    _refuse_signal(body)


def plain_signal(body: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """A plain signal method of a proxy was called."""
    if in_step() and running_execution() is None:
        return body(*args, **kwargs)
    _refuse_signal(body)


@overload
def wait_for_signal(
    signal: Callable[..., Coroutine[Any, Any, R]], *, timeout: timedelta | None = None, key: str | None = None
) -> Coroutine[Any, Any, R]: ...
@overload
def wait_for_signal(signal: Callable[..., R], *, timeout: timedelta | None = None, key: str | None = None) -> R: ...
def wait_for_signal(signal: Callable[..., Any], *, timeout: timedelta | None = None, key: str | None = None) -> Any:
    """Wait in a flow body until a signal is sent, and return what the signal method makes of it.

    Async flows await it, with an async signal method; plain flows call it, with a plain one. Signals that came before
    the wait are taken first, in the order in which they were sent (G8).

    Args:
        signal: The signal method of the flow's own class, `self.confirm_email_address`.
        timeout: How long to wait; for ever if left out.
        key: Take only signals sent with this key, `instance.approve.keyed("alice").send(...)`, so that one signal
            method serves several named waits; without it, those sent without a key.

    Returns:
        The result of the signal method, which runs as a step with the arguments that were sent.

    Raises:
        SignalTimeout: No signal came in time.
        NotInFlow: Not called in a flow body.
        TypeError: Not a signal of the flow's class, or a plain one in an async flow.
    """
    if timeout is not None and not isinstance(timeout, timedelta):
        raise TypeError(f"wait_for_signal(timeout={timeout!r}): give a timedelta, such as timedelta(days=7)")
    if timeout is not None and timeout < timedelta():
        raise ValueError(f"wait_for_signal(timeout={timeout!r}): give a timeout of zero or more, or None")
    method = _signal_method(signal)
    limit = None if timeout is None else microseconds(timeout)
    if method.is_async:
        return _wait_for_signal(method, key, limit)
    execution = running_execution()
    if execution is None:
        _refuse_wait(method.class_name, method.name)
    if not branches.in_branch():
        raise TypeError(
            f"{method.class_name}.{method.name} is a plain signal and this flow is async: make the signal `async def`"
        )
    if execution.dead:
        refuse_plain(execution.loop)
    return execution.wait_plain(execution.calling.wait_for_signal(method, key, limit))


async def _wait_for_signal(method: Method, key: str | None, timeout: int | None) -> Any:
    execution = running_execution()
    if execution is None:
        _refuse_wait(method.class_name, method.name)
    if execution.dead:
        await execution.loop.refuse_in_task()
    return await execution.calling.wait_for_signal(method, key, timeout)


def _signal_method(signal: Callable[..., Any]) -> Method:
    proxy = getattr(signal, "__self__", None)
    flow_class = getattr(type(proxy), "__persistasaurus__", None)
    name = getattr(signal, "__name__", repr(signal))
    if not isinstance(flow_class, FlowClass):
        if isinstance(mark_of(signal), SignalMark) and proxy is not None:
            _refuse_wait(type(proxy).__name__, name)
        raise TypeError(
            f"wait_for_signal({name}): give a signal method of a proxy, `self.{name}`; "
            "a flow class is run by an engine as its generated proxy"
        )
    method = flow_class.methods.get(name)
    if method is None or method.kind != "signal":
        raise TypeError(f"wait_for_signal({name}): {flow_class.name}.{name} is not marked @signal")
    execution = running_execution()
    if execution is not None and proxy is not execution.proxy:
        raise TypeError(
            f"wait_for_signal({name}): a flow of {execution.flow_class.name} waits for signals of its own class, "
            f"this one belongs to another object"
        )
    return method


def refuse_plain(loop: FlowLoop) -> NoReturn:
    """Raise `Evicted` for what plain code asks of a dead loop, or leave it for good when it swallows that."""
    while loop.swallows_evicted and branches.in_branch():
        branches.wait_for(Nothing())
    loop.refuse()


def _name_of(body: Callable[..., Any]) -> tuple[str, str]:
    proxy = getattr(body, "__self__", None)
    flow_class: FlowClass | None = getattr(type(proxy), "__persistasaurus__", None)
    return (flow_class.name if flow_class is not None else type(proxy).__name__), body.__name__


def _refuse_step(body: Callable[..., Any]) -> NoReturn:
    name, step = _name_of(body)
    raise StepOutsideFlow(
        f"step {name}.{step} was called on the proxy Durable{name} outside of a flow and of a step "
        f"(a thread that a flow started is outside, too): it would not be recorded. "
        f"Call it in a flow body, or on an object of {name} itself, where it is a plain method"
    )


def _refuse_flow(body: Callable[..., Any]) -> NoReturn:
    name, flow = _name_of(body)
    execution = running_execution()
    if execution is not None:
        raise NotRunByEngine(
            f"flow {execution.flow_id} ({execution.record.flow.name}) calls the flow {name}.{flow}: "
            f"a flow does not call flows; put what they share into a plain method"
        )
    mark = mark_of(body)
    if isinstance(mark, FlowMark) and mark.of is not None:
        raise NotRunByEngine(
            f"{name}.{flow} is the kept body of version {mark.version} of {name}.{mark.of}: "
            f"an engine runs it for the flows that were started on that version, and starts no others"
        )
    raise NotRunByEngine(
        f"{name}.{flow} is a flow: an engine runs it. Write\n"
        f'    instance = engine.get_flow(Durable{name}, "some-id")\n'
        f"    await instance.{flow}.run(...)"
    )


def _refuse_signal(body: Callable[..., Any]) -> NoReturn:
    name, signal = _name_of(body)
    raise SignalCalledDirectly(
        f"{name}.{signal} is a signal: a flow waits for it with `wait_for_signal(self.{signal})`, "
        f"and `instance.{signal}.send(...)` sends it"
    )


def _refuse_wait(class_name: str, name: str) -> NoReturn:
    raise NotInFlow(
        f"wait_for_signal({name}) belongs into a flow body that an engine runs, in a test "
        f"`Engine(InMemoryLog(), flows=[Durable{class_name}(...)])`"
    )


class _FlowLogger(logging.LoggerAdapter[logging.Logger]):
    """Silent while the flow whose body logs is replayed."""

    def isEnabledFor(self, level: int) -> bool:
        execution = running_execution()
        return (execution is None or not execution.replaying) and super().isEnabledFor(level)


def get_logger(name: str) -> logging.LoggerAdapter[logging.Logger]:
    """A logger for flow bodies: silent while a flow is replayed, so that a line is logged once.

    Args:
        name: The name of the logger, usually `__name__`.
    """
    return _FlowLogger(logging.getLogger(name), {})
