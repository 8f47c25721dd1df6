"""Flows that go by what is another number in every process."""

from __future__ import annotations

from persistasaurus import flow, step


def shard_of(name: str) -> int:
    return hash(name) % 8


class ShardFlow:
    @flow
    async def put(self, name: str) -> None:
        await self.store(hash(name))  # error: PST207
        await self.store(id(name))  # error: PST207
        await self.store(name.__hash__())  # error: PST207
        await self.store(shard_of(name))  # error: PST207
        await self.store(sum(map(hash, name)))  # error: PST207
        await self.store(object.__hash__(self))  # error: PST207
        await self.store(len(name))

    @step
    async def store(self, shard: int) -> None:
        print(hash(shard))
