"""A row damaged while engines work stops its own flow, in whichever engine; repaired, the flow goes on (G13)."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from persistasaurus import CorruptRow, FlowParked, FlowStatus, IncompatibleChange
from tests.crash.flows_trips import Ledger
from tests.faults.flows_works_durable import DurableWorksFlow
from tests.faults.works import BETWEEN_LOOKS, PATIENCE, RESULT, UNANSWERED, answer, engines, ran_once, results, until
from tests.runtime.promises.scenario import scenario


@pytest.mark.parametrize(
    ("column", "damaged", "reason"),
    [
        ("return_value", "{", CorruptRow),
        ("return_value", '"three"', CorruptRow),
        ("return_value", b"\xff\xfe", CorruptRow),
        # Arguments that cannot be decoded may be those of other code as well.
        ("parameters", '{"done":', IncompatibleChange),
        ("status", "DONE", CorruptRow),
        ("delivery", 77, CorruptRow),
    ],
)
@scenario
async def test_a_row_damaged_while_engines_work_parks_its_flow_alone(
    tmp_path: Path, column: str, damaged: str | bytes | int, reason: type[Exception]
) -> None:
    path, ledger = tmp_path / "log.db", Ledger(tmp_path / "ledger.txt")
    async with engines(ledger, path, path) as company:
        async with engines(ledger, path) as first:
            flow_ids = [f"f{number}" for number in range(4)]
            for flow_id in flow_ids:
                await first[0].get_flow(DurableWorksFlow, flow_id).works.start(4)
            await until(lambda: len(ledger.lines()) == 4 * UNANSWERED)
            for flow_id in flow_ids:
                flow = first[0].get_flow(DurableWorksFlow, flow_id)
                while await flow.status() is not FlowStatus.WAITING:  # noqa: ASYNC110
                    await asyncio.sleep(BETWEEN_LOOKS)
        # The engine they waited in is gone: who goes on with them reads their rows.
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            (sound,) = other.execute(f"SELECT {column} FROM execution_log WHERE flow_id = 'f1' AND step = 3").fetchone()
            put = f"UPDATE execution_log SET {column} = ? WHERE flow_id = 'f1' AND step = 3"
            as_text = "CAST(? AS TEXT)" if isinstance(damaged, bytes) else "?"
            other.execute(put.replace("?", as_text, 1), (damaged,))
            await answer(company[0], flow_ids)
            for engine in company:
                flow = engine.get_flow(DurableWorksFlow, "f1")
                with pytest.raises(FlowParked, match="f1") as caught:
                    await flow.works.result(timeout=PATIENCE)
                assert isinstance(caught.value.reason, reason)
                assert await flow.status() is FlowStatus.PARKED
            others = ["f0", "f2", "f3"]
            assert await results(company[1], others) == [RESULT] * 3
            other.execute(put, (sound,))
        await company[1].get_flow(DurableWorksFlow, "f1").resume()
        assert await results(company[0], flow_ids) == [RESULT] * 4
    assert ran_once(ledger, flow_ids)
