"""Flows that begin tasks and return without them."""

from __future__ import annotations

import asyncio

from persistasaurus import flow, step


class MirrorFlow:
    @flow
    async def mirror(self, urls: list[str]) -> int:
        asyncio.create_task(self.fetch("index"))  # error: PST212
        asyncio.gather(*(self.fetch(url) for url in urls))  # error: PST212
        [asyncio.create_task(self.fetch(url)) for url in urls]  # error: PST212
        forgotten = asyncio.ensure_future(self.fetch("forgotten"))  # error: PST212
        asked = asyncio.create_task(self.fetch("asked"))  # error: PST212
        if asked.done():
            return 0
        kept = []
        for url in urls:
            kept.append(asyncio.create_task(self.fetch(url)))  # error: PST212
        by_url = {}
        for url in urls:
            by_url[url] = asyncio.create_task(self.fetch(url))  # error: PST212
        loop = asyncio.get_running_loop()
        loop.create_task(self.fetch("loop"))  # error: PST212
        listed = [asyncio.create_task(self.fetch(url)) for url in urls]  # error: PST212
        asyncio.get_running_loop().create_task(self.fetch("again"))  # error: PST212
        for each in asyncio.as_completed([self.fetch(url) for url in urls]):  # error: PST211
            await each
        return await self.count(len(urls))

    @step
    async def fetch(self, url: str) -> str:
        return url

    @step
    async def count(self, number: int) -> int:
        return number
