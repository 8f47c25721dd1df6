"""`IdleTimeLoop`: its time is skipped when nothing is ready, and whoever decides that knows who could still wake it."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator

import pytest

from persistasaurus.testing.idle_time import IdleTimeLoop

YEAR = 365 * 24 * 3600.0


@pytest.fixture
def loop() -> Iterator[IdleTimeLoop]:
    """A loop that a runner closes."""
    loop = IdleTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.get_loop()
        yield loop


@pytest.mark.parametrize("seconds", [0.001, 5.0, YEAR, 1000 * YEAR])
def test_a_sleep_takes_the_time_it_should_and_none_in_earnest(loop: IdleTimeLoop, seconds: float) -> None:
    async def sleeps() -> float:
        with loop.watched(lambda timer: timer):
            begun = loop.time()
            await asyncio.sleep(seconds)
            return loop.time() - begun

    assert loop.run_until_complete(sleeps()) == pytest.approx(seconds)


def test_the_shorter_sleep_ends_first(loop: IdleTimeLoop) -> None:
    async def sleeps(seconds: float, ended: list[float]) -> None:
        await asyncio.sleep(seconds)
        ended.append(seconds)

    async def both() -> list[float]:
        ended: list[float] = []
        with loop.watched(lambda timer: timer):
            await asyncio.gather(sleeps(2.0, ended), sleeps(1.0, ended), sleeps(YEAR, ended))
        return ended

    assert loop.run_until_complete(both()) == [1.0, 2.0, YEAR]


def test_time_that_was_skipped_stays_skipped(loop: IdleTimeLoop) -> None:
    async def sleeps() -> float:
        with loop.watched(lambda timer: timer):
            begun = loop.time()
            await asyncio.sleep(YEAR)
        await asyncio.sleep(0.001)  # not watched: in earnest
        return loop.time() - begun

    assert YEAR < loop.run_until_complete(sleeps()) < 2 * YEAR


Outside = tuple[Awaitable[object], Callable[[], object]]
"""What is waited for, and what makes it come."""


def a_job(loop: IdleTimeLoop) -> Outside:
    release = threading.Event()
    return loop.run_in_executor(None, release.wait), release.set


def a_thread(loop: IdleTimeLoop) -> Outside:
    release, answered = threading.Event(), loop.create_future()

    def answer() -> None:
        release.wait()
        loop.call_soon_threadsafe(answered.set_result, None)

    threading.Thread(target=answer).start()
    return answered, release.set


def a_connection(loop: IdleTimeLoop) -> Outside:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)

    async def answered() -> None:
        with ours, theirs:
            assert await loop.sock_recv(ours, 100) == b"answer"

    return answered(), lambda: theirs.send(b"answer")


@pytest.mark.parametrize(("outside", "is_job"), [(a_job, True), (a_thread, False), (a_connection, False)])
def test_it_is_known_what_could_wake_it(
    loop: IdleTimeLoop, outside: Callable[[IdleTimeLoop], Outside], is_job: bool
) -> None:
    seen: list[tuple[bool, bool]] = []

    async def waits() -> None:
        awaited, release = outside(loop)

        def when_idle(_: float | None) -> None:
            seen.append((loop.has_jobs, loop.may_be_woken))
            if len(seen) == 1:
                release()

        with loop.watched(when_idle):
            await awaited

    assert not loop.may_be_woken
    loop.run_until_complete(waits())
    assert seen[0] == (is_job, True)
    assert not loop.has_jobs
