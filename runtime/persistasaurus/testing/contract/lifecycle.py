"""A log is open for one engine at a time, queues what is put, and tells what became durable."""

from __future__ import annotations

import threading

from persistasaurus.errors import LogError, LogInUse
from persistasaurus.log import SEED_SIZE
from persistasaurus.records import Commit, FlowStatus, Start, Status, Write
from persistasaurus.testing.contract.session import (
    PATIENCE,
    LogContract,
    Session,
    changed,
    flow_changed,
    flow_row,
    made,
    refusing,
)


class LifecycleContract(LogContract):
    """Opening, the queue, word of commits, closing."""

    def test_positions_count_from_one(self) -> None:
        with self.opened() as session:
            assert [session.log.put(made(step)) for step in (1, 2, 3)] == [1, 2, 3]

    def test_word_of_commits_comes_in_order_and_up_to_the_last_position(self) -> None:
        with self.opened() as session:
            for step in range(1, 200):
                last = session.log.put(made(step))
            session.settled(0, last)
            positions = [commit.position for commit in session.commits]
            assert positions == sorted(set(positions))
            assert positions[-1] == last

    def test_what_is_told_to_be_durable_is_there_to_read(self) -> None:
        log = self.make_log()
        seen: list[tuple[int, int]] = []
        told = threading.Event()

        def on_commit(commit: Commit) -> None:
            seen.append((commit.position, len(log.invocations("f"))))
            if commit.position == 51:
                told.set()

        log.open(on_commit)
        log.put(Start(flow_row()))
        for step in range(1, 51):
            log.put(made(step))
        assert told.wait(PATIENCE)
        log.close()
        assert all(rows >= position - 1 for position, rows in seen)

    def test_put_does_not_tell_of_a_commit_itself(self) -> None:
        log = self.make_log()
        putting = threading.local()
        inside: list[Commit] = []
        told = threading.Event()

        def on_commit(commit: Commit) -> None:
            if getattr(putting, "now", False):
                inside.append(commit)
            if commit.position == 100:
                told.set()

        log.open(on_commit)
        for step in range(1, 101):
            putting.now = True
            log.put(made(step))
            putting.now = False
        assert told.wait(PATIENCE)
        log.close()
        assert not inside

    def test_put_does_not_wait_while_a_commit_is_told(self) -> None:
        log = self.make_log()
        go_on, told = threading.Event(), threading.Event()

        def on_commit(commit: Commit) -> None:
            told.set()
            assert go_on.wait(PATIENCE)

        log.open(on_commit)
        log.put(Start(flow_row()))
        assert told.wait(PATIENCE)
        assert [log.put(made(step)) for step in (1, 2)] == [2, 3]
        go_on.set()
        log.close()

    def test_writes_from_several_threads_each_keep_their_order(self) -> None:
        with self.opened() as session:
            positions: dict[str, list[int]] = {name: [] for name in "abcd"}

            def put_all(name: str) -> None:
                writes: list[Write] = [Start(flow_row(name))]
                for step in range(1, 101):
                    writes += [made(step, name), changed(step, name)]
                positions[name] = [session.log.put(write) for write in writes]

            threads = [threading.Thread(target=put_all, args=(name,)) for name in positions]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            everything = [position for found in positions.values() for position in found]
            assert sorted(everything) == list(range(1, len(everything) + 1))
            settled = session.settled(0, max(everything))
            assert not settled.refused
            for name, found in positions.items():
                assert found == sorted(found)
                assert {row.status for row in session.log.invocations(name)} == {Status.COMPLETE}

    def test_closing_commits_what_was_put_and_tells_of_it(self) -> None:
        log = self.make_log()
        session = Session(log)
        log.put(Start(flow_row()))
        for step in range(1, 50):
            last = log.put(made(step))
        log.close()
        assert session.position == last
        with self.opened(self.reopened(log)) as again:
            assert again.log.flow("f") == flow_row()
            assert len(again.log.invocations("f")) == 49

    def test_a_closed_log_can_be_opened_again_and_written(self) -> None:
        with self.opened() as session:
            session.make(Start(flow_row()), made(1))
            log = session.log
        with self.opened(self.reopened(log)) as session:
            assert not session.make(changed(1), flow_changed(FlowStatus.COMPLETE)).refused
            assert [row.status for row in session.log.invocations("f")] == [Status.COMPLETE]

    def test_a_flow_stopped_by_a_refused_row_is_written_again_after_opening(self) -> None:
        with self.opened() as session:
            assert "f" in session.make(Start(flow_row()), changed(9)).refused
            log = session.log
        with self.opened(self.reopened(log)) as session:
            assert not session.make(made(1)).refused
            assert len(session.log.invocations("f")) == 1

    def test_an_open_log_is_not_opened_again(self) -> None:
        with self.opened() as session:
            with refusing(LogInUse):
                session.log.open(lambda commit: None)
            assert session.make(Start(flow_row())).answer is None

    def test_a_log_that_is_not_open_takes_no_writes(self) -> None:
        log = self.make_log()
        with refusing(LogError):
            log.put(made(1))
        with self.opened(log):
            pass
        with refusing(LogError):
            log.put(made(1))

    def test_a_log_has_a_seed_and_keeps_it(self) -> None:
        with self.opened() as session:
            seed, log = session.log.seed, session.log
            assert len(seed) == SEED_SIZE
        with self.opened(self.reopened(log)) as again, self.opened(self.beside(again.log)) as beside:
            assert again.log.seed == beside.log.seed == seed

    def test_closing_twice_is_harmless(self) -> None:
        with self.opened() as session:
            session.log.close()
