"""Any sequence of writes, cut into commits anywhere, means the same to every log, and so does every prefix of it."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from persistasaurus.log import HEAD_START, ExecutionLog
from persistasaurus.memory_log import InMemoryLog
from persistasaurus.records import (
    Answer,
    CallMade,
    Commit,
    FlowChanged,
    FlowRow,
    FlowStatus,
    Kind,
    Send,
    SignalReturned,
    SignalRow,
    SignalTaken,
    Start,
    Status,
    Write,
)
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing.contract.session import Session
from tests.runtime.log.histories import ENGINES, FLOWS, NAMES, histories, histories_of_two_engines

slow_is_fine = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def _content(log: ExecutionLog) -> dict[str, Any]:
    return {
        "flows": log.flows(),
        "available": log.available(10, NAMES),
        "available a little later": log.available(10 + HEAD_START, NAMES),
        "ended": sorted(log.ended([name for name in FLOWS if "\0" not in name]), key=lambda row: row.flow_id),
        **{
            flow_id: (
                log.flow(flow_id),
                log.invocations(flow_id),
                log.archived(flow_id),
                log.unread_signals(flow_id),
                log.taken_signals(flow_id),
            )
            for flow_id in FLOWS
        },
    }


def _recorded(log: ExecutionLog) -> dict[str, Any]:
    """What does not depend on who lives."""
    return {name: found for name, found in _content(log).items() if not name.startswith("available")}


def _comparable(answers: Sequence[Answer | Exception]) -> list[Any]:
    return [type(answer) if isinstance(answer, Exception) else answer for answer in answers]


def _in_memory() -> tuple[InMemoryLog, list[Commit]]:
    log = InMemoryLog(auto_commit=False)
    commits: list[Commit] = []
    log.open(commits.append)
    return log, commits


@slow_is_fine
@given(histories())
def test_both_logs_hold_the_same_and_answer_the_same_after_every_commit(batches: list[list[Write]]) -> None:
    memory, _ = _in_memory()
    with tempfile.TemporaryDirectory() as folder:
        session = Session(SqliteLog(Path(folder) / "log.db", durability="process"))
        try:
            for batch in batches:
                settled = session.make(*batch)
                for write in batch:
                    memory.put(write)
                commit = memory.commit()
                assert settled.refused.keys() == commit.refused.keys()
                assert _comparable(settled.answers) == _comparable(
                    [commit.answers[key] for key in sorted(commit.answers)]
                )
                assert _content(session.log) == _content(memory)
        finally:
            session.log.close()


@slow_is_fine
@given(histories_of_two_engines())
def test_both_logs_answer_two_engines_the_same(batches: list[tuple[int, list[Write]]]) -> None:
    see_that_both_logs_answer_the_same(batches)


@pytest.mark.parametrize("returned", [False, True])
def test_a_flow_that_waits_and_then_takes_or_gives_back_a_signal_unheard_of_is_due_in_both(returned: bool) -> None:
    waiting = FlowChanged("f", FlowStatus.WAITING, None, 0, None, None, None)
    taken = SignalTaken("f", 1, "s", "[]", 1)
    wait = CallMade("f", 1, Kind.SIGNAL, "C", "m", None, 0, 0, "[]", None, 0, Status.WAITING_FOR_SIGNAL, 0, None)
    batches: list[tuple[int, list[Write]]] = [
        (1, [Start(FlowRow("f", "C", "m", 1, "[]", FlowStatus.RUNNING, "3.11")), wait]),
        (2, [Send(SignalRow("s", "f", "m", None, "[]", 7))]),
        (1, [taken, waiting, SignalReturned("f", 1, "s")] if returned else [waiting, taken]),
    ]
    see_that_both_logs_answer_the_same(batches)


def see_that_both_logs_answer_the_same(batches: list[tuple[int, list[Write]]]) -> None:
    """Make the batches of two engines on both."""
    first, _ = _in_memory()
    second = first.beside()
    second.open(lambda commit: None)
    memory = dict(zip(ENGINES, (first, second), strict=True))
    with tempfile.TemporaryDirectory() as folder, ExitStack() as closing:
        sessions: dict[int, Session] = {}
        for engine in ENGINES:
            sessions[engine] = Session(SqliteLog(Path(folder) / "log.db", durability="process"))
            closing.callback(sessions[engine].log.close)
        for engine, batch in batches:
            settled = sessions[engine].make(*batch)
            for write in batch:
                memory[engine].put(write)
            commit = memory[engine].commit()
            assert {key: type(error) for key, error in settled.refused.items()} == {
                key: type(error) for key, error in commit.refused.items()
            }
            assert _comparable(settled.answers) == _comparable([commit.answers[key] for key in sorted(commit.answers)])
            for each in ENGINES:
                assert _content(sessions[each].log) == _content(memory[each])
                # Of several flows in one commit, in any order.
                heard = [log.signals_from_others(0, 100) for log in (sessions[each].log, memory[each])]
                assert sorted(map(repr, heard[0])) == sorted(map(repr, heard[1]))


@slow_is_fine
@given(histories())
def test_where_commits_are_cut_makes_no_difference(batches: list[list[Write]]) -> None:
    everything = [write for batch in batches for write in batch]
    together, _ = _in_memory()
    one_by_one, commits = _in_memory()
    for write in everything:
        together.put(write)
        one_by_one.put(write)
        one_by_one.commit()
    commit = together.commit()
    assert _content(together) == _content(one_by_one)
    assert together.journal == one_by_one.journal
    assert {key for each in commits for key in each.refused} == commit.refused.keys()


@slow_is_fine
@given(histories(), st.data())
def test_a_crash_leaves_what_a_log_holds_that_was_given_the_prefix(
    batches: list[list[Write]], data: st.DataObject
) -> None:
    log, _ = _in_memory()
    for batch in batches:
        for write in batch:
            log.put(write)
    log.commit(data.draw(st.integers(0, log.queued), label="committed"))
    crashed_after = data.draw(st.integers(0, len(log.journal)), label="crashed after")
    prefix, _ = _in_memory()
    for write in log.journal[:crashed_after]:
        prefix.put(write)
    prefix.commit()
    assert _recorded(log.crashed(crashed_after)) == _recorded(prefix)
    assert _recorded(log.crashed()) == _recorded(log)


class _UncertainConnection(sqlite3.Connection):
    """What commits says that it failed: after it has happened, or before."""

    failures: list[bool] = []  # noqa: RUF012  the test sets what fails next

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if (sql == "COMMIT" or (sql.startswith("INSERT") and not self.in_transaction)) and self.failures:
            if self.failures.pop(0):
                super().execute(sql, parameters)
            raise sqlite3.OperationalError("disk I/O error")
        return super().execute(sql, parameters)


@slow_is_fine
@given(histories(), st.data())
def test_commits_with_an_unknown_result_leave_no_trace(batches: list[list[Write]], data: st.DataObject) -> None:
    memory, _ = _in_memory()
    with tempfile.TemporaryDirectory() as folder:
        log = SqliteLog(Path(folder) / "log.db", durability="process", connection_class=_UncertainConnection)
        session = Session(log)
        try:
            for batch in batches:
                _UncertainConnection.failures = data.draw(st.lists(st.booleans(), max_size=2), label="it had happened")
                for write in batch:
                    memory.put(write)
                commit = memory.commit()
                settled = session.make(*batch)
                assert settled.refused.keys() == commit.refused.keys()
                assert _comparable(settled.answers) == _comparable(
                    [commit.answers[key] for key in sorted(commit.answers)]
                )
                assert _content(log) == _content(memory)
        finally:
            _UncertainConnection.failures = []
            log.close()
