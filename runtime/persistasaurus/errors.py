"""Every error this package raises, in one tree.

PersistasaurusError
 ├─ FlowError                    a flow, by its id
 │   ├─ UnknownFlow              no flow of that id
 │   ├─ FlowConflict             the id belongs to another flow or to other arguments
 │   ├─ FlowParked               stopped and kept until a person or a new version acts
 │   │   └─ (why) IncompatibleChange, RecoveryLimit, CorruptRow
 │   ├─ FlowCancelled            cancelled from outside
 │   ├─ FlowEnded                a signal for a flow that can read no more
 │   ├─ FlowNotReopened          a failed flow that must not run again
 │   ├─ FlowNotRegistered        no registered flow class has this flow
 │   └─ FlowDeadlock             the flow body waits and nothing is outstanding
 ├─ IncompatibleChange           the code makes other calls than the log holds
 ├─ RecoveryLimit                recovered too often without a new record
 ├─ CorruptRow                   a row of the log cannot be read
 ├─ StepError
 │   ├─ StepFailed               a step raised what is not listed: name, message and traceback as text
 │   ├─ StepInterrupted          an at-most-once step was cut off
 │   └─ SignalTimeout            (also a TimeoutError) no signal came in time
 ├─ NotStorable
 │   ├─ ValueNotStorable         (also a TypeError) an argument that cannot be recorded
 │   │   └─ ValueTooLarge        larger than the log takes
 │   └─ OutcomeNotStorable       a step's outcome that cannot be recorded
 ├─ MisuseError                  (also a RuntimeError) the program calls what cannot be called there
 │   ├─ StepOutsideFlow          a step called on a proxy, neither in a flow nor in a step
 │   ├─ NotRunByEngine           a flow method called on a proxy
 │   ├─ SignalCalledDirectly     a signal is waited for, not called
 │   ├─ NotInFlow                wait_for_signal or parallel outside a flow body
 │   ├─ NotInStep                step_info outside a step body
 │   ├─ NotOnFlowLoop            an asyncio facility a flow body cannot have
 │   ├─ BlockingCall             a BlockingEngine used on a running event loop
 │   ├─ WrongEventLoop           an Engine used on another event loop than its own
 │   ├─ ImportedTwice            (also an ImportError) the program itself is imported for its proxies
 │   └─ EngineClosed             the engine is not open
 ├─ StaleProxy                   (also an ImportError) generated code does not fit the flow class
 ├─ DuplicateFlow                two registered flows of one name, or two bodies of one version
 └─ LogError                     the execution log as a whole
     ├─ LogInUse                 the log object is open already, or the file in an earlier version
     ├─ NotAnExecutionLog        another kind of file
     ├─ NewerSchema              written by a newer version
     ├─ LogUnavailable           the file refuses: full, locked, read-only, damaged
     └─ RowRefused               one row was refused
         └─ ClaimLost            another engine runs the flow
Evicted (BaseException)          the flow left memory; only steers control flow
"""

from __future__ import annotations


class PersistasaurusError(Exception):
    """The root of every error of this package."""


class IncompatibleChange(PersistasaurusError):
    """The flow's code makes other calls than the log holds; the flow is parked and its log untouched (G5)."""


class RecoveryLimit(PersistasaurusError):
    """The flow was recovered too often without making a new record (G10)."""


class CorruptRow(PersistasaurusError):
    """A row of this flow cannot be read (G13)."""


class FlowError(PersistasaurusError):
    """Something about one flow; `flow_id` says which."""

    def __init__(self, flow_id: str, message: str) -> None:
        super().__init__(message)
        self.flow_id = flow_id


class UnknownFlow(FlowError):
    """No flow of that id is on record."""


class FlowConflict(FlowError):
    """The flow id is taken by another flow or by other arguments (G7)."""


class FlowParked(FlowError):
    """The flow is kept and does not run until a person or a new version acts; `reason` says why."""

    def __init__(self, flow_id: str, message: str, reason: Exception | None = None) -> None:
        super().__init__(flow_id, message)
        self.reason = reason


