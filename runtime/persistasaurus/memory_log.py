"""An execution log in memory: for tests, of ours and of users, that crash a program thousands of times a second."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from persistasaurus.errors import LogError, LogInUse, RowRefused
from persistasaurus.memory_rows import MemoryRows
from persistasaurus.records import (
    FLOW_STEP,
    Answer,
    Commit,
    FlowRow,
    FlowStatus,
    InvocationRow,
    Question,
    Readmit,
    SignalRow,
    Write,
    flow_of,
)


class InMemoryLog:
    """An `ExecutionLog` whose content lives as long as the object: a closed one can be opened again.

    With automatic commit everything that waits is committed soon after `put` and never inside it: in the next turn of
    the event loop that was running at `open`, or on a thread of the log's own if none was. Without it nothing becomes
    durable before the test says `commit`, so a test decides which writes one commit holds and where a crash strikes.

    Args:
        auto_commit: Commit by itself; False leaves it to `commit`.
    """

    def __init__(self, *, auto_commit: bool = True) -> None:
        self._auto_commit = auto_commit
        self._beginning = MemoryRows()
        self._rows = MemoryRows()
        self._journal: list[Write] = []
        self._queue: list[Write] = []
        self._position = 0
        self._stopped: dict[str, Exception] = {}
        self._refused: set[tuple[str, int]] = set()
        self._on_commit: Callable[[Commit], None] | None = None
        self._committer: _LoopCommitter | _ThreadCommitter | None = None
        self._guard = threading.Lock()
        self._one_commit = threading.RLock()

    # The execution log

    def open(self, on_commit: Callable[[Commit], None]) -> None:
        if self._on_commit is not None:
            raise LogInUse("another engine of this process has this InMemoryLog open: close that engine first")
        self._on_commit = on_commit
        if self._auto_commit:
            try:
                self._committer = _LoopCommitter(asyncio.get_running_loop(), self._commit_waiting)
            except RuntimeError:
                self._committer = _ThreadCommitter(self._commit_waiting)

    def close(self) -> None:
        if self._on_commit is None:
            return
        if self._committer is not None:
            self._committer.stop()
            self._committer = None
        self._commit_waiting()
        self._stopped.clear()
        self._on_commit = None

    def put(self, write: Write) -> int:
        if self._on_commit is None:
            raise LogError(f"a {type(write).__name__} was put into an InMemoryLog that is not open")
        with self._guard:
            self._queue.append(write)
            self._position += 1
            position = self._position
        if self._committer is not None:
            self._committer.wake()
        return position

    def flow(self, flow_id: str) -> FlowRow | None:
        return self._rows.flows.get(flow_id)

    def invocations(self, flow_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[InvocationRow]:
        with self._guard:
            calls = self._rows.calls.get(flow_id, {})
            return [calls[step] for step in sorted(step for step in calls if step > after)[:limit]]

    def archived(self, flow_id: str, *, limit: int = 1000) -> Sequence[InvocationRow]:
        with self._guard:
            return self._rows.archived.get(flow_id, [])[:limit]

    def unread_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return [signal for signal in self._signals(flow_id) if signal.taken_by is None]

    def taken_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return [signal for signal in self._signals(flow_id) if signal.taken_by is not None]

    def flows(
        self, *, status: FlowStatus | None = None, after: tuple[int, str] | None = None, limit: int = 100
    ) -> Sequence[FlowRow]:
        with self._guard:
            found = [
                (row.timestamp, row.flow_id)
                for row in self._rows.flows.values()
                if status is None or row.status is status
            ]
            wanted = sorted(place for place in found if after is None or place > after)[:limit]
            return [self._rows.flows[flow_id] for _, flow_id in wanted]

    def due(self, before: int, *, after: tuple[int, str] | None = None, limit: int = 100) -> Sequence[FlowRow]:
        with self._guard:
            places = self._rows.due_times()
            found = sorted(place for place in places if place[0] <= before and (after is None or place > after))
            return [self._rows.flows[flow_id] for _, flow_id in found[:limit]]

    def next_due(self, after: int) -> int | None:
        with self._guard:
            return min((due for due, _ in self._rows.due_times() if due > after), default=None)

    def _signals(self, flow_id: str) -> list[SignalRow]:
        with self._guard:
            signals = self._rows.signals.get(flow_id, {})
            return [signals[signal_id] for signal_id in sorted(signals)]

    # What tests add to it

    @property
    def queued(self) -> int:
        """How many writes wait for a commit."""
        return len(self._queue)

    @property
    def journal(self) -> Sequence[Write]:
        """The writes that became durable since the log was new, in order; not those that were refused or dropped."""
        return tuple(self._journal)

    def commit(self, count: int | None = None) -> Commit:
        """Commit waiting writes, and tell `on_commit` before returning.

        Args:
            count: How many, in the order in which they were put; all of them if left out.

        Returns:
            What the commit settled.
        """
        on_commit = self._on_commit
        if on_commit is None:
            raise LogError("this InMemoryLog is not open, so there is nothing to commit")
        with self._one_commit:
            with self._guard:
                commit = self._settle(count)
            on_commit(commit)
        return commit

    def refuse(self, flow_id: str, step: int = FLOW_STEP) -> None:
        """Refuse every write to this row from now on, as a database may refuse one row among many."""
        self._refused.add((flow_id, step))

    def crashed(self, writes: int | None = None) -> InMemoryLog:
        """A new log with what this one would hold had the process died.

        Args:
            writes: How many writes were durable by then, counted along `journal` and on along the queue; those that
                are durable now if left out.

        Returns:
            An unopened log that commits as this one does, and refuses nothing.
        """
        log = InMemoryLog(auto_commit=self._auto_commit)
        with self._guard:
            if writes is None or writes == len(self._journal):
                rows = self._rows.copy()
            else:
                rows = self._beginning.copy()
                for write in self._journal[:writes]:
                    rows.make(write)
                if writes > len(self._journal):
                    _make_all(rows, self._queue[: writes - len(self._journal)], self._refused, dict(self._stopped))
        log._beginning = rows
        log._rows = rows.copy()
        return log

    def _commit_waiting(self) -> None:
        if self._queue:
            self.commit()

    def _settle(self, count: int | None) -> Commit:
        writes = self._queue[:count]
        del self._queue[: len(writes)]
        position = self._position - len(self._queue)
        made, refused, answers = _make_all(self._rows, writes, self._refused, self._stopped)
        self._journal += made
        first = position - len(writes) + 1
        return Commit(position, refused, {first + index: answer for index, answer in answers.items()})


def _make_all(
    rows: MemoryRows, writes: Sequence[Write], refusing: set[tuple[str, int]], stopped: dict[str, Exception]
) -> tuple[list[Write], dict[str, Exception], dict[int, Answer | Exception]]:
    """Make the writes, one after the other; returns those made, the flows stopped, and the answers by index."""
    made: list[Write] = []
    refused: dict[str, Exception] = {}
    answers: dict[int, Answer | Exception] = {}
    for index, write in enumerate(writes):
        flow_id = flow_of(write)
        if stopped:
            if type(write) is Readmit:
                stopped.pop(flow_id, None)
            elif flow_id in stopped:
                if isinstance(write, Question):
                    answers[index] = stopped[flow_id]
                continue
        try:
            if refusing and (flow_id, getattr(write, "step", FLOW_STEP)) in refusing and type(write) is not Readmit:
                raise RowRefused(
                    f"flow {flow_id!r}: this {type(write).__name__} is refused because a test asked for it"
                )
            answer = rows.make(write)
        except RowRefused as error:
            if isinstance(write, Question):
                answers[index] = error
            else:
                stopped[flow_id] = refused[flow_id] = error
            continue
        made.append(write)
        if isinstance(write, Question):
            answers[index] = answer
    return made, refused, answers


class _LoopCommitter:
    """Commits in the next turn of an event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, commit: Callable[[], None]) -> None:
        self._loop = loop
        self._thread = threading.get_ident()
        self._commit = commit
        self._asked = False
        self._stopped = False

    def wake(self) -> None:
        if self._asked:
            return
        self._asked = True
        if threading.get_ident() == self._thread:
            self._loop.call_soon(self._run)
        else:
            self._loop.call_soon_threadsafe(self._run)

    def _run(self) -> None:
        self._asked = False
        if not self._stopped:
            self._commit()

    def stop(self) -> None:
        self._stopped = True


class _ThreadCommitter:
    """Commits on a thread of its own, for programs without an event loop."""

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit = commit
        self._work = threading.Event()
        self._stopped = False
        self._thread = threading.Thread(target=self._run, name="persistasaurus-memory-log", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        self._work.set()

    def _run(self) -> None:
        while True:
            self._work.wait()
            self._work.clear()
            if self._stopped:
                return
            self._commit()

    def stop(self) -> None:
        self._stopped = True
        self._work.set()
        self._thread.join()
