"""Where a step may be called and what it is there; what a step body may ask about itself."""

from __future__ import annotations

import asyncio
import threading

import pytest

from persistasaurus import (
    NotInFlow,
    NotInStep,
    NotRunByEngine,
    SignalCalledDirectly,
    StepInfo,
    StepOutsideFlow,
    step_info,
    wait_for_signal,
)

from .flows_asyncio import AsyncioFlow
from .flows_elsewhere import Body, ElsewhereFlow
from .flows_elsewhere_durable import DurableElsewhereFlow
from .flows_parts_durable import DurablePartsFlow
from .flows_plain import PlainFlow
from .flows_plain_durable import DurablePlainFlow
from .flows_retried_durable import DurableRetriedFlow
from .flows_signals import ApprovalFlow
from .machine import Machine, Outside
from .scenario import scenario


def proxy(machine: Machine, body: Body | None = None) -> DurableElsewhereFlow:
    return DurableElsewhereFlow(machine.outside, DurablePartsFlow(machine.outside), body)


# -- in a flow, in a step ----------------------------------------


@scenario
async def test_a_step_of_another_proxy_belongs_to_the_flow_that_calls_it(machine: Machine) -> None:
    machine.outside.shut("part foreign")
    async with machine.engine(proxy(machine)) as engine:
        await engine.get_flow(DurableElsewhereFlow, "f").calls_steps_of_another_proxy.start()
        await machine.outside.arrived("part foreign")
        assert [row.class_name for row in machine.calls("f")] == ["ElsewhereFlow", "PartsFlow"]
    machine.outside.open("part foreign")
    async with machine.engine(proxy(machine)) as engine:
        flow = engine.get_flow(DurableElsewhereFlow, "f")
        assert await flow.calls_steps_of_another_proxy.result() == "OWN, part foreign"
    assert machine.outside.seen == ["own", "part foreign", "part foreign"]


@scenario
async def test_a_step_called_in_a_step_is_part_of_it(machine: Machine) -> None:
    async with machine.engine(proxy(machine)) as engine:
        flow = engine.get_flow(DurableElsewhereFlow, "f")
        assert await flow.calls_a_step_that_calls_steps.run() == "outer X1 X2, part x"
    assert machine.names("f") == ["outer"]
    assert sorted(machine.outside.seen) == ["part x", "x1", "x2"]


@scenario
async def test_a_step_in_a_thread_that_a_flow_body_started_is_outside_of_the_flow(machine: Machine) -> None:
    async with machine.engine(proxy(machine)) as engine:
        message = await engine.get_flow(DurableElsewhereFlow, "f").calls_a_step_in_a_thread_of_its_own.run()
    assert "a thread that a flow started is outside, too" in message
    assert machine.names("f") == ["note"]


# -- outside of both ----------------------------------------


@scenario
async def test_a_step_of_a_proxy_called_outside_of_a_flow_says_where_to_call_it(memory_machine: Machine) -> None:
    parts = DurablePartsFlow(memory_machine.outside)
    with pytest.raises(StepOutsideFlow, match="Call it in a flow body, or on an object of PartsFlow itself"):
        await parts.fetch_part("x")
    with pytest.raises(StepOutsideFlow, match=r"step PlainFlow\.fetch was called on the proxy DurablePlainFlow"):
        DurablePlainFlow(memory_machine.outside).fetch("x")
    assert memory_machine.outside.seen == []


@scenario
async def test_on_the_users_own_class_steps_and_flows_are_plain_methods() -> None:
    outside = Outside()
    assert await AsyncioFlow(outside).gathers(["a", "b"]) == "['A', 'B']"
    assert PlainFlow(outside).fetch("x") == "X"
    assert outside.seen == ["a", "b", "finish", "x"]


@scenario
async def test_a_flow_method_called_without_an_engine_shows_the_line_to_write(memory_machine: Machine) -> None:
    with pytest.raises(NotRunByEngine) as caught:
        await proxy(memory_machine).calls_steps_of_another_proxy()
    assert 'engine.get_flow(DurableElsewhereFlow, "some-id")' in str(caught.value)
    assert "await instance.calls_steps_of_another_proxy.run(...)" in str(caught.value)
    with pytest.raises(NotRunByEngine):
        DurablePlainFlow(memory_machine.outside).one_after_the_other(["a"])


@scenario
async def test_a_flow_does_not_call_flows(machine: Machine) -> None:
    async def body(flow: ElsewhereFlow) -> str:
        return f"{await flow.fetch('before')}, {await flow.calls_a_step_that_calls_steps()}"

    async with machine.engine(proxy(machine, body)) as engine:
        with pytest.raises(NotRunByEngine, match="a flow does not call flows"):
            await engine.get_flow(DurableElsewhereFlow, "f").does_as_told.run()
    assert machine.names("f") == ["fetch"]


