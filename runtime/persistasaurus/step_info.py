"""What a running step body may ask about itself."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass

from persistasaurus.errors import NotInStep
from persistasaurus.open_call import OpenCall

current_call: ContextVar[OpenCall | None] = ContextVar("persistasaurus_step", default=None)


@dataclass(frozen=True, slots=True)
class StepInfo:
    """The step whose body is running.

    Attributes:
        flow_id: Its flow.
        step: Its number in the flow, from one.
        attempt: Which attempt this is, from one; attempts that a crash cut off count (G6).
        idempotency_key: The same for every attempt of this step, another for every other step; a step that runs again
            because its failed flow was reopened gets another (G2).
    """

    flow_id: str
    step: int
    attempt: int
    idempotency_key: str


def in_step() -> bool:
    """Whether the caller runs in a step body, or in what it called."""
    return current_call.get() is not None


def step_info() -> StepInfo:
    """The step whose body is running.

    Raises:
        NotInStep: Not called in a step body.
    """
    call = current_call.get()
    if call is None:
        raise NotInStep("step_info() belongs into the body of a step that a flow called, run by an engine")
    flow_id = call.execution.flow_id
    key = f"{flow_id}/{call.step}/{call.method.name}/{call.round}"
    return StepInfo(flow_id, call.step, call.attempts, key)
