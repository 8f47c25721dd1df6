"""A flow whose steps use an engine themselves, as any code outside of flow bodies may."""

from __future__ import annotations

from persistasaurus import BlockingEngine, flow, step

from .flows_waiting_durable import DurableWaitingFlow


class NestedFlow:
    def __init__(self) -> None:
        self.engine: BlockingEngine | None = None

    @flow
    async def asks_another_flow(self) -> str:
        return self.ask("inner")

    @flow
    async def asks_another_flow_on_the_loop(self) -> str:
        return await self.ask_on_the_loop("inner")

    @step
    def ask(self, flow_id: str) -> str:
        assert self.engine is not None
        return self.engine.get_flow(DurableWaitingFlow, flow_id).sleeps.run(0)

    @step
    async def ask_on_the_loop(self, flow_id: str) -> str:
        assert self.engine is not None
        return self.engine.get_flow(DurableWaitingFlow, flow_id).sleeps.run(0)
