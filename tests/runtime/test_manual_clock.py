"""The clock that tests move."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from persistasaurus.testing import ManualClock


def test_alarms_ring_in_the_order_in_which_they_are_due_and_show_their_own_time() -> None:
    async def watch() -> list[tuple[str, int]]:
        clock = ManualClock(datetime(2025, 1, 1, tzinfo=UTC))
        loop = asyncio.get_running_loop()
        begun = clock.now()
        rung: list[tuple[str, int]] = []
        clock.call_at(begun + 2_000_000, lambda: rung.append(("second", clock.now() - begun)), loop)
        clock.call_at(begun + 1_000_000, lambda: rung.append(("first", clock.now() - begun)), loop)
        clock.call_at(begun + 9_000_000, lambda: rung.append(("later", clock.now() - begun)), loop)
        clock.advance(timedelta(seconds=5))
        return [*rung, ("now", clock.now() - begun)]

    assert asyncio.run(watch()) == [("first", 1_000_000), ("second", 2_000_000), ("now", 5_000_000)]


def test_a_cancelled_alarm_does_not_ring_and_is_not_the_next_one() -> None:
    async def watch() -> timedelta | None:
        clock = ManualClock()
        alarm = clock.call_at(clock.now() + 10, lambda: None, asyncio.get_running_loop())
        alarm.cancel()
        return clock.next_alarm()

    assert asyncio.run(watch()) is None


def test_one_can_wait_until_an_alarm_far_enough_away_is_set() -> None:
    async def watch() -> list[str]:
        clock = ManualClock()
        loop = asyncio.get_running_loop()
        seen: list[str] = []

        async def wait() -> None:
            await clock.until_alarm(timedelta(days=1))
            seen.append("set")

        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0)
        clock.call_at(clock.now() + 1_000_000, lambda: None, loop)
        await asyncio.sleep(0)
        seen.append("short one set")
        clock.call_at(clock.now() + 2 * 86_400_000_000, lambda: None, loop)
        await waiting
        await clock.until_alarm(timedelta(days=2))
        return seen

    assert asyncio.run(watch()) == ["short one set", "set"]
