"""G5: a flow with a name of its own goes on when its class is renamed and moved."""

from __future__ import annotations

import asyncio
import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from persistasaurus import Engine
from persistasaurus.testing import InMemoryLog

SOURCE = """
from persistasaurus import flow, signal, step, wait_for_signal


class {name}:
    @flow(name="billing")
    async def bill(self, customer: str) -> str:
        amount = await self.measure(customer)
        return f"{{customer}} pays {{amount}}, says {{await wait_for_signal(self.approved)}}"

    @step
    async def measure(self, customer: str) -> int:
        return 10

    @signal
    async def approved(self, by: str) -> str:
        return by
"""


def compiled(folder: Path, package: str, name: str) -> Any:
    """The proxy of the flow class under a name, in a package of its own."""
    place = folder / package
    place.mkdir()
    (place / "__init__.py").touch()
    (place / "flows.py").write_text(SOURCE.format(name=name))
    subprocess.run([sys.executable, "-m", "persistc", "generate", package], cwd=folder, check=True, capture_output=True)
    return getattr(importlib.import_module(f"{package}.flows_durable"), f"Durable{name}")


def test_a_named_flow_in_flight_goes_on_under_another_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = compiled(tmp_path, "billing_before", "BillingFlow")
    after = compiled(tmp_path, "billing_after", "InvoiceFlow")
    log = InMemoryLog()

    async def leave_it_under_way() -> None:
        async with Engine(log, flows=[before()]) as engine:
            await engine.get_flow(before, "b-1").bill.start("alice")  # with its first call on record

    async def go_on() -> list[str]:
        async with Engine(log, flows=[after()]) as engine:
            flow = engine.get_flow(after, "b-1")
            await flow.approved.send("bob")
            result = await flow.bill.result()
            return [result, *(call.name for call in await flow.history())]

    asyncio.run(leave_it_under_way())
    assert [row.method_name for row in log.invocations("b-1")] == ["measure"]
    assert asyncio.run(go_on()) == ["alice pays 10, says bob", "measure", "approved"]
