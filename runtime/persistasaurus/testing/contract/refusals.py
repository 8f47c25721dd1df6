"""A refused row stops its own flow at that point and no other flow."""

from __future__ import annotations

from msgspec.structs import replace

from persistasaurus.errors import RowRefused
from persistasaurus.records import (
    FlowStatus,
    Readmit,
    Reopen,
    Resume,
    Send,
    SignalReturned,
    Start,
    Status,
    Write,
)
from persistasaurus.testing.contract.session import LogContract, changed, flow_changed, flow_row, made, signal

LONE_SURROGATE = "\ud800"


class RefusalsContract(LogContract):
    """What is refused, and what becomes of the writes around it."""

    def test_what_is_refused_is_a_row_that_is_there_or_is_not(self) -> None:
        refused: tuple[Write, ...] = (
            made(1),
            changed(9),
            flow_changed(FlowStatus.WAITING, "unknown"),
            changed(1, "unknown"),
            SignalReturned("f", 1, "s1"),
        )
        for write in refused:
            with self.opened() as session:
                session.make(Start(flow_row()), made(1))
                errors = session.make(write).refused
                (error,) = errors.values()
                assert isinstance(error, RowRefused)
                assert repr(next(iter(errors))) in str(error)
                assert session.log.flow("f") == flow_row()
                assert [row.status for row in session.log.invocations("f")] == [Status.PENDING]

    def test_a_change_put_before_its_row_is_refused_though_both_wait_together(self) -> None:
        with self.opened() as session:
            assert "f" in session.make(Start(flow_row()), changed(1), made(1)).refused
            assert session.log.invocations("f") == []

    def test_a_change_put_before_its_flow_is_refused_though_both_wait_together(self) -> None:
        with self.opened() as session:
            settled = session.make(flow_changed(FlowStatus.FAILED), Start(flow_row()))
            assert settled.refused.keys() == {"f"}
            assert isinstance(settled.answer, RowRefused)
            assert session.log.flow("f") is None

    def test_the_flow_keeps_what_came_before_and_nothing_that_came_after(self) -> None:
        for together in (True, False):
            with self.opened() as session:
                writes: list[Write] = [Start(flow_row()), made(1), changed(1), made(2), made(1), made(3), changed(2)]
                writes += [flow_changed(FlowStatus.COMPLETE)]
                if together:
                    refused = session.make(*writes).refused
                    assert refused.keys() == {"f"}
                else:
                    for write in writes:
                        session.make(write)
                assert session.log.flow("f") == flow_row()
                assert [(row.step, row.status) for row in session.log.invocations("f")] == [
                    (1, Status.COMPLETE), (2, Status.PENDING)
                ]  # fmt: skip

    def test_neighbours_do_not_notice(self) -> None:
        with self.opened() as session:
            flows = ["a", "b", "c"]
            session.make(*(Start(flow_row(flow_id)) for flow_id in flows), made(1, "b"))
            writes: list[Write] = [made(step, flow_id) for step in (1, 2) for flow_id in flows]
            settled = session.make(*writes, *(changed(1, flow_id) for flow_id in flows), Start(flow_row("d")))
            assert settled.refused.keys() == {"b"}
            assert settled.answer is None
            for flow_id in ("a", "c"):
                assert [(row.step, row.status) for row in session.log.invocations(flow_id)] == [
                    (1, Status.COMPLETE), (2, Status.PENDING)
                ]  # fmt: skip
            assert [row.step for row in session.log.invocations("b")] == [1]

    def test_each_of_several_refused_flows_is_told(self) -> None:
        with self.opened() as session:
            session.make(*(Start(flow_row(flow_id)) for flow_id in "abc"))
            settled = session.make(changed(1, "a"), made(1, "b"), changed(1, "c"))
            assert settled.refused.keys() == {"a", "c"}
            assert len(session.log.invocations("b")) == 1

    def test_a_stopped_flow_is_told_once_and_its_writes_are_dropped(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), Start(flow_row("g")))
            assert session.make(changed(1)).refused.keys() == {"f"}
            settled = session.make(made(1), flow_changed(FlowStatus.FAILED), made(1, "g"))
            assert not settled.refused
            assert session.log.invocations("f") == []
            assert len(session.log.invocations("g")) == 1

    def test_a_readmitted_flow_is_written_again(self) -> None:
        for together in (True, False):
            with self.opened() as session:
                session.make(Start(flow_row()))
                writes: list[Write] = [changed(1), made(1), Readmit("f"), flow_changed(FlowStatus.PARKED), made(2)]
                if together:
                    session.make(*writes)
                else:
                    for write in writes:
                        session.make(write)
                found = session.log.flow("f")
                assert found is not None
                assert found.status is FlowStatus.PARKED
                assert [row.step for row in session.log.invocations("f")] == [2]

    def test_readmitting_a_flow_that_is_not_stopped_changes_nothing(self) -> None:
        with self.opened() as session:
            assert not session.make(Start(flow_row()), Readmit("f"), made(1), Readmit("unknown")).refused
            assert len(session.log.invocations("f")) == 1

    def test_a_refused_question_is_answered_with_its_error_and_stops_nothing(self) -> None:
        missing = Reopen("g", 0, archive=(7,), restate=(), reopened=(), unread=())
        with self.opened() as session:
            session.make(Start(flow_row()), Send(signal("s1")), Start(flow_row("g", FlowStatus.FAILED)))
            settled = session.make(Send(signal("s1")), made(1), missing, made(1, "g"))
            assert not settled.refused
            assert all(isinstance(answer, RowRefused) for answer in settled.answers)
            assert len(session.log.invocations("f")) == len(session.log.invocations("g")) == 1
            assert session.log.flow("g") == flow_row("g", FlowStatus.FAILED)

    def test_questions_about_a_stopped_flow_are_answered_with_what_stopped_it(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()))
            stopped_by = session.make(changed(1)).refused["f"]
            settled = session.make(Start(flow_row()), Send(signal("s1")), Resume("f"), Start(flow_row("g")))
            assert settled.answers == [stopped_by, stopped_by, stopped_by, None]
            assert session.log.unread_signals("f") == []

    def test_text_with_a_lone_surrogate_is_refused(self) -> None:
        bad = f"a{LONE_SURROGATE}"
        with self.opened() as session:
            session.make(Start(flow_row()), Start(flow_row("g")))
            settled = session.make(
                replace(made(1), parameters=bad), made(1, "g"), replace(changed(1, "g"), return_value=bad)
            )
            assert settled.refused.keys() == {"f", "g"}
            assert session.log.invocations("f") == []
            assert [row.status for row in session.log.invocations("g")] == [Status.PENDING]

    def test_an_id_with_a_lone_surrogate_is_refused_and_not_found(self) -> None:
        bad = f"flow-{LONE_SURROGATE}"
        with self.opened() as session:
            settled = session.make(Start(flow_row(bad)), Start(flow_row("g")), Send(signal(bad, "g")))
            assert isinstance(settled.answers[0], RowRefused)
            assert settled.answers[1] is None
            assert isinstance(settled.answers[2], RowRefused)
            assert session.log.flow(bad) is None
            assert session.log.invocations(bad) == []
            assert session.log.unread_signals(bad) == []
            assert [row.flow_id for row in session.log.flows()] == ["g"]
