"""Durable execution for Python programs, without a server.

Mark methods with `@flow`, `@step` and `@signal`, let `persistc generate` write the proxy, and run it with an `Engine`:
after a crash every flow goes on behind its last completed step.
"""

from persistasaurus.blocking import BlockingEngine
from persistasaurus.branches import Branch, Branches, parallel, sleep
from persistasaurus.calls import get_logger, wait_for_signal
from persistasaurus.clock import Alarm, Clock, SystemClock
from persistasaurus.conversions import Json, stored_as
from persistasaurus.engine import Engine
from persistasaurus.errors import (
    BlockingCall,
    CorruptRow,
    DuplicateFlow,
    EngineClosed,
    Evicted,
    FlowCancelled,
    FlowConflict,
    FlowDeadlock,
    FlowEnded,
    FlowError,
    FlowNotRegistered,
    FlowNotReopened,
    FlowParked,
    IncompatibleChange,
    LogError,
    LogInUse,
    LogUnavailable,
    MisuseError,
    NewerSchema,
    NotAnExecutionLog,
    NotInFlow,
    NotInStep,
    NotOnFlowLoop,
    NotRunByEngine,
    NotStorable,
    OutcomeNotStorable,
    PersistasaurusError,
    RecoveryLimit,
    RowRefused,
    SignalCalledDirectly,
    SignalTimeout,
    StaleProxy,
    StepError,
    StepFailed,
    StepInterrupted,
    StepOutsideFlow,
    UnknownFlow,
    ValueNotStorable,
    ValueTooLarge,
)
from persistasaurus.history import FlowSummary, Invocation
from persistasaurus.log import ExecutionLog
from persistasaurus.marks import flow, signal, step
from persistasaurus.records import FlowStatus, Kind, Status
from persistasaurus.retry import Retry
from persistasaurus.settings import EngineOptions
from persistasaurus.step_info import StepInfo, step_info

__version__ = "0.1.0"

__all__ = [
    "Alarm",
    "BlockingCall",
    "BlockingEngine",
    "Branch",
    "Branches",
    "Clock",
    "CorruptRow",
    "DuplicateFlow",
    "Engine",
    "EngineClosed",
    "EngineOptions",
    "Evicted",
    "ExecutionLog",
    "FlowCancelled",
    "FlowConflict",
    "FlowDeadlock",
    "FlowEnded",
    "FlowError",
    "FlowNotRegistered",
    "FlowNotReopened",
    "FlowParked",
    "FlowStatus",
    "FlowSummary",
    "IncompatibleChange",
    "Invocation",
    "Json",
    "Kind",
    "LogError",
    "LogInUse",
    "LogUnavailable",
    "MisuseError",
    "NewerSchema",
    "NotAnExecutionLog",
    "NotInFlow",
    "NotInStep",
    "NotOnFlowLoop",
    "NotRunByEngine",
    "NotStorable",
    "OutcomeNotStorable",
    "PersistasaurusError",
    "RecoveryLimit",
    "Retry",
    "RowRefused",
    "SignalCalledDirectly",
    "SignalTimeout",
    "StaleProxy",
    "Status",
    "StepError",
    "StepFailed",
    "StepInfo",
    "StepInterrupted",
    "StepOutsideFlow",
    "SystemClock",
    "UnknownFlow",
    "ValueNotStorable",
    "ValueTooLarge",
    "__version__",
    "flow",
    "get_logger",
    "parallel",
    "signal",
    "sleep",
    "step",
    "step_info",
    "stored_as",
    "wait_for_signal",
]
