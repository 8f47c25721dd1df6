"""A failed flow begins another round, a parked one runs again; each in one transaction (G7)."""

from __future__ import annotations

from msgspec.structs import replace

from persistasaurus.errors import RowRefused
from persistasaurus.records import (
    CallChanged,
    FlowChanged,
    FlowRow,
    FlowStatus,
    Reopen,
    Resume,
    Send,
    SignalTaken,
    Start,
    Status,
)
from persistasaurus.testing.contract.session import LogContract, Session, changed, flow_row, made, signal, waiting

FAILED = FlowChanged("f", FlowStatus.FAILED, None, 3, "digest", '"error"', 9_000)


class RoundsContract(LogContract):
    """Reopening and resuming."""

    def test_reopening_archives_restates_and_runs_the_flow_in_its_next_round(self) -> None:
        with self.opened() as session:
            self._fail(session)
            restated = CallChanged("f", 2, Status.PENDING, 1, 0, None, None, None, None, None)
            assert session.make(Reopen("f", 0, (3, 4), (restated,), (2,), ())).answer is True
            assert session.log.flow("f") == replace(flow_row(), round=1, digest="digest")
            first, second = session.log.invocations("f")
            assert (first.step, first.status, first.round) == (1, Status.COMPLETE, 0)
            assert (second.step, second.status, second.round) == (2, Status.PENDING, 1)
            assert second.return_value is None
            third, fourth = session.log.archived("f")
            assert (third.step, third.status, third.round, third.archived_in) == (3, Status.COMPLETE, 0, 0)
            assert (fourth.step, fourth.status, fourth.parameters, fourth.archived_in) == (4, Status.PENDING, "[1]", 0)

    def test_restated_rows_that_do_not_run_anew_stay_in_their_round(self) -> None:
        with self.opened() as session:
            self._fail(session)
            kept = CallChanged("f", 1, Status.COMPLETE, 1, 0, None, '"1"', None, None, None)
            session.make(Reopen("f", 0, (), (kept,), (), ()))
            row = session.log.invocations("f")[0]
            assert (row.round, row.return_value, row.delivery) == (0, '"1"', None)

    def test_signals_of_archived_waits_are_unread_again(self) -> None:
        with self.opened() as session:
            self._fail(session)
            session.make(Reopen("f", 0, (3, 4), (), (), ()))
            assert session.log.unread_signals("f") == [signal("s1")]
            assert session.log.taken_signals("f") == []

    def test_signals_of_waits_that_wait_again_are_unread_again(self) -> None:
        with self.opened() as session:
            self._fail(session)
            again = CallChanged("f", 4, Status.WAITING_FOR_SIGNAL, 0, 0, None, None, None, None, None)
            session.make(Reopen("f", 0, (3,), (again,), (4,), (4,)))
            assert session.log.unread_signals("f") == [signal("s1")]
            assert session.log.invocations("f")[-1].status is Status.WAITING_FOR_SIGNAL

    def test_signals_of_waits_that_stay_stay_taken(self) -> None:
        with self.opened() as session:
            self._fail(session)
            session.make(Reopen("f", 0, (3,), (), (), ()))
            assert [found.taken_by for found in session.log.taken_signals("f")] == [4]

    def test_a_step_number_is_free_after_archiving_and_may_be_archived_again(self) -> None:
        with self.opened() as session:
            self._fail(session)
            session.make(Reopen("f", 0, (3, 4), (), (), ()))
            assert not session.make(made(3), changed(3), FAILED).refused
            assert session.make(Reopen("f", 1, (3,), (), (), ())).answer is True
            archived = [(row.step, row.archived_in) for row in session.log.archived("f")]
            assert archived == [(3, 0), (4, 0), (3, 1)]
            assert [(row.step, row.archived_in) for row in session.log.archived("f", limit=1)] == [(3, 0)]

    def test_only_a_failed_flow_is_reopened_and_only_in_the_round_that_was_seen(self) -> None:
        with self.opened() as session:
            self._fail(session)
            assert session.make(Reopen("f", 1, (3,), (), (), ())).answer is False
            assert session.make(Reopen("unknown", 0, (), (), (), ())).answer is False
            settled = session.make(Reopen("f", 0, (), (), (), ()), Reopen("f", 0, (3,), (), (), ()))
            assert settled.answers == [True, False]
            assert len(session.log.invocations("f")) == 4
            for status in set(FlowStatus) - {FlowStatus.FAILED}:
                session.make(Start(flow_row(status, status)))
                assert session.make(Reopen(status, 0, (), (), (), ())).answer is False

    def test_reopening_that_is_refused_leaves_everything_as_it_was(self) -> None:
        refused = (
            Reopen("f", 0, (3, 9), (), (), ()),
            Reopen("f", 0, (3,), (changed(9),), (), ()),
        )
        for write in refused:
            with self.opened() as session:
                self._fail(session)
                before = (session.log.flow("f"), session.log.invocations("f"), session.log.taken_signals("f"))
                assert isinstance(session.make(write).answer, RowRefused)
                assert (session.log.flow("f"), session.log.invocations("f"), session.log.taken_signals("f")) == before
                assert session.log.archived("f") == []

    def test_a_flow_is_reopened_between_other_writes_that_wait(self) -> None:
        with self.opened() as session:
            settled = session.make(
                Start(flow_row()),
                made(1),
                changed(1),
                FAILED,
                Reopen("f", 0, (1,), (), (), ()),
                made(1),
                Start(flow_row()),
            )
            assert settled.answers == [None, True, replace(flow_row(), round=1, digest="digest")]
            assert [row.status for row in session.log.invocations("f")] == [Status.PENDING]
            assert [row.status for row in session.log.archived("f")] == [Status.COMPLETE]

    def test_resuming_lets_a_parked_flow_run(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), FlowChanged("f", FlowStatus.PARKED, 7, 4, "digest", '"why"', None))
            parked = session.log.flow("f")
            assert session.make(Resume("f")).answer == parked
            assert session.log.flow("f") == replace(flow_row(), digest="digest")

    def test_resuming_changes_only_a_parked_flow(self) -> None:
        with self.opened() as session:
            assert session.make(Resume("unknown")).answer is None
            for status in set(FlowStatus) - {FlowStatus.PARKED}:
                row: FlowRow = replace(flow_row(status, status), recoveries=2, due=5)
                assert session.make(Start(row), Resume(status)).answers == [None, row]
                assert session.log.flow(status) == row

    def _fail(self, session: Session) -> None:
        session.make(
            Start(flow_row()), made(1), changed(1), made(2), changed(2, status=Status.FAILED), made(3), changed(3),
            waiting(4), Send(signal("s1")), SignalTaken("f", 4, "s1", "[1]", 1), FAILED,
        )  # fmt: skip
