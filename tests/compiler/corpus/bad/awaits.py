"""A flow that begins steps and forgets them."""

from __future__ import annotations

from persistasaurus import flow, step


class NewsletterFlow:
    @flow
    async def send_all(self, addresses: list[str]) -> int:
        for address in addresses:
            self.send(address)  # error: PST106
        if self.is_over():  # error: PST106
            return 0
        return len(addresses)

    @step
    async def send(self, address: str) -> None:
        print(address)

    @step
    async def is_over(self) -> bool:
        return True
