"""Follows links from page to page, some at once, in a plain flow and in an async one."""

from __future__ import annotations

import asyncio
import functools
import html
import re
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from operator import attrgetter
from typing import NamedTuple, ParamSpec, TypeVar
from urllib.parse import urljoin, urlsplit

from persistasaurus import flow, get_logger, parallel, sleep, step

P = ParamSpec("P")
R = TypeVar("R")
logger = get_logger(__name__)
_LINK = re.compile(r'href="([^"]+)"')


class Page(NamedTuple):
    address: str
    text: str
    status: int = 200

    @property
    def links(self) -> list[str]:
        return [urljoin(self.address, html.unescape(found)) for found in _LINK.findall(self.text)]


def told(function: Callable[P, R]) -> Callable[P, R]:
    @functools.wraps(function)
    def wrapper(*arguments: P.args, **keywords: P.kwargs) -> R:
        logger.debug("%s%s", function.__name__, arguments)
        return function(*arguments, **keywords)

    return wrapper


@contextmanager
def indented(title: str) -> Iterator[list[str]]:
    lines: list[str] = []
    try:
        yield lines
    finally:
        logger.info("%s: %d lines", title, len(lines))


@told
def is_near(address: str, start: str) -> bool:
    return urlsplit(address).netloc == urlsplit(start).netloc


class ScrapeFlow:
    def __init__(self, most: int, pause: timedelta = timedelta(seconds=1)) -> None:
        self.most, self.pause = most, pause

    @flow
    async def scrape(self, start: str) -> list[str]:
        seen = {start: None}
        waiting = deque([start])
        gate = asyncio.Semaphore(3)
        pages: list[Page] = []

        async def visit(address: str) -> Page:
            async with gate:
                return await self.fetch(address)

        with indented("pages") as lines:
            while waiting and len(seen) < self.most:
                batch = [waiting.popleft() for _ in range(min(3, len(waiting)))]
                async with asyncio.TaskGroup() as group:
                    tasks = [group.create_task(visit(address)) for address in batch]
                for page in map(asyncio.Task.result, tasks):
                    pages.append(page)
                    new = [link for link in page.links if is_near(link, start) and link not in seen]
                    seen.update(dict.fromkeys(new))
                    waiting.extend(new)
                lines.append(f"{len(seen)}")
        return sorted({page.address for page in sorted(pages, key=attrgetter("address"))})

    @flow
    def scrape_plainly(self, addresses: list[str]) -> list[str]:
        with parallel() as branches:
            started = [branches.start(self.fetch_plainly, address) for address in addresses]
        sleep(self.pause)
        return [branch.result() for branch in started]

    @step
    async def fetch(self, address: str) -> Page:
        return Page(address, "")

    @step
    def fetch_plainly(self, address: str) -> str:
        return address
