"""Rows come back as they were written, and the last state counts."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from persistasaurus.records import (
    CallChanged,
    CallMade,
    Claim,
    FlowChanged,
    FlowRow,
    FlowStatus,
    InvocationRow,
    Kind,
    Start,
    Status,
    Write,
)
from persistasaurus.testing.contract.session import NAMES, LogContract, changed, flow_changed, flow_row, made

LARGEST = 2**63 - 1


class RowsContract(LogContract):
    """Flows and invocations."""

    def test_a_started_flow_is_found_as_it_was_recorded(self) -> None:
        row = FlowRow(
            "f", "Signup", "sign_up", 1, "[1]", FlowStatus.WAITING, "3.12", 2, 3, 4, "digest", '"value"', 5, version=7
        )  # fmt: skip
        with self.opened() as session:
            assert session.make(Start(row)).answer is None
            assert session.log.flow("f") == row
            assert session.log.flow("g") is None

    def test_the_status_that_comes_back_is_a_member_of_its_enumeration(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), made(1))
            found = session.log.flow("f")
            assert found is not None
            assert found.status is FlowStatus.RUNNING
            (call,) = session.log.invocations("f")
            assert (call.status, call.kind) == (Status.PENDING, Kind.STEP)
            assert isinstance(call.status, Status)
            assert isinstance(call.kind, Kind)

    def test_starting_a_taken_id_is_answered_with_the_row_there_and_changes_nothing(self) -> None:
        row = flow_row()
        with self.opened() as session:
            session.make(Start(row))
            other = replace(row, parameters='["bob"]', timestamp=2_000)
            assert session.make(Start(other)).answer == row
            assert session.log.flow("f") == row

    def test_of_two_starts_that_wait_together_the_first_wins(self) -> None:
        first, second = flow_row(timestamp=1), flow_row(timestamp=2)
        with self.opened() as session:
            assert session.make(Start(first), Start(second)).answers == [None, first]
            assert session.log.flow("f") == first

    def test_a_question_is_answered_with_what_was_put_before_it(self) -> None:
        row = flow_row()
        complete = FlowChanged("f", FlowStatus.COMPLETE, None, 0, None, "1", 9)
        with self.opened() as session:
            settled = session.make(Start(row), Start(row), complete, Start(row))
            ended = replace(row, status=FlowStatus.COMPLETE, return_value="1", ended_at=9)
            assert settled.answers == [None, row, ended]
            assert session.log.flow("f") == ended

    def test_a_flow_changes_in_every_column_that_may_change(self) -> None:
        with self.opened() as session:
            session.make(Start(replace(flow_row(), version=2)))
            session.make(FlowChanged("f", FlowStatus.PARKED, 1, 2, "digest", '"why"', 3))
            assert session.log.flow("f") == FlowRow(
                "f", "Signup", "sign_up", 1_000, '["alice"]', FlowStatus.PARKED, "3.11", 0, 1, 2, "digest", '"why"', 3,
                version=2,
            )  # fmt: skip
            session.make(FlowChanged("f", FlowStatus.RUNNING, None, 0, None, None, None))
            assert session.log.flow("f") == replace(flow_row(), version=2)

    def test_a_flow_is_found_with_its_version_however_one_looks_for_it(self) -> None:
        row = replace(flow_row(), version=3)
        with self.opened() as session:
            session.make(Start(row, claim=False))
            assert session.make(Start(row)).answer == row
            assert [*session.log.flows(), *session.log.flows(status=row.status)] == [row, row]
            assert session.log.available(2_000, NAMES) == [row]
            assert session.make(Claim("f")).answer == row
            snapshot = session.log.snapshot("f")
            assert snapshot is not None
            assert snapshot.flow.version == 3
            session.make(FlowChanged("f", FlowStatus.COMPLETE, None, 0, None, "1", 9, claims=1))
            assert [found.version for found in session.log.ended(["f"])] == [3]

    def test_a_call_is_found_as_it_was_made(self) -> None:
        write = CallMade(
            "f", 7, Kind.TIMER, "Signup", "sleep", "key", 1, 2, "[3]", 4, 5, Status.PENDING, 6, 7
        )  # fmt: skip
        with self.opened() as session:
            session.make(Start(flow_row()), write)
            assert session.log.invocations("f") == [
                InvocationRow(
                    "f", 7, Kind.TIMER, "Signup", "sleep", "key", 1, 2, "[3]", 4, 5, Status.PENDING, 6, 0, 7,
                    None, None, None, None,
                )
            ]  # fmt: skip

    def test_a_call_changes_in_every_column_that_may_change(self) -> None:
        change = CallChanged("f", 1, Status.FAILED, 3, 2, 4, '"error"', 5, 6, 7)
        for together in (True, False):
            with self.opened() as session:
                _make(session.make, [Start(flow_row()), made(1), change], together)
                (row,) = session.log.invocations("f")
                assert row == InvocationRow(
                    "f", 1, Kind.STEP, "Signup", "step_1", None, 1_001, 0, "[]", None, 0, Status.FAILED, 3, 2, 4,
                    '"error"', 5, 6, 7,
                )  # fmt: skip

    def test_the_last_of_several_changes_counts(self) -> None:
        writes: list[Write] = [Start(flow_row()), flow_changed(FlowStatus.WAITING, due=5), made(1)]
        writes += [changed(1, status=Status.PENDING, attempts=attempt) for attempt in (2, 3)]
        writes += [changed(1), flow_changed(FlowStatus.RUNNING)]
        for together in (True, False):
            with self.opened() as session:
                _make(session.make, writes, together)
                assert session.log.flow("f") == flow_row()
                (row,) = session.log.invocations("f")
                assert (row.status, row.attempts, row.return_value) == (Status.COMPLETE, 1, '"1"')

    def test_thousands_of_writes_of_many_flows_wait_together(self) -> None:
        flows = [f"flow-{number}" for number in range(700)]
        with self.opened() as session:
            session.make(*(Start(flow_row(flow_id)) for flow_id in flows))
            for step in (1, 2, 3):
                before = [changed(step - 1, flow_id) for flow_id in flows] if step > 1 else []
                settled = session.make(*before, *(made(step, flow_id) for flow_id in flows))
                assert not settled.refused
            for flow_id in flows:
                rows = session.log.invocations(flow_id)
                assert [(row.step, row.status) for row in rows] == [
                    (1, Status.COMPLETE), (2, Status.COMPLETE), (3, Status.PENDING)
                ]  # fmt: skip

    def test_text_and_numbers_come_back_exactly(self) -> None:
        texts = [
            "",
            "0.5",
            "a\0b",
            "\0",
            "日本語 🦕",
            "'; DROP TABLE x; --",
            '"\\u0000\\"',
            "x" * 3_000_000,
            "\x7f\x1f\n",
        ]
        for text in texts:
            row = FlowRow(text, text, text, -LARGEST, text, FlowStatus.FAILED, text, 0, LARGEST, 0, text, text, 0)
            call = CallMade(
                text, 1, Kind.STEP, text, text, text, LARGEST, 0, text, 0, 0, Status.PENDING, 1, -1
            )  # fmt: skip
            change = CallChanged(text, 1, Status.FAILED, 1, 1, LARGEST, text, 0, 0, 0)
            with self.opened() as session:
                settled = session.make(Start(row), call)
                assert not settled.refused
                assert settled.answer is None
                session.make(change)
                assert session.log.flow(text) == row
                (found,) = session.log.invocations(text)
                assert (found.flow_id, found.class_name, found.method_name, found.key) == (text, text, text, text)
                assert (found.parameters, found.return_value) == (text, text)
                assert (found.timestamp, found.delay, found.due, found.delivery) == (LARGEST, 0, LARGEST, 0)


def _make(make: Callable[..., object], writes: list[Write], together: bool) -> None:
    for part in [writes] if together else [[write] for write in writes]:
        make(*part)
