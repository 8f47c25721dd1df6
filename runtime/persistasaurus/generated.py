"""What generated code may use: the only module of the runtime that it imports."""

from __future__ import annotations

from persistasaurus.calls import flow, plain_flow, plain_signal, plain_step, signal, step
from persistasaurus.instances import (
    Async,
    Blocking,
    FaceT,
    FlowInstance,
    FlowMethod,
    SignalMethod,
    flow_method,
    signal_method,
)
from persistasaurus.proxies import Durable, proxy
from persistasaurus.type_checks import Codec, override

__all__ = [
    "Async",
    "Blocking",
    "Codec",
    "Durable",
    "FaceT",
    "FlowInstance",
    "FlowMethod",
    "SignalMethod",
    "flow",
    "flow_method",
    "override",
    "plain_flow",
    "plain_signal",
    "plain_step",
    "proxy",
    "signal",
    "signal_method",
    "step",
]
