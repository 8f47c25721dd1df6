"""What the log in memory gives to tests beyond the contract: commits by hand, crashes, refusals."""

from __future__ import annotations

import asyncio

import pytest

from persistasaurus.errors import LogError, RowRefused
from persistasaurus.records import Commit, FlowStatus, Readmit, Start, Status, Write
from persistasaurus.testing import InMemoryLog
from persistasaurus.testing.contract.session import changed, flow_changed, flow_row, made


def manual(*writes: Write) -> tuple[InMemoryLog, list[Commit]]:
    commits: list[Commit] = []
    log = InMemoryLog(auto_commit=False)
    log.open(commits.append)
    for write in writes:
        log.put(write)
    return log, commits


def test_nothing_is_durable_before_the_test_commits() -> None:
    log, commits = manual(Start(flow_row()), made(1))
    assert (log.queued, log.flow("f"), commits) == (2, None, [])
    assert log.commit() == Commit(2, {}, {1: None})
    assert (log.queued, log.flow("f")) == (0, flow_row())
    assert commits == [Commit(2, {}, {1: None})]


def test_a_test_decides_how_much_one_commit_holds() -> None:
    log, commits = manual(Start(flow_row()), made(1), changed(1), made(2))
    assert log.commit(2).position == 2
    assert [row.status for row in log.invocations("f")] == [Status.PENDING]
    assert log.queued == 2
    assert log.commit(1).position == 3
    assert [row.status for row in log.invocations("f")] == [Status.COMPLETE]
    assert log.commit(10).position == 4
    assert [commit.position for commit in commits] == [2, 3, 4]


def test_on_commit_may_put_and_commit_more() -> None:
    log = InMemoryLog(auto_commit=False)
    positions: list[int] = []

    def on_commit(commit: Commit) -> None:
        positions.append(commit.position)
        if commit.position < 3:
            log.put(made(commit.position))
            log.commit()

    log.open(on_commit)
    log.put(Start(flow_row()))
    log.commit()
    assert positions == [1, 2, 3]


async def _commits_in_a_loop() -> list[str]:
    events: list[str] = []
    log = InMemoryLog()
    log.open(lambda commit: events.append(f"committed {commit.position}"))
    log.put(Start(flow_row()))
    log.put(made(1))
    events.append("put")
    await asyncio.sleep(0)
    await asyncio.to_thread(log.put, made(2))
    await asyncio.sleep(0)
    log.close()
    return events


def test_in_an_event_loop_a_commit_comes_in_its_next_turn() -> None:
    assert asyncio.run(_commits_in_a_loop()) == ["put", "committed 2", "committed 3"]


def test_the_journal_tells_the_writes_that_were_made() -> None:
    writes: list[Write] = [Start(flow_row()), made(1), made(1), made(2), Readmit("f"), made(3)]
    log, _ = manual(*writes)
    assert not log.journal
    log.commit()
    assert log.journal == (Start(flow_row()), made(1), Readmit("f"), made(3))


def test_a_crash_keeps_what_was_durable_and_loses_what_waited() -> None:
    log, _ = manual(Start(flow_row()), made(1), changed(1))
    log.commit(2)
    survivor = log.crashed()
    assert survivor.flow("f") == flow_row()
    assert [row.status for row in survivor.invocations("f")] == [Status.PENDING]
    assert survivor.queued == 0
    with pytest.raises(LogError):
        survivor.put(changed(1))


def test_a_crash_may_strike_after_any_write() -> None:
    log, _ = manual(Start(flow_row()), made(1), changed(1), made(2))
    log.commit(2)
    found = [
        (survivor.flow("f") is not None, [row.status for row in survivor.invocations("f")])
        for survivor in map(log.crashed, range(5))
    ]
    assert found == [
        (False, []),
        (True, []),
        (True, [Status.PENDING]),
        (True, [Status.COMPLETE]),
        (True, [Status.COMPLETE, Status.PENDING]),
    ]


def test_a_log_that_survived_a_crash_goes_on_and_may_crash_again() -> None:
    log, _ = manual(Start(flow_row()), made(1))
    log.commit()
    survivor = log.crashed()
    commits: list[Commit] = []
    survivor.open(commits.append)
    survivor.put(changed(1))
    survivor.put(made(2))
    survivor.commit()
    assert survivor.journal == (changed(1), made(2))
    assert [row.status for row in survivor.crashed(1).invocations("f")] == [Status.COMPLETE]
    assert [row.status for row in survivor.crashed(0).invocations("f")] == [Status.PENDING]
    assert [row.status for row in log.invocations("f")] == [Status.PENDING]


def test_a_test_may_have_a_row_refused() -> None:
    log, _ = manual(Start(flow_row()), Start(flow_row("g")), made(1), made(1, "g"), made(2))
    log.refuse("f", 1)
    commit = log.commit()
    assert commit.refused.keys() == {"f"}
    assert isinstance(commit.refused["f"], RowRefused)
    assert log.invocations("f") == []
    assert len(log.invocations("g")) == 1
    log.put(Readmit("f"))
    log.put(flow_changed(FlowStatus.PARKED))
    assert not log.commit().refused
    found = log.flow("f")
    assert found is not None
    assert found.status is FlowStatus.PARKED
    assert log.crashed().flow("f") == found


def test_a_test_may_have_a_flow_refused() -> None:
    log, _ = manual()
    log.refuse("f")
    log.put(Start(flow_row()))
    commit = log.commit()
    assert isinstance(commit.answers[1], RowRefused)
    assert log.flow("f") is None
