"""A flow class that other flow classes inherit from; it leaves one step open."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from enum import Enum

from persistasaurus import signal, step

from .values import NotDelivered, Receipt


class Channel(Enum):
    MAIL = "mail"
    PHONE = "phone"


class NotifyingFlow(ABC):
    class Urgency(Enum):
        LOW = "low"
        HIGH = "high"

    @abstractmethod
    @step
    async def look_up_address(self, name: str) -> str: ...

    @step(raises=(NotDelivered,))
    async def notify(
        self, name: str, channel: Channel = Channel.MAIL, urgency: Urgency = Urgency.LOW
    ) -> Mapping[str, Receipt]:
        return {}

    @signal
    async def answered(self, text: str) -> str:
        return text