class FlowCancelled(FlowError):
    """The flow was cancelled from outside."""


class FlowEnded(FlowError):
    """The flow has ended and can read no more signals; nothing was stored (G8)."""


class FlowNotReopened(FlowError):
    """The failed flow must not run again: a step that may run at most once is among its failures (G7)."""


class FlowNotRegistered(FlowError):
    """No flow class of this engine has the flow; it is left as it is."""


class FlowDeadlock(FlowError):
    """The flow body waits for something that nothing on record can bring (G4)."""


class StepError(PersistasaurusError):
    """A step that did not end well."""


class StepFailed(StepError):
    """A step raised an exception that is not listed with `raises=`.

    It is also an instance of the nearest listed or builtin ancestor, so that `except` clauses still match (G3).

    Attributes:
        type_name: The qualified name of the exception's class.
        message: Its message.
        traceback_text: Its traceback, as text.
    """

    type_name: str
    message: str
    traceback_text: str

    def __str__(self) -> str:
        return f"{self.type_name}: {self.message}" if self.message else self.type_name


class StepInterrupted(StepError):
    """A step that may run at most once was cut off by a crash; whether it acted is not known (G2)."""


class SignalTimeout(StepError, TimeoutError):
    """No signal came in time (G8)."""


class NotStorable(PersistasaurusError):
    """A value that cannot be recorded."""


class ValueNotStorable(NotStorable, TypeError):
    """An argument that cannot be recorded; no body ran (G12)."""


class ValueTooLarge(ValueNotStorable):
    """An argument that is larger than the log takes (G13)."""


class OutcomeNotStorable(NotStorable):
    """A step's outcome that cannot be recorded; its body has acted, so it is FAILED and not tried again (G3)."""


class MisuseError(PersistasaurusError, RuntimeError):
    """The program calls what cannot be called there."""


class StepOutsideFlow(MisuseError):
    """A step was called on a proxy, neither in a flow body nor in a step."""


class NotRunByEngine(MisuseError):
    """A flow method of a proxy was called without an engine."""


class SignalCalledDirectly(MisuseError):
    """A signal method was called; it is waited for instead."""


class NotInFlow(MisuseError):
    """What only a flow body may do was done elsewhere."""


class NotInStep(MisuseError):
    """What only a step body may ask was asked elsewhere."""


class NotOnFlowLoop(MisuseError):
    """An asyncio facility that a flow body cannot have, because it would not be durable (G4)."""


class BlockingCall(MisuseError):
    """A blocking operation was called on a running event loop."""


class WrongEventLoop(MisuseError):
    """An `Engine` works on the event loop it was opened on, and on no other."""


class ImportedTwice(MisuseError, ImportError):
    """The file that runs as the program holds flow classes: Python would have each of them twice."""


class EngineClosed(MisuseError):
    """The engine is not open."""


class StaleProxy(PersistasaurusError, ImportError):
    """Generated code does not fit the flow class; `persistc generate` brings it up to date."""


class DuplicateFlow(PersistasaurusError):
    """Two registered flows have one name, or two bodies of a flow one version."""


class LogError(PersistasaurusError):
    """The execution log as a whole."""


class LogInUse(LogError):
    """The log object is open in another engine already, or the file in one of an earlier version."""


class NotAnExecutionLog(LogError):
    """The file is something else; it was left as it is."""


class NewerSchema(LogError):
    """The log was written by a newer version of persistasaurus; it was left as it is."""


class LogUnavailable(LogError):
    """The file refuses to be read or written."""


class RowRefused(LogError):
    """One row was refused; its flow stops, others go on."""


class ClaimLost(RowRefused):
    """The flow went to another engine, which goes on with it from what is recorded (G11)."""


class Evicted(BaseException):
    """The flow left memory and is replayed when it is due; flow code must let this pass (G9)."""
