"""Flow classes with steps of a class in another package."""

from persistasaurus import flow, step, wait_for_signal

from .shared import NotifyingFlow


class Receipt(Exception):
    """Another thing by the name of one that the inherited steps use."""


class AskingFlow(NotifyingFlow):
    @flow
    async def ask(self, name: str) -> str:
        """Ask a person and wait for the answer."""
        try:
            await self.notify(await self.look_up_address(name))
        except Receipt:
            return "nobody"
        return await wait_for_signal(self.answered)

    @step
    async def look_up_address(self, name: str) -> str:
        return f"{name}@example.com"


class UrgentlyAskingFlow(AskingFlow):
    """Inherits everything, its flow too."""
