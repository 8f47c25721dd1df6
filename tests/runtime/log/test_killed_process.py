"""Whatever a killed process was told is durable is there, and of each flow a prefix (G1)."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from persistasaurus.records import Status
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import changed, flow_row, made
from tests.runtime.log.programs.write_until_killed import FLOWS
from tests.runtime.log.running import line, running


@pytest.mark.parametrize("durability", ["power", "process"])
@pytest.mark.parametrize("commits", [1, 7, 60])
def test_a_killed_process_leaves_a_prefix_with_all_that_was_acknowledged(
    tmp_path: Path, durability: str, commits: int
) -> None:
    path = tmp_path / "log.db"
    with running("write_until_killed", path, durability) as process:
        acknowledged = [int(line(process)) for _ in range(commits)]
        process.kill()
        assert process.stdout is not None
        acknowledged += [int(text) for text in process.stdout.read().split("\n")[:-1]]
    log = SqliteLog(path)
    log.open(lambda commit: None)
    try:
        assert [log.flow(flow_id) for flow_id in FLOWS] == [flow_row(flow_id) for flow_id in FLOWS]
        made_of = {flow_id: _writes_found(log, flow_id) for flow_id in FLOWS}
    finally:
        log.close()
    # In the order in which they were put, three flows in turn, nothing is missing before the last that is there.
    found = len(FLOWS) + sum(made_of.values())
    assert found >= max(acknowledged)
    order = [flow_id for flow_id in FLOWS for _ in range(2)]
    expected = dict.fromkeys(FLOWS, 0)
    for flow_id in itertools.islice(itertools.cycle(order), found - len(FLOWS)):
        expected[flow_id] += 1
    assert made_of == expected


def _writes_found(log: SqliteLog, flow_id: str) -> int:
    """How many writes the rows of a flow are the sum of."""
    count = after = 0
    while rows := log.invocations(flow_id, after=after):
        for row in rows:
            assert row.step == after + 1
            after = row.step
            count += 1 if row.status is Status.PENDING else 2
            assert row.parameters == made(row.step).parameters
            if row.status is Status.COMPLETE:
                assert row.return_value == changed(row.step).return_value
    return count
