"""G4: what would make a flow depend on anything but its deliveries is refused, and the error says what to write."""

from __future__ import annotations

import pytest

from persistasaurus import FlowStatus, NotOnFlowLoop

from .flows_refused import ATTEMPTS
from .flows_refused_durable import DurableRefusedFlow
from .machine import Machine
from .scenario import scenario

INSTEAD = {
    "as_completed_over_coroutines": "make tasks of them first",
    "to_thread": "works for plain steps, anything else goes into a step",
    "run_in_executor": "works for plain steps, anything else goes into a step",
    "call_soon_threadsafe": "do it in a step",
    "run_coroutine_threadsafe": "do it in a step",
    "start_a_task_eagerly": "leave `eager_start` out",
    "handle_a_signal": "handle process signals outside of flows",
    "stop_the_loop": "a flow ends when its body returns",
    "run_until_complete": "write `await`",
}


@pytest.mark.parametrize("attempt", ATTEMPTS)
@scenario
async def test_a_facility_is_refused_and_the_flow_may_go_on(memory_machine: Machine, attempt: str) -> None:
    async with memory_machine.engine(DurableRefusedFlow()) as engine:
        seen = await engine.get_flow(DurableRefusedFlow, "f").attempt.run(attempt)
    refusal, _, rest = seen.partition("; then ")
    assert refusal.startswith("refused: ")
    assert INSTEAD.get(attempt, "do it in a step, whose body runs on the program's own loop") in refusal
    assert rest == "B"
    assert memory_machine.names("f") == ["fetch"]


@scenario
async def test_an_uncaught_refusal_fails_the_flow_with_its_message(machine: Machine) -> None:
    async with machine.engine(DurableRefusedFlow()) as engine:
        flow = engine.get_flow(DurableRefusedFlow, "f")
        for _ in range(2):  # the second time from the log
            with pytest.raises(NotOnFlowLoop, match="a flow body has no threads"):
                await flow.leaves_it_uncaught.run()
        assert await flow.status() is FlowStatus.FAILED
