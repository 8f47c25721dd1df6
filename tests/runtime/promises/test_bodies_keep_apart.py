"""Bodies feel nothing of each other, though they share tasks and threads."""

from __future__ import annotations

import pytest

from .flows_bodies import customer
from .flows_bodies_durable import DurableBodiesFlow
from .machine import Machine, Outside
from .scenario import scenario


@scenario
async def test_what_a_body_puts_in_a_context_variable_is_its_own(machine: Machine, outside: Outside) -> None:
    customer.set("the program")
    outside.shut("greet")
    async with machine.engine(DurableBodiesFlow(outside)) as engine:
        bodies = engine.get_flow(DurableBodiesFlow, "b1")
        await bodies.read_and_write.start()
        await outside.arrived("greet", times=2)
        outside.open("greet")
        assert await bodies.read_and_write.result() == [
            "the program, then alice",
            "the program, then bob",
            "the program",
        ]
    assert customer.get() == "the program"


@scenario
async def test_a_body_feels_nothing_of_the_stop_of_another(machine: Machine, outside: Outside) -> None:
    outside.shut("wait for ever")
    async with machine.engine(DurableBodiesFlow(outside)) as engine:
        felt = await engine.get_flow(DurableBodiesFlow, "b1").after_a_stop.run()
    assert felt == ["out of time"] * 3 + ["asyncio.exceptions.CancelledError"] * 3


@pytest.mark.parametrize("how", ["at once", "later"])
@scenario
async def test_a_body_that_cancels_its_task_cancels_no_other_body(machine: Machine, outside: Outside, how: str) -> None:
    async with machine.engine(DurableBodiesFlow(outside)) as engine:
        felt = await engine.get_flow(DurableBodiesFlow, "b1").after_a_body_that_cancels_its_task.run(how)
    assert felt == ["ended", "untroubled", "untroubled"]


@scenario
async def test_a_body_cancelled_by_itself_has_failed(machine: Machine, outside: Outside) -> None:
    async with machine.engine(DurableBodiesFlow(outside)) as engine:
        felt = await engine.get_flow(DurableBodiesFlow, "b1").cancelled_by_itself.run()
    assert felt == "asyncio.exceptions.CancelledError"
