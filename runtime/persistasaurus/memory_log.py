"""An execution log in memory: for tests, of ours and of users, that crash a program thousands of times a second."""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Callable, Collection, Sequence

from msgspec import Struct

from persistasaurus.errors import LogError, LogInUse, RowRefused
from persistasaurus.log import HEAD_START, SEED_SIZE, Snapshot, no_news
from persistasaurus.memory_committers import LoopCommitter, ThreadCommitter
from persistasaurus.memory_rows import MemoryRows
from persistasaurus.records import (
    FLOW_STEP,
    Answer,
    Commit,
    Extend,
    FlowRow,
    FlowStatus,
    InvocationRow,
    Question,
    Readmit,
    SignalRow,
    Sweep,
    Write,
    flow_of,
)
from persistasaurus.row_changes import RUN_BY_NOBODY, is_free_of, passing_the_fence


class InMemoryLog:
    """An `ExecutionLog` whose content lives as long as the object: a closed one can be opened again.

    With automatic commit everything that waits is committed soon after `put` and never inside it: in the next turn of
    the event loop that was running at `open`, or on a thread of the log's own if none was. Without it nothing becomes
    durable before the test says `commit`, so a test decides which writes one commit holds and where a crash strikes.

    Args:
        auto_commit: Commit by itself; False leaves it to `commit`.
        seed: Sixteen bytes from which flows draw what `uuid4()` and `random()` give them, the same in every test that
            gives the same; made at random if left out.
    """

    def __init__(self, *, auto_commit: bool = True, seed: bytes | None = None) -> None:
        if seed is not None and len(seed) != SEED_SIZE:
            raise ValueError(f"InMemoryLog(seed={seed!r}): give {SEED_SIZE} bytes, or leave it out")
        self._auto_commit = auto_commit
        self._shared = _Shared(MemoryRows(), secrets.token_bytes(SEED_SIZE) if seed is None else seed)
        self._engine = 0
        self._dropping = False
        self._queue: list[Write] = []
        self._position = 0
        self._stopped: dict[str, Exception] = {}
        self._refused: set[tuple[str, int]] = set()
        self._on_commit: Callable[[Commit], None] | None = None
        self._on_news: Callable[[], None] = no_news
        self._committer: LoopCommitter | ThreadCommitter | None = None
        self._guard = threading.Lock()

    def beside(self) -> InMemoryLog:
        """Another log object on the same rows, for another engine."""
        log = InMemoryLog(auto_commit=self._auto_commit)
        log._shared = self._shared
        return log

    # The execution log

    def open(self, on_commit: Callable[[Commit], None], on_news: Callable[[], None] = no_news) -> None:
        if self._on_commit is not None:
            raise LogInUse("another engine of this process has this InMemoryLog open: close that engine first")
        self._on_commit = on_commit
        self._on_news = on_news
        self._dropping = False
        self._engine = self._shared.join(self)
        if self._auto_commit:
            try:
                self._committer = LoopCommitter(asyncio.get_running_loop(), self._commit_waiting)
            except RuntimeError:
                self._committer = ThreadCommitter(self._commit_waiting)

    def close(self) -> None:
        if self._on_commit is None:
            return
        if self._committer is not None:
            self._committer.stop()
            self._committer = None
        self._commit_waiting()
        self._stopped.clear()
        self._on_commit = None
        self._shared.leave(self, self._engine)

    @property
    def seed(self) -> bytes:
        return self._shared.seed

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
        return self._shared.rows.flows.get(flow_id)

    def invocations(self, flow_id: str, *, after: int = 0, limit: int = 1000) -> Sequence[InvocationRow]:
        with self._shared.guard:
            calls = self._shared.rows.calls.get(flow_id, {})
            return [calls[step] for step in sorted(step for step in calls if step > after)[:limit]]

    def archived(self, flow_id: str, *, limit: int = 1000) -> Sequence[InvocationRow]:
        with self._shared.guard:
            return self._shared.rows.archived.get(flow_id, [])[:limit]

    def unread_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return [signal for signal in self._signals(flow_id) if signal.taken_by is None]

    def taken_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return [signal for signal in self._signals(flow_id) if signal.taken_by is not None]

    def flows(
        self, *, status: FlowStatus | None = None, after: tuple[int, str] | None = None, limit: int = 100
    ) -> Sequence[FlowRow]:
        with self._shared.guard:
            rows = self._shared.rows.flows
            found = [(row.timestamp, row.flow_id) for row in rows.values() if status is None or row.status is status]
            wanted = sorted(place for place in found if after is None or place > after)[:limit]
            return [rows[flow_id] for _, flow_id in wanted]

    def available(
        self,
        now: int,
        names: Collection[str],
        *,
        other: bool = False,
        after: tuple[int, str] | None = None,
        limit: int = 100,
    ) -> Sequence[FlowRow]:
        with self._shared.guard:
            rows, owners = self._shared.rows.flows, self._shared.rows.owners
            found: list[tuple[int, str]] = []
            for row in rows.values():
                if (row.name in names) is other:
                    continue
                owner = owners.get(row.flow_id)
                if row.status is FlowStatus.RUNNING and owner is None:
                    found.append((row.timestamp, row.flow_id))
                elif row.status is FlowStatus.WAITING and row.due is not None:
                    elsewhere = owner != self._engine and owner in self._shared.living
                    if row.due <= (now - HEAD_START if elsewhere else now):
                        found.append((row.due, row.flow_id))
            wanted = sorted(place for place in found if after is None or place > after)[:limit]
            return [rows[flow_id] for _, flow_id in wanted]

    def next_due(self, after: int) -> int | None:
        with self._shared.guard:
            return min((due for due, _ in self._shared.rows.due_times() if due > after), default=None)

    def ended(self, flow_ids: Collection[str]) -> Sequence[FlowRow]:
        with self._shared.guard:
            found = [self._shared.rows.flows.get(flow_id) for flow_id in flow_ids]
        return [row for row in found if row is not None and row.status in RUN_BY_NOBODY]

    def snapshot(self, flow_id: str) -> Snapshot | None:
        with self._shared.guard:
            rows = self._shared.rows
            flow = rows.flows.get(flow_id)
            if flow is None:
                return None
            return Snapshot(
                flow,
                tuple(call for _, call in sorted(rows.calls.get(flow_id, {}).items())),
                tuple(rows.archived.get(flow_id, ())),
                tuple(signal for _, signal in sorted(rows.signals.get(flow_id, {}).items())),
            )

    def last_signal(self) -> int:
        with self._shared.guard:
            return len(self._shared.rows.sent)

    def signals_from_others(self, after: int, to: int) -> Sequence[SignalRow]:
        with self._shared.guard:
            rows = self._shared.rows
            found = [rows.now(signal) for engine, signal in rows.sent[after:to] if engine != self._engine]
            return [signal for signal in found if signal is not None]

    def _signals(self, flow_id: str) -> list[SignalRow]:
        with self._shared.guard:
            signals = self._shared.rows.signals.get(flow_id, {})
            return [signals[signal_id] for signal_id in sorted(signals)]

    # What tests add to it

    @property
    def queued(self) -> int:
        """How many writes wait for a commit."""
        return len(self._queue)

    @property
    def journal(self) -> Sequence[Write]:
        """The writes that became durable since the log was new, in order; not those that were refused or dropped."""
        return tuple(entry.write for entry in self._shared.journal)

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
        with self._shared.one_commit:
            with self._shared.guard, self._guard:
                commit = self._settle(count)
            on_commit(commit)
        self._shared.tell_others(self)
        return commit

    def refuse(self, flow_id: str, step: int = FLOW_STEP) -> None:
        """Refuse every write to this row from now on, as a database may refuse one row among many."""
        self._refused.add((flow_id, step))

    def accept_all(self) -> None:
        """Refuse nothing any more."""
        self._refused.clear()

    def crashed(self, writes: int | None = None) -> InMemoryLog:
        """A new log with what this one would hold had the process died.

        Args:
            writes: How many writes were durable by then, counted along `journal` and on along the queue; those that
                are durable now if left out.

        Returns:
            An unopened log that commits as this one does, and refuses nothing. Every engine is gone.
        """
        log = InMemoryLog(auto_commit=self._auto_commit)
        shared = self._shared
        with shared.guard, self._guard:
            if writes is None or writes == len(shared.journal):
                rows = shared.rows.copy()
            else:
                rows = shared.beginning.copy()
                for entry in shared.journal[:writes]:
                    entry.make(rows)
                if writes > len(shared.journal):
                    more = self._queue[: writes - len(shared.journal)]
                    then = _Shared(rows, shared.seed, dict(shared.living))
                    _make_all(then, more, self._refused, dict(self._stopped), self._engine)
                    rows = then.rows
        for flow_id in [flow_id for flow_id, row in rows.flows.items() if row.status is FlowStatus.RUNNING]:
            rows.owners.pop(flow_id, None)
        log._shared = _Shared(rows, shared.seed)
        return log

    def _commit_waiting(self) -> None:
        if self._queue:
            self.commit()

    def _settle(self, count: int | None) -> Commit:
        shared = self._shared
        writes = self._queue[:count]
        del self._queue[: len(writes)]
        position = self._position - len(self._queue)
        fenced = 0
        if self._engine not in shared.living:
            fenced = self._engine = shared.enter()
            self._dropping = True
        if self._dropping:
            writes, self._dropping = passing_the_fence(writes, self._engine)
        made, refused, answers = _make_all(shared, writes, self._refused, self._stopped, self._engine)
        shared.journal += made
        first = position - len(writes) + 1
        return Commit(position, refused, {first + index: answer for index, answer in answers.items()}, fenced)


