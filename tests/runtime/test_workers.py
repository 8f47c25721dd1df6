"""Worker threads of plain steps: no job, and no outcome, waits for a job that blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

from persistasaurus.workers import Workers

Job = Callable[[], object]


class Bench:
    """Workers on the running event loop, and what they handed back to it."""

    def __init__(self, limit: int) -> None:
        self.handed_back: list[object] = []
        self._came = asyncio.Event()
        self.workers = Workers[Job](asyncio.get_running_loop(), limit, self._run)

    def _run(self, job: Job) -> Callable[[], None]:
        result = job()
        return lambda: self._hand_back(result)

    def _hand_back(self, result: object) -> None:
        self.handed_back.append(result)
        self._came.set()

    async def until(self, count: int) -> None:
        """Wait until so many jobs have been handed back."""
        async with asyncio.timeout(30):
            while len(self.handed_back) < count:
                self._came.clear()
                await self._came.wait()


def in_a_loop(limit: int, scenario: Callable[[Bench], object]) -> None:
    """Run a scenario with so many threads at most."""

    async def main() -> None:
        bench = Bench(limit)
        try:
            await scenario(bench)  # type: ignore[misc]
        finally:
            bench.workers.stop()

    asyncio.run(main())


def test_jobs_behind_one_that_blocks_are_run_and_handed_back() -> None:
    async def scenario(bench: Bench) -> None:
        go_on = threading.Event()
        bench.workers.submit(lambda: "before")
        bench.workers.submit(lambda: go_on.wait(30))
        for number in range(5):
            bench.workers.submit(lambda number=number: number)  # type: ignore[misc]
        await bench.until(6)
        assert set(bench.handed_back) == {"before", 0, 1, 2, 3, 4}
        go_on.set()
        await bench.until(7)

    in_a_loop(2, scenario)


def test_what_the_only_worker_has_done_is_handed_back_before_it_blocks() -> None:
    async def scenario(bench: Bench) -> None:
        go_on = threading.Event()
        bench.workers.submit(lambda: "before")
        bench.workers.submit(lambda: go_on.wait(30))
        await bench.until(1)
        assert bench.handed_back == ["before"]
        bench.workers.submit(lambda: "behind")
        go_on.set()
        await bench.until(3)
        assert bench.handed_back == ["before", True, "behind"]

    in_a_loop(1, scenario)


def test_as_many_jobs_as_there_may_be_threads_block_at_the_same_time() -> None:
    async def scenario(bench: Bench) -> None:
        together = threading.Barrier(8, timeout=30)
        for _ in range(8):
            bench.workers.submit(together.wait)
        await bench.until(8)
        assert sorted(map(str, bench.handed_back)) == [str(number) for number in range(8)]

    in_a_loop(8, scenario)


def test_every_job_of_many_is_handed_back_once() -> None:
    async def scenario(bench: Bench) -> None:
        for number in range(1000):
            bench.workers.submit(lambda number=number: number)  # type: ignore[misc]
        await bench.until(1000)
        assert sorted(map(int, map(str, bench.handed_back))) == list(range(1000))

    in_a_loop(4, scenario)


def test_a_job_taken_back_is_not_run_and_idle_threads_end() -> None:
    async def scenario(bench: Bench) -> None:
        go_on = threading.Event()
        running = threading.Event()
        threads: list[threading.Thread] = []

        def block() -> str:
            threads.append(threading.current_thread())
            running.set()
            go_on.wait(30)
            return "blocked"

        bench.workers.submit(block)
        assert running.wait(30)
        never: Job = lambda: "never"  # noqa: E731
        bench.workers.submit(never)
        assert bench.workers.withdraw() == [never]
        go_on.set()
        await bench.until(1)
        assert bench.handed_back == ["blocked"]
        bench.workers.stop()
        threads[0].join(30)
        assert not threads[0].is_alive()

    in_a_loop(1, scenario)
