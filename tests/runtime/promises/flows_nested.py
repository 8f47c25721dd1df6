"""A flow whose steps use an engine themselves, as any code outside of flow bodies may."""

from __future__ import annotations

from persistasaurus import BlockingEngine, Engine, flow, step

from .flows_asyncio_durable import DurableAsyncioFlow
from .flows_waiting_durable import DurableWaitingFlow


class NestedFlow:
    def __init__(self) -> None:
        self.engine: BlockingEngine | None = None
        self.async_engine: Engine | None = None

    @flow
    async def asks_another_flow(self) -> str:
        return self.ask("inner")

    @flow
    async def asks_another_flow_on_the_loop(self) -> str:
        return await self.ask_on_the_loop("inner")

    @flow
    async def has_another_flow_gather(self, flow_id: str) -> str:
        return await self.have_gathered(flow_id)

    @flow
    async def has_another_flow_delay(self, flow_id: str) -> str:
        return await self.have_delayed(flow_id)

    @step
    def ask(self, flow_id: str) -> str:
        assert self.engine is not None
        return self.engine.get_flow(DurableWaitingFlow, flow_id).sleeps.run(0)

    @step
    async def ask_on_the_loop(self, flow_id: str) -> str:
        assert self.engine is not None
        return self.engine.get_flow(DurableWaitingFlow, flow_id).sleeps.run(0)

    @step
    async def have_gathered(self, flow_id: str) -> str:
        assert self.async_engine is not None
        return await self.async_engine.get_flow(DurableAsyncioFlow, flow_id).gathers.run([flow_id])

    @step
    async def have_delayed(self, flow_id: str) -> str:
        assert self.async_engine is not None
        return await self.async_engine.get_flow(DurableWaitingFlow, flow_id).delays.run()