class _Entry(Struct, frozen=True):
    """A write that became durable, and what it depended on."""

    write: Write
    engine: int
    living: frozenset[int]

    def make(self, rows: MemoryRows) -> None:
        rows.make(self.write, self.engine, self.living)


class _Shared:
    """What log objects on the same rows share."""

    def __init__(self, rows: MemoryRows, seed: bytes, living: dict[int, float] | None = None) -> None:
        self.seed = seed
        self.beginning = rows
        self.rows = rows.copy()
        self.journal: list[_Entry] = []
        self.living = {} if living is None else living
        """The engines whose claims count, and until when, in seconds of the monotonic clock."""
        self.guard = threading.Lock()
        self.one_commit = threading.RLock()
        self._gone: set[int] = set()
        self._engines = 0
        self._open: list[InMemoryLog] = []

    def join(self, log: InMemoryLog) -> int:
        with self.guard:
            self._open.append(log)
            return self.enter()

    def enter(self) -> int:
        """A new engine; its number."""
        self._engines += 1
        self.living[self._engines] = float("inf")
        return self._engines

    def leave(self, log: InMemoryLog, engine: int) -> None:
        with self.guard:
            self._open.remove(log)
            self.living.pop(engine, None)
            self.rows.free({engine}, len(self.rows.flows))
        self.tell_others(log)

    def sweep(self, write: Sweep, engine: int) -> int:
        now = time.monotonic()
        judging = write.leases and self.living[engine] > now
        gone = {
            each
            for each, until in self.living.items()
            if each != engine and (each in write.dead or (judging and until <= now))
        }
        for each in gone:
            del self.living[each]
        self._gone |= gone
        return self.rows.free(self._gone, write.limit)

    def tell_others(self, log: InMemoryLog) -> None:
        for other in list(self._open):
            if other is not log:
                other._on_news()


