"""One flow class in three versions of a program, and the code that is generated for each.

`FIRST` has version 1 of its flows. `KEPT` has version 2 and keeps the bodies of version 1, which `SECOND` does not.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

_HEAD = """
import asyncio
from dataclasses import dataclass
from datetime import timedelta

from persistasaurus import flow, signal, sleep, step, wait_for_signal


@dataclass(frozen=True)
class Receipt:
    item: str
    quantity: int
    paid_by: str


class PlacingFlow:
    def __init__(self, outside):
        self.outside = outside
"""

_FIRST_FLOWS = """
    @flow
    async def place(self, item: str, note: str = "") -> str:
        await self.reserve(item)
        paid_by = await wait_for_signal(self.paid)
        await self.ship(item, 1)
        return f"{item} for {paid_by}"

    @flow(name="returns")
    async def take_back(self, item: str) -> int:
        await self.reserve(item)
        await asyncio.sleep(60)
        return 1
"""

_SECOND_FLOWS = """
    @flow(version=2)
    async def place(self, item: str, quantity: int = 1) -> Receipt:
        paid_by = await wait_for_signal(self.paid)
        await self.reserve(item)
        await self.ship(item, quantity)
        return Receipt(item, quantity, paid_by)

    @flow(name="returns", version=2)
    def take_back(self, item: str) -> str:
        sleep(timedelta(seconds=60))
        return self.inspect(item)
"""

_KEPT_BODIES = """
    @flow(version=1, of=place)
    async def place_v1(self, item: str, note: str = "") -> str:
        await self.reserve(item)
        paid_by = await wait_for_signal(self.paid)
        await self.ship(item, 1)
        return f"{item} for {paid_by}"

    @flow(version=1, of=take_back)
    async def take_back_v1(self, item: str) -> int:
        await self.reserve(item)
        await asyncio.sleep(60)
        return 1
"""

_STEPS = """
    @step
    async def reserve(self, item: str) -> None:
        await self.outside.visit(f"reserve {item}")

    @step
    async def ship(self, item: str, quantity: int) -> None:
        await self.outside.visit(f"ship {quantity} {item}")

    @step
    def inspect(self, item: str) -> str:
        self.outside.visit_plain(f"inspect {item}")
        return f"{item} is as new"

    @signal
    async def paid(self, by: str) -> str:
        return by
"""

_PROXY = """
import persistasaurus.generated as _p

from {module} import PlacingFlow, Receipt


@_p.proxy()
class DurablePlacingFlow(
    PlacingFlow,
    _p.Durable["PlacingFlowInstance[_p.Async]", "PlacingFlowInstance[_p.Blocking]"],
):{overrides}

class PlacingFlowInstance(_p.FlowInstance[_p.FaceT]):
    place = _p.flow_method(DurablePlacingFlow.place)
    take_back = _p.flow_method(DurablePlacingFlow.take_back)
    paid = _p.signal_method(DurablePlacingFlow.paid)
"""

_FIRST_OVERRIDES = """
    @_p.override
    async def place(self, item: str, note: str = "") -> str:
        return await _p.flow(super().place, item, note)

    @_p.override
    async def take_back(self, item: str) -> int:
        return await _p.flow(super().take_back, item)
"""

_SECOND_OVERRIDES = """
    @_p.override
    async def place(self, item: str, quantity: int = 1) -> Receipt:
        return await _p.flow(super().place, item, quantity)

    @_p.override
    def take_back(self, item: str) -> str:
        return _p.plain_flow(super().take_back, item)
"""

_KEPT_OVERRIDES = """
    @_p.override
    async def place_v1(self, item: str, note: str = "") -> str:
        return await _p.flow(super().place_v1, item, note)

    @_p.override
    async def take_back_v1(self, item: str) -> int:
        return await _p.flow(super().take_back_v1, item)
"""

_STEP_OVERRIDES = """
    @_p.override
    async def reserve(self, item: str) -> None:
        return await _p.step(super().reserve, item)

    @_p.override
    async def ship(self, item: str, quantity: int) -> None:
        return await _p.step(super().ship, item, quantity)

    @_p.override
    def inspect(self, item: str) -> str:
        return _p.plain_step(super().inspect, item)

    @_p.override
    async def paid(self, by: str) -> str:
        return await _p.signal(super().paid, by)
"""


def _imported(name: str, text: str) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    exec(compile(text, f"{name}.py", "exec", dont_inherit=True), vars(module))
    return module


def _program(module: str, bodies: str, overrides: str) -> Any:
    _imported(module, _HEAD + bodies + _STEPS)
    return _imported(f"{module}_durable", _PROXY.format(module=module, overrides=overrides + _STEP_OVERRIDES))


FIRST = _program("placing_first", _FIRST_FLOWS, _FIRST_OVERRIDES)
KEPT = _program("placing_kept", _SECOND_FLOWS + _KEPT_BODIES, _SECOND_OVERRIDES + _KEPT_OVERRIDES)
SECOND = _program("placing_second", _SECOND_FLOWS, _SECOND_OVERRIDES)
RENUMBERED = _program("placing_renumbered", _FIRST_FLOWS.replace("@flow\n", "@flow(version=2)\n"), _FIRST_OVERRIDES)
"""The first program with another number of its flow, and nothing else changed."""