@scenario
async def test_a_signal_is_waited_for_and_not_called(machine: Machine) -> None:
    async def body(flow: ElsewhereFlow) -> str:
        return await flow.told("x")

    async with machine.engine(proxy(machine, body)) as engine:
        with pytest.raises(SignalCalledDirectly, match=r"wait_for_signal\(self\.told\)"):
            await engine.get_flow(DurableElsewhereFlow, "f").does_as_told.run()
    with pytest.raises(SignalCalledDirectly):
        await proxy(machine).told("x")


@scenario
async def test_a_flow_waits_for_signals_of_its_own_class_only(machine: Machine) -> None:
    async def body(flow: ElsewhereFlow) -> str:
        return await wait_for_signal(flow.parts.delivered)

    async with machine.engine(proxy(machine, body)) as engine:
        with pytest.raises(TypeError, match="waits for signals of its own class"):
            await engine.get_flow(DurableElsewhereFlow, "f").does_as_told.run()


@scenario
async def test_a_step_is_nothing_to_wait_for(machine: Machine) -> None:
    async def body(flow: ElsewhereFlow) -> str:
        return await wait_for_signal(flow.fetch)

    async with machine.engine(proxy(machine, body)) as engine:
        with pytest.raises(TypeError, match=r"ElsewhereFlow\.fetch is not marked @signal"):
            await engine.get_flow(DurableElsewhereFlow, "f").does_as_told.run()


@scenario
async def test_a_step_body_cannot_wait_for_signals(machine: Machine) -> None:
    async def body(flow: ElsewhereFlow) -> str:
        return await wait_for_signal(flow.told)

    async with machine.engine(proxy(machine, body)) as engine:
        with pytest.raises(RuntimeError, match=r"wait_for_signal\(told\) belongs into a flow body"):
            await engine.get_flow(DurableElsewhereFlow, "f").has_a_step_do_as_told.run()
    with pytest.raises(NotInFlow):
        await wait_for_signal(proxy(machine).told)


# -- step_info ----------------------------------------


@scenario
async def test_a_step_body_can_ask_for_its_flow_its_number_its_attempt_and_its_key(machine: Machine) -> None:
    retried = DurableRetriedFlow(machine.outside)
    async with machine.engine(retried) as engine:
        await engine.get_flow(DurableRetriedFlow, "f").informs.run()
    assert [(info.flow_id, info.step, info.attempt) for info in retried.infos] == [
        ("f", 1, 1),
        ("f", 2, 1),
        ("f", 3, 1),
    ]
    assert len({info.idempotency_key for info in retried.infos}) == 3


@scenario
async def test_the_idempotency_key_is_the_same_for_every_attempt_across_crashes(machine: Machine) -> None:
    machine.outside.refuse("a", ConnectionError("down"))
    machine.outside.shut("a")
    infos: list[StepInfo] = []
    retried = DurableRetriedFlow(machine.outside)
    async with machine.engine(retried) as engine:
        await engine.get_flow(DurableRetriedFlow, "f").insists.start("a")
        await machine.outside.arrived("a")
        again = machine.crashed()
    infos += retried.infos
    machine.outside.open("a")
    retried = DurableRetriedFlow(machine.outside)
    async with again.engine(retried) as engine:
        assert await again.through_time(engine.get_flow(DurableRetriedFlow, "f").insists.result()) == "a"
    infos += retried.infos
    assert [info.attempt for info in infos] == [1, 2, 3]
    assert len({info.idempotency_key for info in infos}) == 1


@scenario
async def test_keys_of_two_flows_differ(machine: Machine) -> None:
    retried = DurableRetriedFlow(machine.outside)
    async with machine.engine(retried) as engine:
        first = await engine.get_flow(DurableRetriedFlow, "f").informs.run()
        second = await engine.get_flow(DurableRetriedFlow, "g").informs.run()
    assert len({*first, *second}) == 6


def test_step_info_belongs_into_a_step_body() -> None:
    with pytest.raises(NotInStep, match="belongs into the body of a step"):
        step_info()


@scenario
async def test_what_runs_beside_a_step_body_is_not_in_it(memory_machine: Machine) -> None:
    """A task of the program made before the step, and the program itself, know nothing of the step that runs."""
    machine = memory_machine
    machine.outside.shut("x1")
    async with machine.engine(proxy(machine)) as engine:
        await engine.get_flow(DurableElsewhereFlow, "f").calls_a_step_that_calls_steps.start()
        await machine.outside.arrived("x1")
        with pytest.raises(NotInStep):
            step_info()
        with pytest.raises(NotInStep):
            await asyncio.to_thread(step_info)
        caught: list[BaseException] = []

        def elsewhere() -> None:
            try:
                step_info()
            except NotInStep as error:
                caught.append(error)

        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
        assert len(caught) == 1
        machine.outside.open("x1")
        await machine.ended("f")


def test_a_flow_that_waits_for_signals_says_that_it_needs_an_engine_when_it_is_called_on_its_own_class() -> None:
    with pytest.raises(NotInFlow, match=r"wait_for_signal\(approve\) .* an engine runs, .*flows=\[DurableApprovalFlow"):
        asyncio.run(ApprovalFlow(Outside()).ask())
