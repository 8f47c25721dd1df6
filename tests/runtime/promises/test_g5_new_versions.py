"""G5 across deployments: what may change does, what parks is tried again by an engine with other code."""

from __future__ import annotations

from datetime import timedelta

import pytest

from persistasaurus import FlowParked, FlowStatus

from .flows_billing_v1_durable import DurableBillingFlow as First
from .flows_billing_v2_durable import DurableBillingFlow as Second
from .flows_billing_v3_durable import DurableBillingFlow as Third
from .machine import Machine
from .scenario import all_is_still, scenario


async def begin_with_the_first_version(machine: Machine, flow_id: str = "f") -> None:
    """Run a flow until it waits to be approved."""
    async with machine.engine(First(machine.outside)) as engine:
        await engine.get_flow(First, flow_id).bill.start("alice")
        await machine.waiting(flow_id)


async def park_with_the_third_version(machine: Machine) -> None:
    """Have an engine with code that does not fit try to go on with the flow."""
    async with machine.engine(Third(machine.outside)) as engine:
        await engine.get_flow(Third, "f").approved.send("bob")
        await machine.ended("f")
        assert machine.flow("f").status is FlowStatus.PARKED


@scenario
async def test_defaults_delays_limits_retries_docstrings_and_bodies_of_steps_may_change(machine: Machine) -> None:
    await begin_with_the_first_version(machine)
    async with machine.engine(Second(machine.outside)) as engine:
        flow = engine.get_flow(Second, "f")
        await flow.approved.send("bob")
        assert await flow.bill.run("alice") == "alice paid 10, approved by Bob"
    assert machine.outside.seen == ["measure", "charge 10 EUR", "thank alice"]


@scenario
async def test_a_time_limit_on_its_way_keeps_its_end_though_the_code_has_another(machine: Machine) -> None:
    await begin_with_the_first_version(machine)
    async with machine.engine(Second(machine.outside)) as engine:
        flow = engine.get_flow(Second, "f")
        machine.clock.advance(timedelta(days=7))
        with pytest.raises(TimeoutError, match="no signal approved"):
            await flow.bill.run("alice")


@pytest.mark.parametrize("how", ["run", "start", "result"])
@scenario
async def test_who_asks_for_a_parked_flow_right_after_a_rollback_gets_its_result(machine: Machine, how: str) -> None:
    await begin_with_the_first_version(machine)
    await park_with_the_third_version(machine)
    async with machine.engine(First(machine.outside)) as engine:
        flow = engine.get_flow(First, "f")
        if how == "run":
            result = await flow.bill.run("alice")
        else:
            if how == "start":
                await flow.bill.start("alice")
            result = await flow.bill.result()
    assert result == "alice paid 10, approved by bob"


@scenario
async def test_the_code_that_parked_a_flow_does_not_try_again_by_itself(machine: Machine) -> None:
    await begin_with_the_first_version(machine)
    await park_with_the_third_version(machine)
    record = machine.record("f")
    async with machine.engine(Third(machine.outside)) as engine:
        await all_is_still()
        with pytest.raises(FlowParked, match=r"the code now asks for BillingFlow\.greet"):
            await engine.get_flow(Third, "f").bill.run("alice")
        with pytest.raises(FlowParked):
            await engine.get_flow(Third, "f").bill.result()
    assert machine.record("f") == record
    assert machine.outside.seen.count("version 3 was tried") == 1


@pytest.mark.parametrize("version", [First, Second])
@scenario
async def test_an_engine_with_other_code_goes_on_with_a_parked_flow_by_itself(
    machine: Machine, version: type[First] | type[Second]
) -> None:
    await begin_with_the_first_version(machine)
    await park_with_the_third_version(machine)
    async with machine.engine(version(machine.outside)):
        await machine.until(lambda: machine.flow("f").status is FlowStatus.COMPLETE)
    assert machine.outside.seen.count("measure") == 1  # what was done before it was parked stays done


@scenario
async def test_why_a_flow_is_parked_is_to_be_seen(machine: Machine) -> None:
    await begin_with_the_first_version(machine)
    await park_with_the_third_version(machine)
    async with machine.engine(Third(machine.outside)) as engine:
        [parked] = await engine.flows(status=FlowStatus.PARKED)
        assert parked.flow_id == "f"
        assert "the log holds BillingFlow.measure as step 1" in (parked.return_value or "")
        assert await engine.get_flow(Third, "f").status() is FlowStatus.PARKED
        assert [call.name for call in await engine.get_flow(Third, "f").history()] == [
            "BillingFlow.measure",
            "BillingFlow.approved",
        ]
