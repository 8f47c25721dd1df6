"""The benchmarks run: every group at a tiny size, where its figures mean nothing yet."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest
from msgspec.structs import replace

from persistasaurus import Engine, FlowStatus
from persistasaurus.log import Snapshot
from persistasaurus.sqlite_log import SqliteLog
from tests.benchmarks import waiting
from tests.benchmarks.__main__ import GROUPS, main
from tests.benchmarks.bench_flows_durable import DurablePatient

FIGURES = {
    "running": [
        "sequential_ratio", "concurrent_ratio_50", "concurrent_ratio_500",
        "plain_sequential_ratio", "plain_concurrent_ratio_50", "plain_concurrent_ratio_500",
    ],
    "replay": ["replay_ratio"],
    "compiling": ["import_ms", "generate_ms", "check_500_files_ms", "check_500_unchanged_ms"],
    "dbos": ["dbos_sequential_ratio", "dbos_concurrent_ratio"],
    "waiting": ["waiting_100k_mb", "open_100k_s", "due_p50_ms", "due_p99_ms"],
    "recovery": ["recovery_flows_per_s"],
    "latency": ["step_p50_us", "step_p99_us", "step_loaded_p50_us", "step_loaded_p99_us"],
    "processes": ["processes_4_ratio"],
    "sizes": ["log_bytes_per_step", "peak_wal_mb"],
    "evicting": ["evictions_per_s", "flow_memory_kb"],
    "long": ["long_flow_step_us_1k", "long_flow_step_us_10k", "long_flow_step_us_100k", "long_flow_mb_100k"],
}  # fmt: skip
MAY_BE_NOTHING = {"waiting_100k_mb", "flow_memory_kb", "long_flow_mb_100k", "log_bytes_per_step"}
"""Few flows find room in what is there without them."""
DBOS_IS_MISSING = find_spec("dbos") is None


def measured(group: str, folder: Path) -> dict[str, float]:
    """The figures of one group."""
    main(["--only", group, "--rounds", "1", "--scale", "0.001", "--json", str(folder / "figures.json")])
    figures: dict[str, float] = json.loads((folder / "figures.json").read_text())
    return figures


@pytest.mark.parametrize("group", FIGURES)
def test_every_group_gives_its_figures(
    group: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if group == "dbos" and DBOS_IS_MISSING:
        assert measured(group, tmp_path) == {}
        assert "pip install" in capsys.readouterr().out
        return
    figures = measured(group, tmp_path)
    assert set(FIGURES[group]) <= figures.keys()
    assert [line.split(":")[0] for line in capsys.readouterr().out.splitlines()] == list(figures)
    for label, value in figures.items():
        assert math.isfinite(value)
        assert value > 0 or label in MAY_BE_NOTHING, label
    assert [each.name for each in tmp_path.iterdir()] == ["figures.json"]


def test_no_group_is_forgotten() -> None:
    assert GROUPS.keys() == FIGURES.keys()


def test_flows_written_into_the_log_are_what_an_engine_writes(tmp_path: Path) -> None:
    waiting.fill(tmp_path / "written.db", 2)
    asyncio.run(leave_waiting(tmp_path / "run.db"))
    assert snapshots(tmp_path / "written.db") == snapshots(tmp_path / "run.db")


async def leave_waiting(path: Path) -> None:
    """Have an engine run a flow of each kind as far as its wait."""
    async with Engine(path, flows=[DurablePatient(lambda number: None)]) as engine:
        await engine.get_flow(DurablePatient, waiting.flow_id_of(0)).await_signal.start()
        await engine.get_flow(DurablePatient, waiting.flow_id_of(1)).await_time.start(1, waiting.FAR_OFF)
        while len(await engine.flows(status=FlowStatus.WAITING)) < 2:  # noqa: ASYNC110  # the log alone knows
            await asyncio.sleep(0.001)


def snapshots(path: Path) -> Sequence[Snapshot]:
    """What is on record of the first two flows, times aside."""
    log = SqliteLog(path)
    log.open(lambda commit: None)
    try:
        found = [log.snapshot(waiting.flow_id_of(number)) for number in (0, 1)]
    finally:
        log.close()
    return [timeless(snapshot) for snapshot in found if snapshot is not None]


def timeless(snapshot: Snapshot) -> Snapshot:
    """The same without times; how far off what is due is, stays."""
    begun = snapshot.flow.timestamp
    return replace(
        snapshot,
        flow=replace(snapshot.flow, timestamp=0, due=minutes(begun, snapshot.flow.due)),
        invocations=tuple(
            replace(row, timestamp=0, due=minutes(begun, row.due), delay=minutes(0, row.delay))
            for row in snapshot.invocations
        ),
    )


def minutes(begun: int, ended: int | None) -> int | None:
    """Whole minutes from one to the other; a time so far off is not exact to the microsecond."""
    return None if ended is None else round((ended - begun) / 60e6)
