"""What earlier systems of this kind got wrong, each shown not to be wrong here."""

from __future__ import annotations

import itertools
import threading
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from persistasaurus import FlowStatus, Status

from .flows_failing import Declined, Flaky
from .flows_failing_durable import DurablePayFlow
from .flows_orders_durable import DurablePlainShipmentFlow, DurableShipmentFlow
from .flows_signals_durable import DurableApprovalFlow, DurablePlainApprovalFlow
from .flows_values_durable import DurableValuesFlow
from .machine import Machine, Outside
from .scenario import all_is_still, scenario


@scenario
async def test_signals_do_not_live_in_memory(machine: Machine, outside: Outside) -> None:
    """They were lost on restart, and an error when they came before the wait."""
    outside.shut("prepare")
    async with machine.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        await approval.prepare_and_ask.start()
        await outside.arrived("prepare")
        await approval.approve.send("alice")
        after = machine.crashed()
    outside.open("prepare")
    async with after.engine(DurableApprovalFlow(outside)) as engine:
        approval = engine.get_flow(DurableApprovalFlow, "a1")
        assert await approval.prepare_and_ask.result() == "approved by alice"


@scenario
async def test_caught_failures_are_logged(machine: Machine, outside: Outside) -> None:
    """They were thrown away, and replay took another branch: the bank that had said no might say yes by then."""
    outside.refuse("charge", Declined("no money"))
    outside.shut("bill")
    async with machine.engine(DurablePayFlow(outside)) as engine:
        await engine.get_flow(DurablePayFlow, "p1").pay_or_bill.start(5)
        await outside.arrived("bill")
        after = machine.crashed()
    outside.open("bill")
    async with after.engine(DurablePayFlow(outside)) as engine:
        payment = engine.get_flow(DurablePayFlow, "p1")
        assert await payment.pay_or_bill.result() == "billed 5: no money"
        assert [call.status for call in await payment.history()] == [Status.FAILED, Status.COMPLETE]
    assert outside.seen == ["charge", "bill", "bill"]


async def until_complete(machine: Machine, steps: int) -> None:
    """Wait until so many steps of the shipment are complete on record."""
    await machine.until(lambda: machine.statuses("s1").count(Status.COMPLETE) == steps)


@pytest.mark.parametrize("order", list(itertools.permutations("abc")), ids="".join)
@pytest.mark.parametrize("plain", [False, True])
@scenario
async def test_timing_does_not_decide_which_result_a_replayed_parallel_step_gets(
    machine: Machine, outside: Outside, plain: bool, order: tuple[str, str, str]
) -> None:
    """Parallel steps drew numbers from one shared counter, in whatever order threads came by."""
    first, second, third = order
    outside.shut(*(f"{what} {name}" for name in order for what in ("print", "hand over")))
    proxies = DurableShipmentFlow(outside), DurablePlainShipmentFlow(outside)
    # Live, the branches go on in this order, and the process dies when the first one is through ...
    async with machine.engine(*proxies) as engine:
        shipment = engine.get_flow(DurableShipmentFlow, "s1")
        plain_shipment = engine.get_flow(DurablePlainShipmentFlow, "s1")
        await (plain_shipment if plain else shipment).ship_all.start(["a", "b", "c"])
        for done, what in enumerate((f"print {first}", f"print {second}", f"hand over {first}"), start=1):
            await outside.arrived(what)
            outside.open(what)
            await until_complete(machine, done)
        after = machine.crashed()
    # ... and after the restart the last one overtakes the second.
    async with after.engine(*proxies) as engine:
        shipment = engine.get_flow(DurableShipmentFlow, "s1")
        plain_shipment = engine.get_flow(DurablePlainShipmentFlow, "s1")
        for what in (f"print {third}", f"hand over {third}", f"hand over {second}"):
            await outside.arrived(what, times=2 if what != f"hand over {third}" else 1)
            outside.open(what)
        result = await (plain_shipment if plain else shipment).ship_all.result()
    assert result == [f"{name} with the label of {name}" for name in "abc"]
    assert [outside.seen.count(f"{what} {first}") for what in ("print", "hand over")] == [1, 1]
    assert outside.seen.count(f"print {second}") == 1


@scenario
async def test_a_waiting_flow_holds_no_thread(machine: Machine, outside: Outside) -> None:
    """It held one, of the few hundred that a process has."""
    count = 300
    flow_ids = [f"a{number}" for number in range(count)]
    async with machine.engine(DurablePlainApprovalFlow(outside), DurableApprovalFlow(outside)) as engine:
        before = threading.active_count()
        for flow_id in flow_ids:
            await engine.get_flow(DurablePlainApprovalFlow, flow_id).ask_for_a_day.start()
            await engine.get_flow(DurableApprovalFlow, f"async {flow_id}").ask_for_a_day.start()
        await machine.waiting(*flow_ids)
        assert threading.active_count() <= before + 1
        waits = engine.get_flow(DurablePlainApprovalFlow, flow_ids[-1])
        await waits.approve.send("alice")
        assert await waits.ask_for_a_day.result() == "approved by alice"


@scenario
async def test_a_flow_that_always_fails_is_not_retried_for_ever(machine: Machine, outside: Outside) -> None:
    """It was, at every start of the program."""
    outside.refuse("charge", *[Flaky(str(number)) for number in range(100)])
    async with machine.engine(DurablePayFlow(outside)) as engine:
        with pytest.raises(Flaky):
            await machine.through_time(engine.get_flow(DurablePayFlow, "p1").pay_patiently.run(5))
        after = machine.crashed()
    assert outside.seen == ["charge"] * 3
    async with after.engine(DurablePayFlow(outside)) as engine:
        await all_is_still()
        assert await engine.get_flow(DurablePayFlow, "p1").status() is FlowStatus.FAILED
    assert outside.seen == ["charge"] * 3


@scenario
async def test_values_come_back_from_the_log_with_the_type_they_went_in_with(
    machine: Machine, outside: Outside
) -> None:
    """A datetime came back as a string, a Decimal as a float, an int as another int."""
    live, replayed = DurableValuesFlow(outside), DurableValuesFlow(outside)
    when, price = datetime(2025, 3, 30, 1, 30, tzinfo=UTC), Decimal("12.50")
    outside.shut("pause")
    async with machine.engine(live) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").leave_out.start(when, price)
        await outside.arrived("pause")
        after = machine.crashed()
    outside.open("pause")
    async with after.engine(replayed) as engine:
        await engine.get_flow(DurableValuesFlow, "v1").leave_out.result()
    assert repr(live.flow_saw) == repr(replayed.flow_saw) == repr([(when, price, None)])
