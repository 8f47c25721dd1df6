"""What the runtime logs, and what a flow body may log."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from persistasaurus import get_logger

from .flows_changes import EditedFlow
from .flows_changes_durable import DurableEditedFlow
from .flows_logged_durable import DurableLoggedFlow
from .flows_signals_durable import DurableApprovalFlow
from .machine import Machine
from .scenario import scenario

FLOWS = "tests.runtime.promises.flows_logged"


def lines(caplog: pytest.LogCaptureFixture, logger: str) -> list[str]:
    """What a logger has said."""
    return [record.getMessage() for record in caplog.records if record.name == logger]


@scenario
async def test_a_flow_logger_says_each_thing_once_however_often_the_flow_is_replayed(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
            await engine.get_flow(DurableLoggedFlow, "f").logs.start("alice")
            await machine.waiting("f")
    async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableLoggedFlow, "f")
        await flow.told.send()
        await flow.logs.result()
    assert lines(caplog, FLOWS) == ["begin alice", "in the step", "worked", "told"]
    assert len(lines(caplog, f"{FLOWS}.careless")) > 1  # what it is there for


@scenario
async def test_a_flow_logger_goes_on_where_the_crash_was(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    machine.outside.shut("alice")
    async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
        await engine.get_flow(DurableLoggedFlow, "f").logs.start("alice")
        await machine.outside.arrived("alice")
        again = machine.crashed()
    machine.outside.open("alice")
    async with again.engine(DurableLoggedFlow(machine.outside)):
        await again.waiting("f")
    assert lines(caplog, FLOWS) == ["begin alice", "in the step", "in the step", "worked"]


@scenario
async def test_a_flow_logger_works_in_plain_flows_and_outside_of_flows(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
        await engine.get_flow(DurableLoggedFlow, "f").logs_in_plain_code.start()
        await machine.waiting("f")
    async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableLoggedFlow, "f")
        await flow.told_plainly.send()
        await flow.logs_in_plain_code.result()
    get_logger(FLOWS).info("outside")
    assert lines(caplog, FLOWS) == ["plain begin", "in the plain step", "plain end", "outside"]


def test_a_flow_logger_keeps_to_its_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    logger = get_logger(FLOWS)
    logger.info("not wanted")
    logger.warning("wanted")
    assert lines(caplog, FLOWS) == ["wanted"]


@scenario
async def test_there_is_a_line_for_what_happens_to_each_step_with_flow_and_number(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="persistasaurus")
    machine.outside.refuse("b", ConnectionError("down"))
    async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableLoggedFlow, "f")
        await flow.does_everything.start()
        await machine.waiting("f")
        machine.clock.advance(timedelta(seconds=10))
        await machine.waiting("f")
    live = lines(caplog, "persistasaurus.flow")
    caplog.clear()
    async with machine.engine(DurableLoggedFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableLoggedFlow, "f")
        await flow.told.send()
        await flow.does_everything.result()
    replayed = lines(caplog, "persistasaurus.flow")

    def of(step: int, said: list[str]) -> list[str]:
        return [line.split()[0] for line in said if f"step={step} flow=f" in line]

    without_skips = [line for line in live if not line.startswith("[SKIP]")]
    assert of(1, without_skips) == ["[RUN]"]
    assert of(2, without_skips) == ["[RUN]", "[RETRY]", "[RUN]"]
    assert of(3, without_skips) == ["[RUN]", "[FAIL]"]
    assert any(line.startswith("[WAIT] LoggedFlow.does_everything flow=f for signal told") for line in live)
    assert [of(step, replayed) for step in (1, 2, 3)] == [["[SKIP]"], ["[SKIP]"], ["[SKIP]"]]
    assert any(line.startswith("[DONE] LoggedFlow.does_everything flow=f") for line in replayed)


@scenario
async def test_parking_is_warned_of_with_flow_and_reason(machine: Machine, caplog: pytest.LogCaptureFixture) -> None:
    async def before(flow: EditedFlow) -> str:
        await flow.wave()
        return await flow.pause()

    async def after(flow: EditedFlow) -> str:
        return await flow.pause()

    machine.outside.shut("pause")
    async with machine.engine(DurableEditedFlow(machine.outside, before)) as engine:
        await engine.get_flow(DurableEditedFlow, "f").order.start()
        await machine.outside.arrived("pause")
    async with machine.engine(DurableEditedFlow(machine.outside, after)):
        await machine.ended("f")
    [warning] = [line for line in lines(caplog, "persistasaurus.flow") if line.startswith("[PARK]")]
    assert "flow=f" in warning
    assert "the log holds EditedFlow.wave as step 1" in warning


@scenario
async def test_a_failed_flow_is_warned_of_with_its_traceback(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    async def order(flow: EditedFlow) -> str:
        raise LookupError("no such dinosaur")

    async with machine.engine(DurableEditedFlow(machine.outside, order)) as engine:
        with pytest.raises(LookupError, match="no such dinosaur"):
            await engine.get_flow(DurableEditedFlow, "f").order.run()
    [record] = [record for record in caplog.records if record.getMessage().startswith("[FAIL] EditedFlow.order flow=f")]
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


@scenario
async def test_a_wait_says_for_which_signals_and_how_long_and_says_it_once(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="persistasaurus.flow")
    async with machine.engine(DurableApprovalFlow(machine.outside)) as engine:
        asked = engine.get_flow(DurableApprovalFlow, "a")
        await asked.ask_each.start(["alice", "bob"])
        await machine.waiting("a")
        await asked.approve.keyed("nobody").send("carol")
        await machine.waiting("a")
        await asked.approve.keyed("alice").send("alice")
        await machine.outside.arrived("approve alice")
        await machine.waiting("a")
        limited = engine.get_flow(DurableApprovalFlow, "b")
        await limited.ask_for_a_day.start()
        await machine.waiting("b")
    until = "2025-01-02T00:00:00+00:00"
    said = [line for line in lines(caplog, "persistasaurus.flow") if line.startswith("[WAIT]")]
    assert list(dict.fromkeys(said)) == [  # once, or once more for each replay
        "[WAIT] ApprovalFlow.ask_each flow=a for one of the signals approve 'alice', approve 'bob'",
        "[WAIT] ApprovalFlow.ask_each flow=a for signal approve 'bob'",
        f"[WAIT] ApprovalFlow.ask_for_a_day flow=b for signal approve, until {until}",
    ]


@scenario
async def test_the_engine_says_which_flows_it_recovers_and_what_closing_waits_for(
    machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="persistasaurus.engine")
    machine.outside.shut("approve alice")
    async with machine.engine(DurableApprovalFlow(machine.outside)) as engine:
        flow = engine.get_flow(DurableApprovalFlow, "a")
        await flow.ask.start()
        await flow.approve.send("alice")
        await machine.outside.arrived("approve alice")
    machine.outside.open("approve alice")
    async with machine.engine(DurableApprovalFlow(machine.outside)) as engine:
        await engine.get_flow(DurableApprovalFlow, "a").ask.result()
    said = lines(caplog, "persistasaurus.engine")
    assert said[0].startswith("the engine closes: 1 step bodies have ")
    assert said[-1] == "flow a (ApprovalFlow.ask) is brought back, with 1 calls on record"
