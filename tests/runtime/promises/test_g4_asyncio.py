"""G4: asyncio's own tools in a flow body mean what they say, and replay the same way whatever the timing was."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from itertools import permutations
from typing import Any

import pytest

from persistasaurus.generated import Async

from .flows_asyncio_durable import AsyncioFlowInstance, DurableAsyncioFlow
from .machine import Machine, play
from .replaying import Event, comes, ends, live_and_replay, passes, waits

Flow = AsyncioFlowInstance[Async]


def replayed(machine: Machine, run: Callable[[Flow], Coroutine[Any, Any, str]], *events: Event) -> str:
    return play(live_and_replay(machine, lambda: DurableAsyncioFlow(machine.outside), run, *events))


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_gather_gives_results_in_position_order_whichever_branch_ends_first(
    memory_machine: Machine, order: tuple[str, ...]
) -> None:
    result = replayed(memory_machine, lambda flow: flow.gathers.run(["a", "b", "c"]), *map(ends, order))
    assert result == "['A', 'B', 'C']"


def test_gather_of_nothing_is_empty(machine: Machine) -> None:
    assert replayed(machine, lambda flow: flow.gathers.run([])) == "[]"


def test_branches_of_several_steps_draw_the_numbers_they_drew_first(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.gathers_pairs.run(["a", "b"])

    assert replayed(machine, run, ends("b1"), ends("b2"), ends("a1"), ends("a2")) == "['A1A2', 'B1B2']"
    # That branch b went on first is on record, and the replay, in which every body would end at once, kept to it.
    assert [row.parameters for row in machine.calls("flow-1")[:4]] == [
        '{"name":"a1"}', '{"name":"b1"}', '{"name":"b2"}', '{"name":"a2"}'
    ]  # fmt: skip


def test_gather_returns_exceptions_in_place(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.gathers_failures.run(), ends("c"), ends("b"), ends("a"))
    assert result == "['A', Declined('b'), 'C']"


def test_the_other_branches_of_a_failed_gather_go_on(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.goes_on_after_a_gather_failed.run(), comes("a"), ends("b"), ends("a"))
    assert result == "b, other done: False, then A"


def test_a_failure_in_a_task_group_cancels_its_other_branches_nested_ones_too(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.groups.run(), ends("d"), comes("c"), comes("a"), ends("b"))
    assert result == "d ended, a cancelled, c cancelled, (Declined('b'),)"


@pytest.mark.parametrize("winner", ["a", "b", "c", "d"])
def test_replay_picks_the_same_winner_and_iterates_sets_in_the_same_order(memory_machine: Machine, winner: str) -> None:
    names = ["a", "b", "c", "d"]
    result = replayed(memory_machine, lambda flow: flow.takes_the_first.run(names), *map(comes, names), ends(winner))
    losers = [name for name in names if name != winner]
    assert result.startswith(f"['{winner}'] won")
    assert all(f"'{name}'" in result.partition("won")[2] for name in losers)


def test_as_completed_over_tasks_keeps_the_order_of_completion(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.takes_as_completed.run(["a", "b", "c"])

    assert replayed(machine, run, ends("c"), ends("a"), ends("b")) == "['C', 'A', 'B']"


def test_wait_for_gives_up_a_step_that_takes_too_long(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.waits_for_at_most_a_minute.run(), comes("slow"), passes(60))
    assert result == "too late"


def test_wait_for_takes_what_comes_in_time(machine: Machine) -> None:
    run = replayed(machine, lambda flow: flow.waits_for_at_most_a_minute.run(), comes("slow"), passes(59), ends("slow"))
    assert run == "SLOW"


def test_a_timeout_covers_all_that_is_done_in_its_block(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.has_a_minute_for_two.run()

    events = comes("quick"), passes(30), ends("quick"), comes("slow"), passes(30)
    assert replayed(machine, run, *events) == "QUICK, too late"


def test_timeout_at_counts_from_the_time_of_the_last_delivery(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.has_a_minute_from_the_first_step_on.run()

    events = comes("quick"), passes(30), ends("quick"), comes("slow"), passes(60)
    assert replayed(machine, run, *events) == "after 30 s, then 60 s"


def test_a_shielded_step_goes_on_when_its_waiter_is_cancelled(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.shields.run(), comes("slow"), passes(60), ends("slow"))
    assert result == "too late, SLOW"


def test_sleeps_end_in_the_order_in_which_they_are_due(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.naps.run([30, 10, 20])

    seen = replayed(machine, run, waits(), passes(10), waits(), passes(10), waits(), passes(10))
    assert seen == "10 s after 10, 20 s after 20, 30 s after 30"


def test_a_queue_feeds_workers_and_remembers_who_took_what(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.feeds_workers.run(["a", "b", "c", "d"])

    events = comes("a"), ends("b"), ends("c"), ends("a"), ends("d")
    assert replayed(machine, run, *events) == "2 B, 2 C, 1 A, 2 D"


def test_an_event_wakes_those_who_wait_for_it(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.waits_for_an_event.run(), ends("first"), ends("b"), ends("a"))
    assert result == "['FIRST', 'A', 'B']"


def test_a_lock_lets_branches_in_one_after_the_other(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.takes_turns.run(["a", "b", "c"], 1)

    assert replayed(machine, run, ends("a"), ends("b"), ends("c")) == "+a -a +b -b +c -c"


def test_a_semaphore_lets_in_as_many_as_it_says(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.takes_turns.run(["a", "b", "c"], 2)

    assert replayed(machine, run, ends("b"), ends("a"), ends("c")) == "+a +b -b +c -a -c"


def test_an_async_generator_runs_steps_and_closes_in_order(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.generates.run(), ends("a"), ends("b"), comes("finish"))
    assert result == "A B"


def test_context_variables_belong_to_the_task_that_set_them(machine: Machine) -> None:
    assert replayed(machine, lambda flow: flow.keeps_context.run(), ends("b"), ends("a")) == "b a nobody"


def test_one_branch_waits_for_a_signal_while_others_go_on(machine: Machine) -> None:
    async def scenario() -> None:
        async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
            flow = engine.get_flow(DurableAsyncioFlow, "flow-1")
            await flow.goes_on_while_a_branch_waits_for_a_signal.start()
            await machine.waiting("flow-1")
            assert machine.outside.seen == ["a", "b"]
        async with machine.engine(DurableAsyncioFlow(machine.outside)) as engine:
            flow = engine.get_flow(DurableAsyncioFlow, "flow-1")
            await flow.approved.send("alice")
            result = await flow.goes_on_while_a_branch_waits_for_a_signal.result()
        assert result == "A, B, waiting: True, approved by alice"
        assert machine.outside.seen == ["a", "b", "finish"]

    play(scenario())
