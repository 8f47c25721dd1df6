"""Worker threads of plain steps: no job, and no outcome, waits for a job that blocks."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable

import pytest

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
        if isinstance(result, Exception):
            raise result
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


def test_a_thread_that_cannot_be_started_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start
    refusals = 0

    def refuse_the_second(thread: threading.Thread) -> None:
        nonlocal refusals
        if thread.name == "persistasaurus-step-2" and refusals < 2:
            refusals += 1
            raise RuntimeError("can't start new thread")
        start(thread)

    async def scenario(bench: Bench) -> None:
        go_on = threading.Event()
        bench.workers.submit(lambda: go_on.wait(30))
        for number in range(3):
            bench.workers.submit(lambda number=number: number)  # type: ignore[misc]
        go_on.set()
        await bench.until(4)
        assert sorted(map(str, bench.handed_back)) == ["0", "1", "2", "True"]
        assert refusals == 2

    monkeypatch.setattr(threading.Thread, "start", refuse_the_second)
    in_a_loop(8, scenario)


def test_without_any_thread_a_job_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def scenario(bench: Bench) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(threading.Thread, "start", refuse)
            with pytest.raises(RuntimeError, match="can't start new thread"):
                bench.workers.submit(lambda: "refused")
        bench.workers.submit(lambda: "later")
        await bench.until(1)
        assert bench.handed_back == ["later"]

    in_a_loop(8, scenario)


def end_with(outcome: object, done: threading.Semaphore) -> object:
    """A job."""
    done.release()
    return outcome


def test_an_outcome_that_raises_keeps_no_other_back() -> None:
    complaints: list[object] = []

    async def scenario(bench: Bench) -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["exception"]))
        done = threading.Semaphore(0)
        for outcome in (ValueError("of the first"), "second", ValueError("of the third")):
            bench.workers.submit(functools.partial(end_with, outcome, done))
        for _ in range(3):
            assert done.acquire(timeout=30)  # holds the loop up: all three are handed back together
        await bench.until(1)
        while len(complaints) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert bench.handed_back == ["second"]

    in_a_loop(1, scenario)
    assert [str(complaint) for complaint in complaints] == ["of the first", "of the third"]
