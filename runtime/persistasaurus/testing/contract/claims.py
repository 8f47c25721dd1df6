"""Engines that share a log: each flow has one runner, and whoever lost it writes nothing more (G11)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from msgspec.structs import replace

from persistasaurus.errors import ClaimLost, RowRefused
from persistasaurus.log import HEAD_START
from persistasaurus.records import (
    Claim,
    Delete,
    Extend,
    FlowRow,
    FlowStatus,
    Rejoin,
    Release,
    Send,
    SignalTaken,
    Start,
    Status,
    Sweep,
)
from persistasaurus.testing.contract.session import (
    NAMES,
    LogContract,
    Session,
    changed,
    flow_changed,
    flow_row,
    made,
    signal,
    waiting,
)

_IDS = tuple("abcdefgh")


class ClaimsContract(LogContract):
    """Claims, leases, and what one engine hears of the others."""

    @contextmanager
    def two(self) -> Iterator[tuple[Session, Session]]:
        """Two engines on one log."""
        with self.opened() as first, self.opened(self.beside(first.log)) as second:
            yield first, second

    # -- who runs a flow ----------------------------------------------------------------------------------------------

    def test_of_two_who_claim_a_flow_one_gets_it(self) -> None:
        with self.two() as (first, second):
            first.make(*(Start(flow_row(name), claim=False) for name in _IDS))
            answers = zip(
                first.make(*(Claim(name) for name in _IDS)).answers,
                second.make(*(Claim(name) for name in _IDS)).answers,
                strict=True,
            )
            assert all((one is None) != (other is None) for one, other in answers)
            row = first.log.flow("a")
            assert row == replace(flow_row("a"), claims=1)

    def test_a_claim_is_answered_with_the_row_as_found_and_makes_it_running(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()))
            session.make(flow_changed(FlowStatus.WAITING, due=7))
            found = session.make(Claim("f")).answer
            assert found == replace(flow_row(status=FlowStatus.WAITING), due=7)
            assert session.log.flow("f") == replace(flow_row(), claims=1)

    def test_a_flow_is_claimed_by_the_engine_that_started_it(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()))
            assert second.make(Claim("f")).answer is None
            assert first.make(Claim("f")).answer is None
            assert second.log.available(10_000, NAMES) == []

    def test_a_flow_that_waits_has_no_claim(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), flow_changed(FlowStatus.WAITING))
            assert isinstance(second.make(Claim("f")).answer, FlowRow)

    def test_only_a_flow_that_goes_on_can_be_claimed(self) -> None:
        for status in (FlowStatus.COMPLETE, FlowStatus.FAILED, FlowStatus.CANCELLED, FlowStatus.PARKED):
            with self.two() as (first, second):
                first.make(Start(flow_row()), flow_changed(status))
                assert second.make(Claim("f"), Claim("unknown")).answers == [None, None]
                assert second.log.available(10_000, NAMES) == []

    def test_a_parked_flow_is_claimed_by_who_means_it(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), flow_changed(FlowStatus.PARKED))
            assert isinstance(second.make(Claim("f", parked=True)).answer, FlowRow)
            row = second.log.flow("f")
            assert row is not None
            assert (row.status, row.return_value) == (FlowStatus.RUNNING, None)

    def test_a_flow_that_was_started_for_others_waits_to_be_claimed(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row("a"), claim=False), Start(flow_row("b")))
            assert [row.flow_id for row in second.log.available(10_000, NAMES)] == ["a"]

    # -- who may write ------------------------------------------------------------------------------------------------

    def test_who_lost_a_waiting_flow_to_another_writes_nothing_more_for_it(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), made(1), flow_changed(FlowStatus.WAITING, due=5))
            second.make(Claim("f"))
            settled = first.make(flow_changed(FlowStatus.RUNNING), made(2), flow_changed(FlowStatus.COMPLETE))
            assert isinstance(settled.refused["f"], ClaimLost)
            assert first.log.flow("f") == replace(flow_row(), claims=1)
            assert [row.step for row in first.log.invocations("f")] == [1]

    def test_what_is_asked_from_outside_of_a_flow_that_was_lost_is_answered(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), flow_changed(FlowStatus.WAITING, due=5))
            second.make(Claim("f"))
            settled = first.make(flow_changed(FlowStatus.RUNNING), Send(signal("s1")), made(1))
            assert isinstance(settled.refused["f"], ClaimLost)
            assert settled.answer == replace(flow_row(), claims=1)
            assert isinstance(first.make(Send(signal("s2"))).answer, FlowRow)
            assert len(second.log.unread_signals("f")) == 2
            assert second.log.invocations("f") == []

    def test_a_flow_that_waits_goes_on_in_its_engine_without_another_claim(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), flow_changed(FlowStatus.WAITING, due=5))
            assert not first.make(flow_changed(FlowStatus.RUNNING), made(1)).refused
            assert second.make(Claim("f")).answer is None

    def test_a_released_flow_is_anybodys_and_the_giver_writes_nothing_more(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()))
            settled = first.make(Release("f", 0), flow_changed(FlowStatus.COMPLETE))
            assert isinstance(settled.refused["f"], ClaimLost)
            assert [row.flow_id for row in second.log.available(10_000, NAMES)] == ["f"]
            assert isinstance(second.make(Claim("f")).answer, FlowRow)

    def test_a_flow_is_released_by_its_runner_alone(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()))
            second.make(Start(flow_row("g")))
            assert isinstance(second.make(Release("f", 7)).refused["f"], ClaimLost)
            assert isinstance(second.make(Release("unknown", 0)).refused["unknown"], RowRefused)
            assert second.log.available(10_000, NAMES) == []

    def test_closing_gives_back_every_claim(self) -> None:
        with self.opened() as first:
            with self.opened(self.beside(first.log)) as second:
                second.make(*(Start(flow_row(name)) for name in _IDS))
                assert first.log.available(10_000, NAMES) == []
            assert _ids(first.log.available(10_000, NAMES)) == list(_IDS)

    # -- leases -------------------------------------------------------------------------------------------------------

    def test_a_lease_is_extended_by_more_than_nothing(self) -> None:
        with self.opened() as session:
            settled = session.make(Extend(0), Extend(-1), Extend(1_000_000))
            assert isinstance(settled.answers[0], RowRefused)
            assert isinstance(settled.answers[1], RowRefused)
            assert settled.answers[2] is True

    def test_a_claim_whose_lease_is_over_can_be_taken_and_its_old_owner_cannot_write(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), made(1))
            assert second.make(Sweep(), Claim("f")).answers == [0, None]
            first.make(Extend(1))
            assert second.make(Sweep(), Claim("f")).answers == [1, flow_row()]
            settled = first.make(changed(1), made(2), flow_changed(FlowStatus.COMPLETE), Start(flow_row("g")))
            assert any(commit.fenced for commit in first.commits)
            assert not settled.refused
            assert settled.answer is None  # what is asked from outside is done
            assert [row.status for row in first.log.invocations("f")] == [Status.PENDING]
            assert first.log.flow("f") == replace(flow_row(), claims=1)

    def test_a_lone_write_of_who_lost_its_lease_is_dropped_too(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), made(1))
            first.make(Extend(1))
            second.make(Sweep())
            first.settled(0, first.log.put(changed(1)))
            assert any(commit.fenced for commit in first.commits)
            assert [row.status for row in first.log.invocations("f")] == [Status.PENDING]

    def test_who_lost_its_lease_begins_anew(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()))
            first.make(Extend(1))
            second.make(Sweep())
            first.make(made(1))
            first.make(made(2), Rejoin(_fenced(first)), Claim("f"), made(3))
            assert [row.step for row in first.log.invocations("f")] == [3]
            assert second.make(Claim("f")).answer is None

    def test_who_lost_its_lease_twice_begins_anew_once(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()))
            first.make(Extend(1))
            second.make(Sweep())
            first.make(made(1))
            once = _fenced(first)
            first.make(Extend(1))  # a question: it passes
            second.make(Sweep())
            first.make(made(2))
            twice = _fenced(first)
            assert twice > once
            first.make(Rejoin(once), made(3), Rejoin(twice), Claim("f"), made(4))
            assert [row.step for row in first.log.invocations("f")] == [4]

    def test_who_has_lost_its_lease_does_not_judge_others_by_theirs(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), Extend(1))
            second.make(Start(flow_row("g")), Extend(1))
            assert second.make(Sweep(), Claim("f")).answers == [0, None]
            assert first.make(Sweep(), Claim("g")).answers == [0, None]
            assert second.make(Extend(60_000_000), Sweep(), Claim("f")).answers[1:] == [1, flow_row()]

    def test_a_lease_that_was_extended_is_not_swept(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), Extend(1))
            first.make(Extend(60_000_000))
            assert second.make(Sweep(), Claim("f")).answers == [0, None]

    def test_a_sweep_is_bounded_and_the_next_one_goes_on(self) -> None:
        with self.two() as (first, second):
            first.make(*(Start(flow_row(name)) for name in _IDS))
            first.make(Extend(1))
            assert second.make(Sweep(limit=3)).answer == 3
            assert len(second.log.available(10_000, NAMES)) == 3
            assert second.make(Sweep(limit=3), Sweep(limit=3), Sweep(limit=3)).answers == [3, 2, 0]
            assert _ids(second.log.available(10_000, NAMES)) == list(_IDS)

    # -- what there is to run -----------------------------------------------------------------------------------------

    def test_flows_to_run_come_by_since_when_they_can_in_pages(self) -> None:
        with self.opened() as session:
            unclaimed = [Start(flow_row(name, timestamp=time), claim=False) for name, time in (("a", 30), ("b", 10))]
            session.make(*unclaimed, *(Start(flow_row(name)) for name in "cde"))
            session.make(
                *(flow_changed(FlowStatus.WAITING, name, due) for name, due in (("c", 20), ("d", 40), ("e", None)))
            )
            log = session.log
            assert _ids(log.available(40, NAMES)) == ["b", "c", "a", "d"]
            assert _ids(log.available(39, NAMES)) == ["b", "c", "a"]
            assert _ids(log.available(40, NAMES, limit=2)) == ["b", "c"]
            assert _ids(log.available(40, NAMES, after=(20, "c"), limit=2)) == ["a", "d"]

    def test_flows_to_run_are_those_of_the_names_that_are_wanted(self) -> None:
        with self.opened() as session:
            other = replace(flow_row("g"), class_name="", method_name="pay")
            session.make(Start(flow_row(), claim=False), Start(other, claim=False))
            log = session.log
            assert _ids(log.available(9_999, NAMES)) == ["f"]
            assert _ids(log.available(9_999, ("pay",))) == ["g"]
            assert _ids(log.available(9_999, NAMES, other=True)) == ["g"]
            assert log.available(9_999, ()) == []

    def test_a_due_flow_is_left_for_a_moment_to_the_engine_that_had_it(self) -> None:
        with self.opened() as first:
            with self.opened(self.beside(first.log)) as second:
                second.make(Start(flow_row()), flow_changed(FlowStatus.WAITING, due=50))
                assert _ids(second.log.available(50, NAMES)) == ["f"]
                assert first.log.available(50 + HEAD_START - 1, NAMES) == []
                assert _ids(first.log.available(50 + HEAD_START, NAMES)) == ["f"]
            assert _ids(first.log.available(50, NAMES)) == ["f"]  # the other is gone

    # -- what others did ----------------------------------------------------------------------------------------------

    def test_signals_that_others_sent_are_found_by_number(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), Send(signal("s1")))
            second.make(Send(signal("s2")), Send(signal("s3")))
            assert (first.log.last_signal(), second.log.last_signal()) == (3, 3)
            assert [found.signal_id for found in first.log.signals_from_others(0, 3)] == ["s2", "s3"]
            assert [found.signal_id for found in first.log.signals_from_others(2, 3)] == ["s3"]
            assert [found.signal_id for found in second.log.signals_from_others(0, 3)] == ["s1"]

    def test_a_flow_that_comes_to_wait_stays_due_for_a_signal_nobody_heard_of(self) -> None:
        for heard, due in ((0, 3_000), (1, 9_000)):
            with self.two() as (first, second):
                first.make(Start(flow_row()), waiting(1))
                second.make(Send(signal("s1", sent_at=3_000)))
                first.make(replace(flow_changed(FlowStatus.WAITING, due=9_000), heard=heard))
                row = first.log.flow("f")
                assert row is not None
                assert row.due == due
                assert not first.make(SignalTaken("f", 1, "s1", "[]", 1), flow_changed(FlowStatus.WAITING)).refused
                row = first.log.flow("f")
                assert row is not None
                assert row.due is None  # it has read it

    def test_a_signal_of_its_own_does_not_keep_a_flow_due(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), Send(signal("s1")))
            session.make(flow_changed(FlowStatus.WAITING, due=9_000))
            row = session.log.flow("f")
            assert row is not None
            assert row.due == 9_000

    def test_of_some_flows_those_that_have_ended_are_found(self) -> None:
        with self.opened() as session:
            session.make(*(Start(flow_row(name)) for name in _IDS))
            session.make(
                flow_changed(FlowStatus.COMPLETE, "a"),
                flow_changed(FlowStatus.PARKED, "b"),
                flow_changed(FlowStatus.WAITING, "c"),
                flow_changed(FlowStatus.FAILED, "d"),
            )
            assert sorted(_ids(session.log.ended(["a", "b", "c", "e", "unknown"]))) == ["a", "b"]
            assert session.log.ended([]) == []

    # -- a flow as a whole --------------------------------------------------------------------------------------------

    def test_a_snapshot_holds_all_of_a_flow(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), made(1), changed(1), waiting(2), Send(signal("s1")), Start(flow_row("g")))
            snapshot = session.log.snapshot("f")
            assert snapshot is not None
            assert snapshot.flow == flow_row()
            assert snapshot.flow.parameters == '["alice"]'
            assert [(row.step, row.return_value) for row in snapshot.invocations] == [(1, '"1"'), (2, None)]
            assert snapshot.position == 1
            assert snapshot.signals == (signal("s1"),)
            assert snapshot.archived == ()
            assert session.log.snapshot("unknown") is None
            bare = session.log.snapshot("g")
            assert bare is not None
            assert bare.position == 0

    def test_an_ended_flow_can_be_deleted_and_its_id_used_again(self) -> None:
        for status in (FlowStatus.COMPLETE, FlowStatus.FAILED, FlowStatus.CANCELLED, FlowStatus.PARKED):
            with self.opened() as session:
                session.make(Start(flow_row()), made(1), Send(signal("s1")), Start(flow_row("g")), made(1, "g"))
                session.make(flow_changed(status))
                found = session.make(Delete("f")).answer
                assert isinstance(found, FlowRow)
                assert found.status is status
                assert session.log.snapshot("f") is None
                assert session.log.invocations("f") == []
                assert session.log.unread_signals("f") == []
                assert len(session.log.invocations("g")) == 1
                assert session.make(Start(flow_row()), made(1)).answer is None

    def test_a_flow_that_goes_on_is_not_deleted(self) -> None:
        for status in (FlowStatus.RUNNING, FlowStatus.WAITING):
            with self.opened() as session:
                session.make(Start(flow_row()), made(1), flow_changed(status))
                found = session.make(Delete("f"), Delete("unknown")).answers
                assert isinstance(found[0], FlowRow)
                assert found[1] is None
                assert len(session.log.invocations("f")) == 1

    def test_the_number_of_a_deleted_signal_is_not_given_again(self) -> None:
        with self.two() as (first, second):
            first.make(Start(flow_row()), Send(signal("s1")), flow_changed(FlowStatus.FAILED), Delete("f"))
            second.make(Start(flow_row()), Send(signal("s1")))
            assert [found.signal_id for found in first.log.signals_from_others(1, 2)] == ["s1"]


def _fenced(session: Session) -> int:
    """The number an engine got when it last began anew."""
    return [commit.fenced for commit in session.commits if commit.fenced][-1]


def _ids(rows: Sequence[FlowRow]) -> list[str]:
    return [row.flow_id for row in rows]
