"""A scraper: breadth first, a few pages at a time, each page once."""

from __future__ import annotations

import asyncio
from collections import deque
from heapq import heappop, heappush

from persistasaurus import Retry, flow, step

from . import crawl_pages
from .crawl_pages import BLOCKED, Page, absolute, count_visit


class NotFound(Exception):
    pass


class SiteCrawl:
    def __init__(self, user_agent: str, *, at_once: int = 5) -> None:
        self.user_agent = user_agent
        self.at_once = at_once
        self.stats: dict[str, int] = {}

    @flow
    async def crawl(self, start: str, limit: int) -> list[str]:
        frontier = deque([start])
        seen = {start}
        tags: set[str] = set()
        running: set[asyncio.Task[Page | None]] = set()
        while (frontier or running) and len(seen) < limit:
            while frontier and len(running) < self.at_once:
                running.add(asyncio.create_task(self._visit(frontier.popleft())))
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                page = task.result()
                if page is None:
                    continue
                tags.update(page.tags)
                for url in absolute(page):
                    if url not in seen:
                        seen.add(url)
                        frontier.append(url)
        for task in running:
            task.cancel()
        await self.index(sorted(tags))
        return sorted(seen - BLOCKED)

    @flow
    async def crawl_by_rank(self, starts: frozenset[str]) -> dict[str, int]:
        heap: list[tuple[int, str]] = []
        for url in sorted(starts):
            heappush(heap, (len(url), url))
        ranks: dict[str, int] = {}
        limit = asyncio.Semaphore(self.at_once)
        while heap:
            rank, url = heappop(heap)
            if url in ranks:
                continue
            ranks[url] = rank
            async with limit:
                page = await self._visit(url)
            for link in absolute(page) if page is not None else ():
                heappush(heap, (rank + 1, link))
        return dict(sorted(ranks.items(), key=lambda item: item[1]))

    @flow
    async def measure(self, pages: frozenset[str]) -> int:
        hosts: set[str] = set()
        visits = {page: 0 for page in pages}  # noqa: C420 - a comprehension is what is looked at
        letters = 0
        for page in pages:
            letters += len(page)
            hosts.add(page.split("/")[2])
        names = list(hosts)
        names.sort()
        for name in names:
            if await self._visit(f"https://{name}") is not None:
                visits[f"https://{name}"] = 1
        secure = [page for page in pages if page.startswith("https:")]
        return letters + len(secure) + sum(visits.values())

    async def _visit(self, url: str) -> Page | None:
        if any(url.startswith(f"https://{host}") for host in BLOCKED):
            return None
        try:
            page = await asyncio.wait_for(self.fetch(url), timeout=30)
        except (NotFound, TimeoutError):
            return None
        return page if page.host not in crawl_pages.BLOCKED else None

    @step(retry=Retry(max_attempts=3), raises=(NotFound,))
    async def fetch(self, url: str) -> Page:
        self.stats[url] = count_visit(url)
        return Page(url)

    @step
    async def index(self, tags: list[str]) -> None:
        self.stats["tags"] = len(tags)
