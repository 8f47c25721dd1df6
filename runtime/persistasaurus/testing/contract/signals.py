"""Signals are kept from the commit that stored them until a wait takes them (G8)."""

from __future__ import annotations

from msgspec.structs import replace

from persistasaurus.errors import RowRefused
from persistasaurus.records import FlowRow, FlowStatus, Send, SignalReturned, SignalTaken, Start, Status
from persistasaurus.testing.contract.session import (
    LogContract,
    Session,
    Settled,
    changed,
    flow_changed,
    flow_row,
    made,
    signal,
    waiting,
)


class SignalsContract(LogContract):
    """Sent, taken, returned."""

    def test_a_signal_is_stored_unless_its_flow_can_read_no_more(self) -> None:
        for status in FlowStatus:
            row = flow_row(status=status)
            with self.opened() as session:
                sent = signal("s1")
                assert session.make(Start(row), Send(sent)).answers == [None, row]
                ended = status in {FlowStatus.COMPLETE, FlowStatus.CANCELLED}
                assert session.log.unread_signals("f") == ([] if ended else [sent])

    def test_a_signal_for_an_unknown_flow_is_not_stored(self) -> None:
        with self.opened() as session:
            assert session.make(Send(signal("s1"))).answer is None
            session.make(Start(flow_row()))
            assert session.log.unread_signals("f") == []

    def test_a_signal_is_kept_with_all_its_columns(self) -> None:
        sent = replace(signal("s1"), key="approver-2")
        with self.opened() as session:
            session.make(Start(flow_row()), Send(sent))
            assert session.log.unread_signals("f") == [sent]

    def test_signals_come_in_the_order_in_which_they_were_sent(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), Send(signal("s2")), Send(signal("s1")))
            session.make(Send(signal("s3")), Start(flow_row("g")), Send(signal("s0", "g")))
            assert [found.signal_id for found in session.log.unread_signals("f")] == ["s1", "s2", "s3"]

    def test_a_signal_makes_a_waiting_flow_due(self) -> None:
        for due, expected in ((None, 3_000), (9_000, 3_000), (2_000, 2_000)):
            row = flow_row(status=FlowStatus.WAITING)
            with self.opened() as session:
                session.make(Start(row), flow_changed(FlowStatus.WAITING, due=due))
                found = session.make(Send(signal("s1", sent_at=3_000))).answer
                assert isinstance(found, FlowRow)
                assert found.due == due
                after = session.log.flow("f")
                assert after is not None
                assert (after.status, after.due) == (FlowStatus.WAITING, expected)

    def test_a_signal_leaves_the_due_time_of_a_flow_that_does_not_wait(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), flow_changed(FlowStatus.RUNNING, due=None), Send(signal("s1")))
            after = session.log.flow("f")
            assert after is not None
            assert after.due is None

    def test_a_wait_takes_a_signal_and_becomes_a_pending_step(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()))
            session.make(waiting(1))
            session.make(Send(signal("s1")))
            session.make(SignalTaken("f", 1, "s1", '["now"]', 1))
            self._is_taken(session)

    def test_a_wait_may_be_made_and_take_its_signal_in_one_commit(self) -> None:
        with self.opened() as session:
            settled = session.make(
                Start(flow_row()), Send(signal("s1")), waiting(1), SignalTaken("f", 1, "s1", '["now"]', 1)
            )
            assert not settled.refused
            self._is_taken(session)

    def test_a_wait_that_changed_in_the_same_commit_takes_its_signal_afterwards(self) -> None:
        before = replace(changed(1, status=Status.WAITING_FOR_SIGNAL, attempts=0), due=7)
        with self.opened() as session:
            session.make(Start(flow_row()), Send(signal("s1")), waiting(1))
            settled = session.make(before, SignalTaken("f", 1, "s1", '["now"]', 1))
            assert not settled.refused
            (row,) = session.log.invocations("f")
            assert (row.status, row.parameters, row.due) == (Status.PENDING, '["now"]', None)
            assert row.delivery == before.delivery

    def test_a_wait_keeps_the_arguments_it_took_when_it_changes_in_the_same_commit(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), waiting(1), Send(signal("s1")))
            session.make(SignalTaken("f", 1, "s1", '["now"]', 1), changed(1))
            (row,) = session.log.invocations("f")
            assert (row.status, row.parameters, row.return_value) == (Status.COMPLETE, '["now"]', '"1"')

    def test_a_signal_is_taken_once(self) -> None:
        for together in (True, False):
            with self.opened() as session:
                session.make(Start(flow_row()), waiting(1), waiting(2), Send(signal("s1")))
                first, second = SignalTaken("f", 1, "s1", "[1]", 1), SignalTaken("f", 2, "s1", "[1]", 1)
                refused = (session.make(first, second) if together else _last(session, first, second)).refused
                assert isinstance(refused["f"], RowRefused)
                rows = session.log.invocations("f")
                assert [row.status for row in rows] == [Status.PENDING, Status.WAITING_FOR_SIGNAL]
                assert [found.taken_by for found in session.log.taken_signals("f")] == [1]

    def test_only_an_open_wait_takes_a_signal_and_only_one_of_its_flow(self) -> None:
        takings = (
            SignalTaken("f", 2, "s1", "[]", 1),  # a step, not a wait
            SignalTaken("f", 9, "s1", "[]", 1),  # no row
            SignalTaken("f", 1, "s9", "[]", 1),  # no signal
            SignalTaken("f", 1, "s0", "[]", 1),  # another flow's signal
        )
        for taking in takings:
            with self.opened() as session:
                session.make(Start(flow_row()), Start(flow_row("g")), Send(signal("s1")), Send(signal("s0", "g")))
                session.make(waiting(1), made(2))
                refused = session.make(taking).refused
                assert isinstance(refused["f"], RowRefused)
                assert [row.status for row in session.log.invocations("f")] == [
                    Status.WAITING_FOR_SIGNAL, Status.PENDING
                ]  # fmt: skip
                assert len(session.log.unread_signals("f")) == len(session.log.unread_signals("g")) == 1

    def test_a_signal_is_not_taken_before_it_was_sent_though_both_wait_together(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), waiting(1))
            assert "f" in session.make(SignalTaken("f", 1, "s1", "[]", 1), Send(signal("s1"))).refused
            assert session.log.taken_signals("f") == []

    def test_a_signal_is_not_taken_before_its_wait_was_made_though_both_wait_together(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), Send(signal("s1")))
            assert "f" in session.make(SignalTaken("f", 1, "s1", "[]", 1), waiting(1)).refused
            assert session.log.invocations("f") == []
            assert session.log.unread_signals("f") == [signal("s1")]

    def test_a_returned_signal_is_there_for_the_next_wait(self) -> None:
        for together in (True, False):
            with self.opened() as session:
                session.make(Start(flow_row()), waiting(1), waiting(2), Send(signal("s1")))
                writes = (
                    SignalTaken("f", 1, "s1", "[1]", 1),
                    SignalReturned("f", 1, "s1"),
                    SignalTaken("f", 2, "s1", "[1]", 1),
                )
                settled = session.make(*writes) if together else _last(session, *writes)
                assert not settled.refused
                assert [found.taken_by for found in session.log.taken_signals("f")] == [2]

    def test_only_the_wait_that_took_a_signal_returns_it(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), waiting(1), waiting(2), Send(signal("s1")))
            session.make(SignalTaken("f", 1, "s1", "[1]", 1))
            assert isinstance(session.make(SignalReturned("f", 2, "s1")).refused["f"], RowRefused)
            assert [found.taken_by for found in session.log.taken_signals("f")] == [1]

    def _is_taken(self, session: Session) -> None:
        (row,) = session.log.invocations("f")
        assert (row.status, row.parameters, row.attempts, row.due) == (Status.PENDING, '["now"]', 1, None)
        assert session.log.unread_signals("f") == []
        assert session.log.taken_signals("f") == [replace(signal("s1"), taken_by=1)]


def _last(session: Session, *writes: SignalTaken | SignalReturned) -> Settled:
    for write in writes:
        settled = session.make(write)
    return settled
