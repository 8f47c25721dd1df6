"""Flow instances: one flow id, with the flows and signals of its class as typed attributes.

Each class here has two faces. On an instance that `Engine` gives, `FlowInstance[Async]`, operations are coroutines; on
one of `BlockingEngine`, `FlowInstance[Blocking]`, they return when done. Which it is stands in the type alone; the code
is the same, and `perform` makes the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Generic,
    NoReturn,
    ParamSpec,
    Protocol,
    TypeVar,
    final,
    overload,
)

from persistasaurus.errors import StaleProxy
from persistasaurus.flow_classes import FlowClass, Method
from persistasaurus.marks import FlowMark, mark_of
from persistasaurus.records import FlowStatus

if TYPE_CHECKING:
    from persistasaurus.history import Invocation


@final
class Async:
    """The face of flow instances whose operations are coroutines."""


@final
class Blocking:
    """The face of flow instances whose operations return when they are done."""


FaceT = TypeVar("FaceT", bound=Async | Blocking)
P = ParamSpec("P")
R = TypeVar("R")
Perform = Callable[[Coroutine[Any, Any, Any]], Any]
"""Turns an operation into what its caller gets: the coroutine itself, or its result."""


class Operations(Protocol):
    """What an open engine does for flow instances."""

    async def run(self, method: Method, flow_id: str, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        """Run a flow to its end."""

    async def start(self, method: Method, flow_id: str, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        """Record a flow and run it in the background."""

    async def result(self, method: Method, flow_id: str, timeout: timedelta | None) -> object:
        """Wait for the end of a flow."""

    async def send(
        self, method: Method, flow_id: str, key: str | None, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        """Send a signal to a flow."""

    async def status(self, flow_id: str) -> FlowStatus:
        """Where a flow stands."""

    async def history(self, flow_id: str) -> list[Invocation]:
        """What is on record of a flow."""

    async def resume(self, flow_id: str) -> None:
        """Let a parked flow go on."""


class FlowInstance(Generic[FaceT]):
    """One flow of a flow class, by its id; get one from `engine.get_flow`."""

    __slots__ = ("_flow_class", "_operations", "_perform", "flow_id")

    def __init__(self, operations: Operations, flow_class: FlowClass, flow_id: str, perform: Perform) -> None:
        self._operations: Final = operations
        self._flow_class: Final = flow_class
        self._perform: Final = perform
        self.flow_id: Final = flow_id

    @overload
    def status(self: FlowInstance[Async]) -> Coroutine[Any, Any, FlowStatus]: ...
    @overload
    def status(self: FlowInstance[Blocking]) -> FlowStatus: ...
    def status(self) -> Any:
        """Where the flow stands.

        Raises:
            UnknownFlow: No flow of this id is on record.
        """
        return self._perform(self._operations.status(self.flow_id))

    @overload
    def history(self: FlowInstance[Async]) -> Coroutine[Any, Any, list[Invocation]]: ...
    @overload
    def history(self: FlowInstance[Blocking]) -> list[Invocation]: ...
    def history(self) -> Any:
        """Every call of the flow that is on record: those of earlier rounds first, then by number.

        Raises:
            UnknownFlow: No flow of this id is on record.
        """
        return self._perform(self._operations.history(self.flow_id))

    @overload
    def resume(self: FlowInstance[Async]) -> Coroutine[Any, Any, None]: ...
    @overload
    def resume(self: FlowInstance[Blocking]) -> None: ...
    def resume(self) -> Any:
        """Let the flow go on after it was parked.

        Raises:
            UnknownFlow: No flow of this id is on record.
        """
        return self._perform(self._operations.resume(self.flow_id))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.flow_id!r}>"


class BoundFlow(Generic[FaceT, P, R]):
    """What can be done with one flow of a flow instance."""

    __slots__ = ("_instance", "_method")

    def __init__(self, instance: FlowInstance[FaceT], method: Method) -> None:
        self._instance: Final = instance
        self._method: Final = method

    if not TYPE_CHECKING:  # a type checker has its own, shorter word on that

        def __call__(self, *args: object, **kwargs: object) -> NoReturn:
            name = self._method.name
            raise TypeError(f"flow {name} is not called: write `.{name}.run(...)` or `.{name}.start(...)`")

    @overload
    def run(self: BoundFlow[Async, P, R], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]: ...
    @overload
    def run(self: BoundFlow[Blocking, P, R], *args: P.args, **kwargs: P.kwargs) -> R: ...
    def run(self, *args: Any, **kwargs: Any) -> Any:
        """Run the flow to its end and return its result; the same id again gives the same result (G7).

        Raises:
            FlowConflict: The id belongs to another flow, or was started with other arguments.
            FlowParked: The flow is parked.
            FlowCancelled: The flow was cancelled.
            ValueNotStorable: An argument cannot be recorded.
        """
        instance = self._instance
        return instance._perform(instance._operations.run(self._method, instance.flow_id, args, kwargs))

    @overload
    def start(self: BoundFlow[Async, P, R], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, None]: ...
    @overload
    def start(self: BoundFlow[Blocking, P, R], *args: P.args, **kwargs: P.kwargs) -> None: ...
    def start(self, *args: Any, **kwargs: Any) -> Any:
        """Record the flow and run it in the background; when this is done the flow survives a crash (G1).

        Raises:
            FlowConflict: The id belongs to another flow, or was started with other arguments.
            FlowParked: The flow is parked.
            ValueNotStorable: An argument cannot be recorded.
        """
        instance = self._instance
        return instance._perform(instance._operations.start(self._method, instance.flow_id, args, kwargs))

    @overload
    def result(self: BoundFlow[Async, P, R], *, timeout: timedelta | None = None) -> Coroutine[Any, Any, R]: ...
    @overload
    def result(self: BoundFlow[Blocking, P, R], *, timeout: timedelta | None = None) -> R: ...
    def result(self, *, timeout: timedelta | None = None) -> Any:
        """Wait for the end of the flow and return its result; at any time, also after a restart.

        Args:
            timeout: How long to wait; the flow goes on when it is over. None waits for ever.

        Raises:
            TimeoutError: The flow has not ended in time.
            UnknownFlow: No flow of this id is on record.
            FlowConflict: The id belongs to another flow.
        """
        instance = self._instance
        return instance._perform(instance._operations.result(self._method, instance.flow_id, timeout))


class BoundSignal(Generic[FaceT, P]):
    """What can be done with one signal of a flow instance."""

    __slots__ = ("_instance", "_key", "_method")

    def __init__(self, instance: FlowInstance[FaceT], method: Method, key: str | None = None) -> None:
        self._instance: Final = instance
        self._method: Final = method
        self._key: Final = key

    if not TYPE_CHECKING:

        def __call__(self, *args: object, **kwargs: object) -> NoReturn:
            raise TypeError(f"signal {self._method.name} is not called: write `.{self._method.name}.send(...)`")

    def keyed(self, key: str) -> BoundSignal[FaceT, P]:
        """The signal for the wait of that key: `wait_for_signal(self.approve, key="alice")`."""
        return BoundSignal(self._instance, self._method, key)

    @overload
    def send(self: BoundSignal[Async, P], *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, None]: ...
    @overload
    def send(self: BoundSignal[Blocking, P], *args: P.args, **kwargs: P.kwargs) -> None: ...
    def send(self, *args: Any, **kwargs: Any) -> Any:
        """Send the signal; when this is done it is durable, whether the flow waits for it yet or not (G8).

        Raises:
            UnknownFlow: No flow of this id is on record.
            FlowEnded: The flow has ended and can read no more signals.
            ValueNotStorable: An argument cannot be recorded.
        """
        instance = self._instance
        return instance._perform(instance._operations.send(self._method, instance.flow_id, self._key, args, kwargs))


class FlowMethod(Generic[P, R]):
    """The attribute of a flow instance for one flow."""

    __slots__ = ("_method_name",)

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method_name: Final = method.__name__

    @overload
    def __get__(self, instance: None, owner: type) -> FlowMethod[P, R]: ...
    @overload
    def __get__(self, instance: FlowInstance[FaceT], owner: type) -> BoundFlow[FaceT, P, R]: ...
    def __get__(self, instance: FlowInstance[FaceT] | None, owner: type) -> FlowMethod[P, R] | BoundFlow[FaceT, P, R]:
        if instance is None:
            return self
        return BoundFlow(instance, instance._flow_class.methods[self._method_name])


class SignalMethod(Generic[P]):
    """The attribute of a flow instance for one signal."""

    __slots__ = ("_method_name",)

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method_name: Final = method.__name__

    @overload
    def __get__(self, instance: None, owner: type) -> SignalMethod[P]: ...
    @overload
    def __get__(self, instance: FlowInstance[FaceT], owner: type) -> BoundSignal[FaceT, P]: ...
    def __get__(self, instance: FlowInstance[FaceT] | None, owner: type) -> SignalMethod[P] | BoundSignal[FaceT, P]:
        if instance is None:
            return self
        return BoundSignal(instance, instance._flow_class.methods[self._method_name])


@overload
def flow_method(method: Callable[Concatenate[Any, P], Coroutine[Any, Any, R]], /) -> FlowMethod[P, R]: ...
@overload
def flow_method(method: Callable[Concatenate[Any, P], R], /) -> FlowMethod[P, R]: ...
def flow_method(method: Callable[..., Any], /) -> FlowMethod[Any, Any]:
    """The attribute for a flow of a proxy: `sign_up = flow_method(DurableSignupFlow.sign_up)`.

    Raises:
        StaleProxy: The flow has become a kept body, on which no flow is started.
    """
    mark = mark_of(method)
    if isinstance(mark, FlowMark) and mark.of is not None:
        proxy = method.__qualname__.rpartition(".")[0]
        raise StaleProxy(
            f"{method.__module__}.{proxy} does not fit any more: {method.__name__}: it is a kept body of {mark.of} "
            f"now, the generated code offers it as a flow. Run `persistc generate`",
            name=method.__module__,
        )
    return FlowMethod(method)


def signal_method(method: Callable[Concatenate[Any, P], Any], /) -> SignalMethod[P]:
    """The attribute for a signal of a proxy."""
    return SignalMethod(method)
