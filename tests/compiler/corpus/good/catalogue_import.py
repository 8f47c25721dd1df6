"""An import in pages: several workers share a queue, and what fails is reported at the end."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from itertools import count, islice

from persistasaurus import flow, step

WORKERS = 4
KINDS = ("book", "film", "game")


@dataclass(frozen=True)
class Record:
    sku: str
    kind: str
    stock: int


@dataclass
class Report:
    imported: int
    failed: list[str]
    by_kind: dict[str, int]


def chunked(records: Iterable[Record], size: int) -> Iterator[list[Record]]:
    """Lists of `size` records, the last one perhaps shorter."""
    iterator = iter(records)
    while chunk := list(islice(iterator, size)):
        yield chunk


class CatalogueImport:
    page_size = 100

    def __init__(self, host: str, kinds: Iterable[str] = KINDS) -> None:
        self._host = host
        self._kinds = tuple(kinds)
        self._written = 0

    @flow
    async def import_catalogue(self, catalogue: str) -> Report:
        queue: asyncio.Queue[list[Record] | None] = asyncio.Queue(maxsize=2 * WORKERS)
        failed: list[str] = []
        by_kind: Counter[str] = Counter()

        async def work() -> int:
            done = 0
            while (records := await queue.get()) is not None:
                try:
                    done += await self.write(records)
                except ValueError as error:
                    failed.append(str(error))
                else:
                    by_kind.update(record.kind for record in records)
                finally:
                    queue.task_done()
            return done

        workers = [asyncio.create_task(work()) for _ in range(WORKERS)]
        try:
            async for records in self._pages(catalogue):
                for chunk in chunked(records, 10):
                    await queue.put(chunk)
            await queue.join()
        finally:
            for _ in workers:
                await queue.put(None)
        imported = sum(await asyncio.gather(*workers))
        return Report(imported, failed, {kind: by_kind[kind] for kind in self._kinds})

    @flow
    def import_stock(self, catalogue: str) -> dict[str, list[str]]:
        missing: defaultdict[str, list[str]] = defaultdict(list)
        numbers = count(1)
        while records := self.fetch_plainly(catalogue, next(numbers)):
            known = {record.sku for record in records}
            absent = {record.sku for record in records if not record.stock}
            if known == absent:
                break
            for sku in sorted(absent):
                missing[catalogue].append(sku)
        return dict(missing)

    async def _pages(self, catalogue: str) -> AsyncIterator[list[Record]]:
        for number in count():
            records = await self.fetch(catalogue, number)
            if not records:
                return
            yield records

    @step
    async def fetch(self, catalogue: str, page: int) -> list[Record]:
        return [Record(f"{self._host}/{catalogue}/{page}", "book", 1)] if page < 3 else []

    @step
    def fetch_plainly(self, catalogue: str, page: int) -> list[Record]:
        return [Record(f"{self._host}/{catalogue}/{page}", "book", 1)] if page < 3 else []

    @step
    async def write(self, records: list[Record]) -> int:
        self._written += len(records)
        return len(records)
