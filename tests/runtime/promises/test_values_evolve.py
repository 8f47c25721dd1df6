"""Values on record under an older declaration: read where the change is compatible, else parked with the path (G5)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from persistasaurus import CorruptRow, FlowParked, FlowStatus

from .evolving import OTHER, WIDER, compiled
from .machine import Machine
from .scenario import scenario


class Programs:
    """The program as it was, with wider types, and with other types."""

    def __init__(self, before: Any, wider: Any, other: Any) -> None:
        self.before = before
        self.wider = wider
        self.other = other


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """The three programs, compiled."""
    folder = tmp_path_factory.mktemp("evolving")
    return Programs(compiled(folder / "before"), compiled(folder / "wider", *WIDER), compiled(folder / "other", *OTHER))


def engine_of(machine: Machine, program: Any) -> Any:
    """An engine that runs a program."""
    return machine.engine(program.DurableEvolvingFlow(machine.outside))


def flow_of(engine: Any, program: Any) -> Any:
    """The flow instance of a program."""
    return engine.get_flow(program.DurableEvolvingFlow, "f")


def order_of(program: Any, *more: object) -> Any:
    """The order that is on record, as a program has it."""
    line = program.EvolvingFlow.__init__.__globals__["Line"]
    number = float if more else int
    return program.Order("ann", [line("book", number(10), *more), line("pen", number(2), *more)])


PATHS = {
    "keeps_a_result": r"EvolvingFlow\.fetch as step 1: .*Expected `array`, got `int` - at `\$\.lines\[0\]\.price`",
    "keeps_an_argument": r"its arguments on record do not fit the code: .* at `\$\.order\.lines\[0\]\.price`",
    "an unread signal": r"a signal does not fit the code any more: .* at `\$\.order\.lines\[0\]\.price`",
    "a read signal": r"confirmed as step 2: .* at `\$\.order\.lines\[0\]\.price`",
}
"""What a flow keeps on record, and what is said of it when it cannot be read."""

WHAT = pytest.mark.parametrize("what", PATHS)


async def leave_under_way(machine: Machine, program: Any, what: str) -> None:
    """Leave a flow under way that keeps something on record."""
    async with engine_of(machine, program) as engine:
        flow = flow_of(engine, program)
        if what == "keeps_a_result":
            await flow.keeps_a_result.start()
        elif what == "keeps_an_argument":
            await flow.keeps_an_argument.start(order_of(program))
        else:
            await flow.reads_a_signal.start()
        await machine.waiting("f")
        if what == "an unread signal":
            await flow.confirmed.send(order_of(program))
        elif what == "a read signal":
            machine.outside.shut("confirmed")
            await flow.confirmed.send(order_of(program))
            machine.clock.advance(timedelta(minutes=1))
            await machine.outside.arrived("confirmed")


async def bring_to_its_end(machine: Machine, flow: Any, what: str) -> Any:
    """Have the flow run to its end."""
    machine.outside.open("confirmed")
    machine.clock.advance(timedelta(minutes=1))
    if what.startswith("keeps"):
        await flow.told.send("yes")
    method = what if what.startswith("keeps") else "reads_a_signal"
    return await getattr(flow, method).result()


@WHAT
@scenario
async def test_a_flow_under_way_reads_what_is_on_record_with_wider_types(
    machine: Machine, programs: Programs, what: str
) -> None:
    await leave_under_way(machine, programs.before, what)
    async with engine_of(machine, programs.wider) as engine:
        result = await bring_to_its_end(machine, flow_of(engine, programs.wider), what)
    assert result == ("yes" if what == "keeps_an_argument" else order_of(programs.wider, "none", None))


@WHAT
@scenario
async def test_a_flow_that_cannot_read_what_is_on_record_is_parked_with_the_path_and_goes_on_with_the_old_code(
    machine: Machine, programs: Programs, what: str
) -> None:
    await leave_under_way(machine, programs.before, what)
    before = machine.calls("f")
    async with engine_of(machine, programs.other) as engine:
        with pytest.raises(FlowParked, match=PATHS[what]) as parked:
            await bring_to_its_end(machine, flow_of(engine, programs.other), what)
        assert isinstance(parked.value.reason, CorruptRow)
    assert machine.flow("f").status is FlowStatus.PARKED
    if what != "an unread signal":  # the timer before it was delivered
        assert machine.calls("f") == before
    async with engine_of(machine, programs.before) as engine:
        flow = flow_of(engine, programs.before)
        method = getattr(flow, what if what.startswith("keeps") else "reads_a_signal")
        result = await asyncio.wait_for(method.result(), 20)
    assert result == ("yes" if what == "keeps_an_argument" else order_of(programs.before))


@scenario
async def test_the_result_of_a_completed_flow_is_read_with_wider_types_and_kept_where_it_cannot_be(
    machine: Machine, programs: Programs
) -> None:
    await leave_under_way(machine, programs.before, "keeps_a_result")
    async with engine_of(machine, programs.before) as engine:
        await bring_to_its_end(machine, flow_of(engine, programs.before), "keeps_a_result")
    record = machine.record("f")
    async with engine_of(machine, programs.wider) as engine:
        flow = flow_of(engine, programs.wider)
        assert await flow.keeps_a_result.run() == order_of(programs.wider, "none", None)
    async with engine_of(machine, programs.other) as engine:
        with pytest.raises(CorruptRow, match=r"keeps_a_result .* at `\$\.lines\[0\]\.price`"):
            await flow_of(engine, programs.other).keeps_a_result.result()
    assert machine.record("f") == record


@scenario
async def test_an_exception_on_record_comes_back_with_what_its_class_has_now(
    machine: Machine, programs: Programs
) -> None:
    async with engine_of(machine, programs.before) as engine:
        await flow_of(engine, programs.before).catches.start()
        await machine.waiting("f")
    async with engine_of(machine, programs.wider) as engine:
        flow = flow_of(engine, programs.wider)
        await flow.told.send("yes")
        assert await flow.catches.result() == "Declined(3) 3 EUR yes"