def _make_all(
    shared: _Shared,
    writes: Sequence[Write],
    refusing: set[tuple[str, int]],
    stopped: dict[str, Exception],
    engine: int,
) -> tuple[list[_Entry], dict[str, Exception], dict[int, Answer | Exception]]:
    """Make the writes, one after the other; returns those made, the flows stopped, and the answers by index."""
    made: list[_Entry] = []
    refused: dict[str, Exception] = {}
    answers: dict[int, Answer | Exception] = {}
    for index, write in enumerate(writes):
        flow_id = flow_of(write)
        if stopped:
            if type(write) is Readmit:
                stopped.pop(flow_id, None)
            elif flow_id in stopped and not is_free_of(stopped[flow_id], write):
                if isinstance(write, Question):
                    answers[index] = stopped[flow_id]
                continue
        try:
            if refusing and (flow_id, getattr(write, "step", FLOW_STEP)) in refusing and type(write) is not Readmit:
                raise RowRefused(
                    f"flow {flow_id!r}: this {type(write).__name__} is refused because a test asked for it"
                )
            answer: Answer = shared.rows.make(write, engine, shared.living)
        except RowRefused as error:
            if isinstance(write, Question):
                answers[index] = error
            else:
                stopped[flow_id] = refused[flow_id] = error
            continue
        if isinstance(write, Extend):
            shared.living[engine] = time.monotonic() + write.lease / 1e6
        elif isinstance(write, Sweep):
            answer = shared.sweep(write, engine)
        else:
            made.append(_Entry(write, engine, frozenset(shared.living)))
        if isinstance(write, Question):
            answers[index] = answer
    return made, refused, answers
