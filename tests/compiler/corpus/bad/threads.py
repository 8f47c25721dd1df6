"""Flows that run code beside themselves."""

from __future__ import annotations

import asyncio
import multiprocessing
import threading
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor

from persistasaurus import flow, step


def packed(name: str) -> str:
    return name


class PackFlow:
    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self.pool = pool

    @flow
    async def pack_all(self, name: str) -> None:
        threading.Thread(target=packed).start()  # error: PST208
        with futures.ProcessPoolExecutor() as pool:  # error: PST208
            pool.submit(packed, name)
        self.pool.submit(packed, name)  # error: PST208
        multiprocessing.Process(target=packed)  # error: PST208
        await asyncio.to_thread(packed, name)  # error: PST208
        await asyncio.to_thread(self.helper, name)  # error: PST208
        await asyncio.to_thread(lambda: name)  # error: PST208
        await asyncio.to_thread(self.pack, name)
        await asyncio.gather(*(asyncio.to_thread(self.pack, each) for each in name))
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, packed, name)  # error: PST208
        asyncio.run_coroutine_threadsafe(self.send(name), loop)  # error: PST208
        asyncio.new_event_loop()  # error: PST208
        asyncio.run(self.send(name))  # error: PST208
        await asyncio.wait_for(self.send(name), timeout=3)

    def helper(self, name: str) -> str:
        return name

    @step
    def pack(self, name: str) -> str:
        return name

    @step
    async def send(self, name: str) -> None:
        await asyncio.to_thread(packed, name)
