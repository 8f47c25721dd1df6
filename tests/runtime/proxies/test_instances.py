"""A flow instance hands each operation to the engine, and `perform` decides what its caller gets."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from persistasaurus import FlowStatus, Invocation
from persistasaurus.flow_classes import Method
from persistasaurus.instances import FlowInstance, FlowMethod, SignalMethod
from tests.runtime.proxies.modules import generated


class Recorded:
    """Operations that do nothing and remember what they were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    async def run(self, method: Method, flow_id: str, args: tuple[object, ...], kwargs: dict[str, object]) -> object:
        self.asked.append(("run", method.name, flow_id, args, kwargs))
        return "the result"

    async def start(self, method: Method, flow_id: str, args: tuple[object, ...], kwargs: dict[str, object]) -> None:
        self.asked.append(("start", method.name, flow_id, args, kwargs))

    async def result(self, method: Method, flow_id: str, timeout: timedelta | None) -> object:
        self.asked.append(("result", method.name, flow_id, timeout))
        return "the result"

    async def send(
        self, method: Method, flow_id: str, key: str | None, args: tuple[object, ...], kwargs: dict[str, object]
    ) -> None:
        self.asked.append(("send", method.name, flow_id, key, args, kwargs))

    async def status(self, flow_id: str) -> FlowStatus:
        self.asked.append(("status", flow_id))
        return FlowStatus.WAITING

    async def history(self, flow_id: str) -> list[Invocation]:
        self.asked.append(("history", flow_id))
        return []

    async def resume(self, flow_id: str) -> None:
        self.asked.append(("resume", flow_id))


def itself(coroutine: Coroutine[Any, Any, Any]) -> Coroutine[Any, Any, Any]:
    return coroutine


def instance_with(operations: Recorded, perform: Any) -> Any:
    flow_class = generated().DurableOrderFlow.__persistasaurus__
    return flow_class.instance_class(operations, flow_class, "order-1", perform)


NOW = datetime(2024, 1, 1, tzinfo=UTC)


def test_operations_are_coroutines_where_perform_returns_them() -> None:
    operations = Recorded()
    order = instance_with(operations, itself)

    async def main() -> None:
        assert await order.place.run([1], note="n") == "the result"
        await order.place_quickly.start("a", "b", weight=3)
        assert await order.place.result(timeout=timedelta(seconds=1)) == "the result"
        assert await order.place.result() == "the result"
        await order.approve.send("me", at=NOW)
        await order.approve.keyed("manager").send("me", NOW)
        assert await order.status() is FlowStatus.WAITING
        assert await order.history() == []
        await order.resume()

    asyncio.run(main())

    assert operations.asked == [
        ("run", "place", "order-1", ([1],), {"note": "n"}),
        ("start", "place_quickly", "order-1", ("a", "b"), {"weight": 3}),
        ("result", "place", "order-1", timedelta(seconds=1)),
        ("result", "place", "order-1", None),
        ("send", "approve", "order-1", None, ("me",), {"at": NOW}),
        ("send", "approve", "order-1", "manager", ("me", NOW), {}),
        ("status", "order-1"),
        ("history", "order-1"),
        ("resume", "order-1"),
    ]


def test_operations_return_when_done_where_perform_runs_them() -> None:
    operations = Recorded()
    order = instance_with(operations, asyncio.run)

    assert order.place.run([1]) == "the result"
    assert order.status() is FlowStatus.WAITING
    assert [asked[0] for asked in operations.asked] == ["run", "status"]


def test_an_instance_says_its_class_and_id() -> None:
    order: FlowInstance[Any] = instance_with(Recorded(), itself)

    assert order.flow_id == "order-1"
    assert repr(order) == "<OrderFlowInstance 'order-1'>"


def test_on_the_class_a_flow_or_signal_is_the_descriptor() -> None:
    instance_class: Any = generated().OrderFlowInstance

    assert isinstance(instance_class.place, FlowMethod)
    assert isinstance(instance_class.approve, SignalMethod)


def test_an_instance_has_only_the_flows_and_signals() -> None:
    order = instance_with(Recorded(), itself)

    with pytest.raises(AttributeError, match="price"):
        order.price  # noqa: B018
