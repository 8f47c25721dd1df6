"""G4 for plain `def` flows on greenlets, for `parallel()`, and for plain steps in async flows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest

from persistasaurus import NotInFlow, parallel, sleep
from persistasaurus.generated import Async
from persistasaurus.records import Status

from .flows_plain_durable import DurablePlainFlow, PlainFlowInstance
from .machine import Machine, play
from .replaying import Event, comes, ends, live_and_replay
from .scenario import all_is_still, scenario

Flow = PlainFlowInstance[Async]


def replayed(machine: Machine, run: Callable[[Flow], Coroutine[Any, Any, str]], *events: Event) -> str:
    return play(live_and_replay(machine, lambda: DurablePlainFlow(machine.outside), run, *events))


def test_a_plain_flow_runs_its_steps_one_after_the_other(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.one_after_the_other.run(["a", "b"])

    assert replayed(machine, run, ends("a"), ends("b")) == "['A', 'B']"


@pytest.mark.parametrize("order", list(permutations("abc")))
def test_branches_give_their_results_whichever_ends_first(memory_machine: Machine, order: tuple[str, ...]) -> None:
    result = replayed(memory_machine, lambda flow: flow.side_by_side.run(["a", "b", "c"]), *map(ends, order))
    assert result == "['A', 'B', 'C']"


def test_plain_branches_of_several_steps_draw_the_numbers_they_drew_first(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.pairs_side_by_side.run(["a", "b"])

    assert replayed(machine, run, ends("b1"), ends("b2"), ends("a1"), ends("a2")) == "['A1A2', 'B1B2']"
    assert [row.parameters for row in machine.calls("flow-1")[:4]] == [
        '{"name":"a1"}', '{"name":"b1"}', '{"name":"b2"}', '{"name":"a2"}'
    ]  # fmt: skip


def test_a_branch_can_be_waited_for_while_others_run(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.uses_a_result_before_the_others_are_there.run()

    result = replayed(machine, run, comes("slow"), ends("quick"), ends("third"), ends("slow"))
    assert result == "QUICK, slow done: False, THIRD, SLOW"


def test_branches_may_have_branches(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.branches_inside_branches.run()

    assert replayed(machine, run, ends("b2"), ends("a1"), ends("b1"), ends("a2")) == "A1A2 B1B2"


def test_the_first_failing_branch_cancels_the_others(machine: Machine) -> None:
    result = replayed(machine, lambda flow: flow.fails_in_a_branch.run(), comes("slow"), ends("b"))
    assert result == "slow cancelled, (Refused('b'),)"


@scenario
async def test_a_plain_flow_waits_durably_for_time_and_signals(machine: Machine) -> None:
    async with machine.engine(DurablePlainFlow(machine.outside)) as engine:
        await engine.get_flow(DurablePlainFlow, "f").waits.start()
        await machine.waiting("f")
    machine.clock.advance(timedelta(days=2))
    async with machine.engine(DurablePlainFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurablePlainFlow, "f")
        await flow.approved.send("alice")
        await machine.waiting("f")
        assert machine.names("f") == ["timer"]
        machine.clock.advance(timedelta(days=1))
        await machine.waiting("f")
        assert machine.names("f") == ["timer", "approved", "approved"]
        assert await machine.through_time(flow.waits.run()) == "approved by alice, nobody else"


def test_an_async_flow_waits_for_a_plain_step_with_all_its_branches(machine: Machine) -> None:
    result = replayed(
        machine, lambda flow: flow.calls_a_plain_step.run(), comes("a"), comes("plain"), ends_quietly("a")
    )
    assert result == "PLAIN, other done: False, A"


def ends_quietly(name: str) -> Event:
    """The body of a branch ends while the flow waits for a plain step, which then ends, too."""

    async def happen(machine: Machine) -> None:
        machine.outside.open(name)
        await machine.until(lambda: machine.calls("flow-1")[0].return_value is not None)
        await ends("plain")(machine)

    return happen


@scenario
async def test_the_program_goes_on_while_an_async_flow_waits_for_a_plain_step(machine: Machine) -> None:
    machine.outside.shut("plain")
    async with machine.engine(DurablePlainFlow(machine.outside)) as engine:
        blocked = engine.get_flow(DurablePlainFlow, "blocked")
        await blocked.calls_a_plain_step.start()
        await machine.outside.arrived("plain")
        other = engine.get_flow(DurablePlainFlow, "other")
        assert await other.one_after_the_other.run(["x", "y"]) == "['X', 'Y']"
        machine.outside.open("plain")
        assert (await blocked.calls_a_plain_step.result()).startswith("PLAIN")


def test_to_thread_makes_branches_of_plain_steps(machine: Machine) -> None:
    def run(flow: Flow) -> Coroutine[Any, Any, str]:
        return flow.makes_branches_of_plain_steps.run(["a", "b"])

    assert replayed(machine, run, ends("z"), ends("b"), ends("a")) == "['A', 'B', 'Z']"


@scenario
async def test_a_waiting_plain_flow_holds_no_thread(memory_machine: Machine) -> None:
    before = threading.active_count()
    async with memory_machine.engine(DurablePlainFlow(memory_machine.outside)) as engine:
        flow_ids = [f"flow-{number}" for number in range(50)]
        for flow_id in flow_ids:
            await engine.get_flow(DurablePlainFlow, flow_id).waits.start()
        await memory_machine.waiting(*flow_ids)
        assert threading.active_count() == before


@scenario
async def test_a_flow_ends_without_waiting_for_a_plain_body_that_cannot_be_stopped(machine: Machine) -> None:
    machine.outside.shut("slow", "body")
    async with machine.engine(DurablePlainFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurablePlainFlow, "f")
        await flow.leaves_a_plain_step_over.start()
        await machine.outside.arrived("slow")
        machine.outside.open("body")
        assert await flow.leaves_a_plain_step_over.result() == "ended, the other one done: False"
        record = machine.record("f")
        assert [call.status for call in record[1]] == [Status.COMPLETE, Status.CANCELLED]
        machine.outside.open("slow")
        assert await engine.get_flow(DurablePlainFlow, "g").one_after_the_other.run(["x"]) == "['X']"
        await all_is_still()
        assert machine.record("f") == record, "the late outcome was not dropped"


@scenario
async def test_a_branch_started_behind_its_block_is_an_error_that_says_where_it_belongs(machine: Machine) -> None:
    async with machine.engine(DurablePlainFlow(machine.outside)) as engine:
        said = await engine.get_flow(DurablePlainFlow, "f").starts_a_branch_too_late.run()
    assert said == (
        "FIRST, then: `branches.start` of fetch comes too late: its `with parallel()` block has ended, "
        "or ends because a branch has failed. Start branches inside of the block"
    )
    assert machine.names("f") == ["fetch"]


def test_parallel_and_sleep_outside_of_a_plain_flow_say_where_they_belong() -> None:
    with pytest.raises(NotInFlow, match="belongs into a plain flow body"), parallel():
        pass
    with pytest.raises(NotInFlow, match="belongs into a plain flow body"):
        sleep(timedelta(seconds=1))
