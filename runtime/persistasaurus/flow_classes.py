"""What the runtime knows of a flow class: its flows, steps and signals, their codecs and options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from inspect import Parameter
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Literal, Never, NoReturn

from persistasaurus.clock import microseconds
from persistasaurus.code_digest import code_digest
from persistasaurus.codecs import ValueCodec
from persistasaurus.errors import ValueNotStorable
from persistasaurus.failures import FailureCodec
from persistasaurus.marks import FlowMark, Mark, SignalMark, StepMark
from persistasaurus.parameters import ParametersCodec
from persistasaurus.records import full_name
from persistasaurus.retry import Retry
from persistasaurus.versions import bodies_by_version

if TYPE_CHECKING:
    from persistasaurus.instances import FlowInstance

Kind = Literal["flow", "step", "signal"]

KINDS: Final[dict[type, Kind]] = {FlowMark: "flow", StepMark: "step", SignalMark: "signal"}


@dataclass(frozen=True, slots=True)
class Declared:
    """A flow, step or signal as the user's class and its proxy declare it.

    Attributes:
        name: Its name.
        function: The user's method.
        mark: What its decorator said.
        override: The method of the proxy; its signature makes the codecs.
        hints: The types in that signature, resolved.
    """

    name: str
    function: FunctionType
    mark: Mark
    override: FunctionType
    hints: dict[str, Any]


class Method:
    """A flow, a step or a signal of a flow class."""

    __slots__ = (
        "at_most_once",
        "class_name",
        "delay_us",
        "function",
        "is_async",
        "kept_for",
        "kind",
        "mark",
        "name",
        "parameters",
        "recorded_class",
        "recorded_name",
        "result",
        "retry",
        "version",
        "where",
    )

    def __init__(self, class_name: str, declared: Declared, flow_name: str | None = None) -> None:
        """Describe it.

        Args:
            class_name: The name of the user's flow class.
            declared: What the class and its proxy say about it.
            flow_name: The name of its own that the flow has of which this is a kept body.

        Raises:
            ValueNotStorable: A parameter or the result has a type that cannot be stored.
        """
        name, function, mark = declared.name, declared.function, declared.mark
        code = inspect.unwrap(function).__code__
        label = f"{class_name}.{name} ({code.co_filename}:{code.co_firstlineno})"
        self.name: Final = name
        self.class_name: Final = class_name
        self.function: Final = function
        self.mark: Final = mark
        self.kind: Final = KINDS[type(mark)]
        self.where: Final = f"{code.co_filename}:{code.co_firstlineno}"
        self.is_async: Final = inspect.iscoroutinefunction(declared.override)
        as_flow = mark if isinstance(mark, FlowMark) else FlowMark()
        self.version: Final = as_flow.version
        self.kept_for: Final = as_flow.of
        recorded = as_flow.name or flow_name
        self.recorded_class: Final = class_name if recorded is None else ""
        self.recorded_name: Final = recorded or as_flow.of or name
        options = mark if isinstance(mark, StepMark) else StepMark()
        self.delay_us: Final[int | None] = None if options.delay is None else microseconds(options.delay)
        self.retry: Final[Retry | None] = options.retry
        self.at_most_once: Final[bool] = options.at_most_once
        self.parameters: Final = ParametersCodec(_without_self(declared.override), declared.hints, label)
        self.result: Final[ValueCodec[Any]] = ValueCodec(_result_type(declared.hints, label), f"the result of {label}")

    def body(self, proxy: object) -> Callable[..., Any]:
        """The user's method, bound to a proxy: what really runs."""
        return MethodType(self.function, proxy)

    @property
    def full_name(self) -> str:
        """The name a flow is recorded under: `Class.method`, or what `@flow(name=...)` says."""
        return full_name(self.recorded_class, self.recorded_name)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.class_name}.{self.name}>"


def methods_of(class_name: str, declared: Iterable[Declared]) -> dict[str, Method]:
    """The flows, steps and signals of a class by name; a kept body is recorded under the name of its flow.

    Raises:
        ValueNotStorable: A parameter or a result has a type that cannot be stored.
    """
    declared = list(declared)
    marks = {each.name: each.mark for each in declared}
    names: dict[str, str | None] = {}
    for each in declared:
        flow = marks.get(each.mark.of or "") if isinstance(each.mark, FlowMark) else None
        names[each.name] = flow.name if isinstance(flow, FlowMark) else None
    return {each.name: Method(class_name, each, names[each.name]) for each in declared}


class FlowClass:
    """A flow class whose proxy is imported."""

    def __init__(
        self, proxy_class: type, methods: Mapping[str, Method], listed: tuple[type[BaseException], ...]
    ) -> None:
        """Describe it.

        Args:
            proxy_class: The generated class; the user's is its first base.
            methods: Its flows, steps and signals by name, with the kept bodies of its flows.
            listed: The exceptions that come back as their own class (G3).

        Raises:
            DuplicateFlow: Two bodies of a flow have one version.
            TypeError: A kept body is of no flow, or not older than the flow's own.
        """
        user_class = proxy_class.__bases__[0]
        self.name: Final = user_class.__name__
        self.user_class: Final = user_class
        self.proxy_class: Final = proxy_class
        self.methods: Final = {name: method for name, method in methods.items() if method.kept_for is None}
        """Its flows, steps and signals by name."""
        self.bodies: Final = bodies_by_version(methods.values())
        """The bodies of its flows, by name of the flow and version."""
        self.failures: Final = FailureCodec(listed, (cls.__module__ for cls in user_class.__mro__[:-1]))

    @property
    def flows(self) -> list[Method]:
        """Its flows."""
        return [method for method in self.methods.values() if method.kind == "flow"]

    @cached_property
    def digest(self) -> str:
        """A digest of its code (G5)."""
        return code_digest(self.user_class)

    @cached_property
    def instance_class(self) -> type[FlowInstance[Any]]:
        """The generated class of its flow instances."""
        # Named in `Durable["SignupFlowInstance[...]", ...]`, a forward reference: it stands below the proxy.
        for base in getattr(self.proxy_class, "__orig_bases__", ()):
            for argument in getattr(base, "__args__", ()):
                name = getattr(argument, "__forward_arg__", "").partition("[")[0]
                if name:
                    found: type[FlowInstance[Any]] = self._module_of_proxy()[name]
                    return found
        raise TypeError(f"{self.proxy_class.__qualname__} does not say its flow instance; run `persistc generate`")

    def _module_of_proxy(self) -> Mapping[str, Any]:
        methods = (value for value in vars(self.proxy_class).values() if isinstance(value, FunctionType))
        return next(methods).__globals__

    def __repr__(self) -> str:
        return f"<flow class {self.name}>"


def _without_self(function: FunctionType) -> inspect.Signature:
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[1:], return_annotation=Parameter.empty)


def _result_type(hints: Mapping[str, Any], label: str) -> Any:
    if "return" not in hints:
        raise ValueNotStorable(f"{label} has no return annotation; write the type it returns, or None")
    # A step that only ever raises has no result to store.
    return type(None) if hints["return"] in (NoReturn, Never) else hints["return"]
