"""Reads come in order and in pages."""

from __future__ import annotations

from collections.abc import Sequence

from persistasaurus.records import FlowRow, FlowStatus, Start
from persistasaurus.testing.contract.session import NAMES, LogContract, flow_changed, flow_row, made


class ReadsContract(LogContract):
    """Order and pages."""

    def test_invocations_come_by_step_number_in_pages(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), *(made(step) for step in (3, 1, 2, 12, 5)), made(4, "other"))
            steps = [row.step for row in session.log.invocations("f")]
            assert steps == [1, 2, 3, 5, 12]
            assert [row.step for row in session.log.invocations("f", limit=2)] == [1, 2]
            assert [row.step for row in session.log.invocations("f", after=2, limit=2)] == [3, 5]
            assert session.log.invocations("f", after=12) == []
            assert session.log.invocations("unknown") == []

    def test_a_flow_of_thousands_of_steps_is_read_page_by_page(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), *(made(step) for step in range(1, 2_501)))
            steps: list[int] = []
            while page := session.log.invocations("f", after=steps[-1] if steps else 0):
                assert len(page) <= 1000
                steps += [row.step for row in page]
            assert steps == list(range(1, 2_501))

    def test_flows_come_oldest_first_in_pages(self) -> None:
        with self.opened() as session:
            rows = [flow_row(name, timestamp=time) for name, time in (("c", 5), ("b", 7), ("a", 7), ("d", 1))]
            session.make(*(Start(row) for row in rows))
            ordered = [("d", 1), ("c", 5), ("a", 7), ("b", 7)]
            assert [(row.flow_id, row.timestamp) for row in session.log.flows()] == ordered
            assert _names(session.log.flows(limit=2)) == ["d", "c"]
            assert _names(session.log.flows(after=(5, "c"), limit=2)) == ["a", "b"]
            assert _names(session.log.flows(after=(7, "a"))) == ["b"]
            assert session.log.flows(after=(7, "b")) == []

    def test_flows_of_one_status_come_oldest_first_in_pages(self) -> None:
        with self.opened() as session:
            rows = [flow_row(name, timestamp=time) for name, time in (("a", 4), ("b", 3), ("c", 2), ("d", 1))]
            session.make(*(Start(row) for row in rows), flow_changed(FlowStatus.FAILED, "c"))
            session.make(flow_changed(FlowStatus.FAILED, "a"))
            assert _names(session.log.flows(status=FlowStatus.FAILED)) == ["c", "a"]
            assert _names(session.log.flows(status=FlowStatus.RUNNING)) == ["d", "b"]
            assert _names(session.log.flows(status=FlowStatus.RUNNING, after=(1, "d"), limit=5)) == ["b"]
            assert session.log.flows(status=FlowStatus.PARKED) == []

    def test_due_flows_come_oldest_due_first_in_pages(self) -> None:
        with self.opened() as session:
            dues = (("a", 40), ("b", 20), ("c", 30), ("d", None), ("e", 20), ("f", 10))
            session.make(*(Start(flow_row(name)) for name, _ in dues))
            session.make(*(flow_changed(FlowStatus.WAITING, name, due) for name, due in dues))
            session.make(flow_changed(FlowStatus.RUNNING, "f", 10))
            found = [_names(session.log.available(now, NAMES)) for now in (19, 30)]
            assert found == [[], ["b", "e", "c"]]
            assert _names(session.log.available(30, NAMES, limit=1)) == ["b"]
            assert _names(session.log.available(100, NAMES, after=(20, "b"), limit=2)) == ["e", "c"]

    def test_the_next_due_time_is_the_earliest_that_is_later(self) -> None:
        with self.opened() as session:
            assert session.log.next_due(0) is None
            session.make(Start(flow_row("a")), Start(flow_row("b")), Start(flow_row("c")))
            session.make(flow_changed(FlowStatus.WAITING, "a", 40), flow_changed(FlowStatus.WAITING, "b", 20))
            session.make(flow_changed(FlowStatus.RUNNING, "c", 10))
            assert session.log.next_due(0) == 20
            assert session.log.next_due(20) == 40
            assert session.log.next_due(40) is None


def _names(rows: Sequence[FlowRow]) -> list[str]:
    return [row.flow_id for row in rows]
