"""A flow changes while one is under way: kept with `persistc keep` it ends, left alone it is parked."""

from __future__ import annotations

import pytest

from tests.compiler.keeping.repositories import Repository

BEFORE = """\
from persistasaurus import flow, signal, step, wait_for_signal


class OrderFlow:
    @flow
    async def place_order(self, item: str) -> str:
        customer = await wait_for_signal(self.confirmed)
        return await self._charge(customer, item)

    async def _charge(self, customer: str, item: str) -> str:
        await self.charge(customer)
        return f"{item} for {customer}"

    @signal
    async def confirmed(self, customer: str) -> str:
        return customer

    @step
    async def charge(self, customer: str) -> None:
        print("charge", customer)
"""
NOW = (
    BEFORE.replace("        customer = await", "        await self.reserve(item, count)\n        customer = await")
    .replace("(self, item: str) -> str", "(self, item: str, count: int = 1) -> list[str]")
    .replace(
        "return await self._charge", "return [await self._charge(customer, item) for _ in range(count)]  # _charge"
    )
    .replace('        await self.charge(customer)\n        return f"', '        return f"paid: ')
    + """
    @step
    async def reserve(self, item: str, count: int) -> None:
        print("reserve", count, item)
"""
)
START = """
    from persistasaurus import BlockingEngine
    from app.flows_durable import DurableOrderFlow
    with BlockingEngine("orders.db", flows=[DurableOrderFlow()]) as engine:
        engine.get_flow(DurableOrderFlow, "old").place_order.start("teapot")
"""
GO_ON = """
    from datetime import timedelta
    from persistasaurus import BlockingEngine, FlowParked
    from app.flows_durable import DurableOrderFlow
    with BlockingEngine("orders.db", flows=[DurableOrderFlow()]) as engine:
        new = engine.get_flow(DurableOrderFlow, "new").place_order
        old = engine.get_flow(DurableOrderFlow, "old")
        old.confirmed.send("Ada")
        try:
            print(old.place_order.result(timeout=timedelta(seconds=30)))
        except FlowParked as parked:
            print("parked:", type(parked.reason).__name__)
        new.start("cup", 2)
        engine.get_flow(DurableOrderFlow, "new").confirmed.send("Grace")
        print(new.result(timeout=timedelta(seconds=30)))
"""
NEW = "reserve 2 cup\n['paid: cup for Grace', 'paid: cup for Grace']\n"


@pytest.mark.parametrize(
    ("is_kept", "printed"),
    [(True, f"charge Ada\nteapot for Ada\n{NEW}"), (False, f"parked: IncompatibleChange\n{NEW}")],
    ids=["kept", "not kept"],
)
def test_a_flow_under_way_ends_on_the_body_that_was_kept(repository: Repository, is_kept: bool, printed: str) -> None:
    repository.commit("app/__init__.py", "")
    repository.commit("app/flows.py", BEFORE)
    assert repository.persistc("generate").exit_code == 0
    started = repository.python(START)
    assert (started.exit_code, started.stderr) == (0, "")

    repository.write("app/flows.py", NOW)
    if is_kept:
        assert repository.keep("OrderFlow.place_order").exit_code == 0
    assert repository.persistc("generate").exit_code == 0

    ended = repository.python(GO_ON)
    assert (ended.stdout, ended.exit_code) == (printed, 0), ended.stderr
