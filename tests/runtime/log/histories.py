"""Random histories of writes: most of them what an engine might put, some of them nonsense that a log refuses."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st

from persistasaurus.errors import RowRefused
from persistasaurus.memory_rows import MemoryRows
from persistasaurus.records import (
    CallChanged,
    CallMade,
    Claim,
    Delete,
    FlowChanged,
    FlowRow,
    FlowStatus,
    InvocationRow,
    Kind,
    Question,
    Readmit,
    Release,
    Reopen,
    Resume,
    Send,
    SignalReturned,
    SignalRow,
    SignalTaken,
    Start,
    Status,
    Write,
    flow_of,
)

FLOWS = ("a", "b", "c\0")
NAMES = ("C.m",)
ENGINES = (1, 2)
"""The numbers of the first engines that open a log."""

small = st.integers(0, 3)
maybe = st.none() | small
texts = st.sampled_from(("[]", "null", "", "a\0b", "é"))
maybe_text = st.none() | texts


class _Author:
    """Writes a history; keeps the rows it leads to, to know what makes sense."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._rows = MemoryRows()
        self._stopped: dict[int, set[str]] = {engine: set() for engine in ENGINES}
        self.engine = ENGINES[0]
        """Who writes next."""

    def write(self) -> Write:
        """One more write."""
        flow_id = self._draw(st.sampled_from(FLOWS))
        if flow_id in self._stopped[self.engine] and self._draw(st.booleans()):
            write: Write = Readmit(flow_id)
        else:
            actions = [action for action, weight in self._actions() for _ in range(weight)]
            write = self._draw(st.sampled_from(actions))(flow_id)
        self._keep(write)
        return write

    def start_running(self, flow_id: str) -> Write:
        """The start of a flow."""
        write = Start(FlowRow(flow_id, "C", "m", 1, "[]", FlowStatus.RUNNING, "3.11"))
        self._keep(write)
        return write

    def _keep(self, write: Write) -> None:
        flow_id = flow_of(write)
        if isinstance(write, Readmit):
            self._stopped[self.engine].discard(flow_id)
        elif flow_id not in self._stopped[self.engine]:
            try:
                self._rows.make(write, self.engine, ENGINES)
            except RowRefused:
                if not isinstance(write, Question):
                    self._stopped[self.engine].add(flow_id)

    def _actions(self) -> list[tuple[Callable[[str], Write], int]]:
        return [
            (self._start, 1),
            (self._make, 6),
            (self._wait, 3),
            (self._change, 8),
            (self._change_flow, 3),
            (self._send, 3),
            (self._take, 4),
            (self._return, 1),
            (self._fail_or_reopen, 4),
            (Resume, 1),
            (self._claim, 3),
            (self._release, 1),
            (Delete, 1),
            (self._nonsense, 1),
        ]

    def _start(self, flow_id: str) -> Write:
        status = self._draw(st.sampled_from(FlowStatus))
        return Start(
            FlowRow(
                flow_id,
                "C",
                "m",
                self._draw(small),
                self._draw(texts),
                status,
                "3.11",
                0,
                self._draw(maybe),
                version=self._draw(small),
            ),
            self._draw(st.booleans()),
        )

    def _claim(self, flow_id: str) -> Write:
        return Claim(flow_id, self._draw(st.booleans()))

    def _release(self, flow_id: str) -> Write:
        return Release(flow_id, self._claims(flow_id))

    def _claims(self, flow_id: str) -> int:
        flow = self._rows.flows.get(flow_id)
        now = 0 if flow is None else flow.claims
        return self._draw(st.sampled_from([now, now, now, now, 0]))

    def _make(self, flow_id: str, kind: Kind = Kind.STEP, status: Status = Status.PENDING) -> Write:
        step = max(self._rows.calls.get(flow_id, {}), default=0) + 1
        return self._call(flow_id, step, kind, status)

    def _wait(self, flow_id: str) -> Write:
        return self._make(flow_id, Kind.SIGNAL, Status.WAITING_FOR_SIGNAL)

    def _call(self, flow_id: str, step: int, kind: Kind, status: Status) -> Write:
        draw = self._draw
        return CallMade(
            flow_id, step, kind, "C", "m", draw(maybe_text), draw(small), draw(small), draw(texts), draw(maybe),
            draw(small), status, draw(small), draw(maybe),
        )  # fmt: skip

    def _change(self, flow_id: str, step: int | None = None) -> Write:
        draw = self._draw
        rows = list(self._rows.calls.get(flow_id, {}).values())
        if step is None and not rows:
            return self._make(flow_id)
        row: InvocationRow | None = draw(st.sampled_from(rows)) if step is None else None
        status = draw(st.sampled_from([Status.COMPLETE, *Status, *([row.status] * 3 if row else [])]))
        return CallChanged(
            flow_id, row.step if row else step or 1, status, draw(small), draw(small), draw(maybe), draw(maybe_text),
            draw(maybe), draw(maybe), draw(maybe),
        )  # fmt: skip

    def _change_flow(self, flow_id: str) -> Write:
        return self._flow_changed(flow_id, self._draw(st.sampled_from(FlowStatus)))

    def _flow_changed(self, flow_id: str, status: FlowStatus) -> Write:
        draw = self._draw
        return FlowChanged(
            flow_id, status, draw(maybe), draw(small), draw(maybe_text), draw(maybe_text), draw(maybe),
            self._claims(flow_id), draw(st.sampled_from((0, 100))),
        )  # fmt: skip

    def _send(self, flow_id: str) -> Write:
        signal_id = f"s{len(self._rows.signals.get(flow_id, {}))}"
        return Send(SignalRow(signal_id, flow_id, "m", self._draw(maybe_text), "[]", self._draw(small)))

    def _take(self, flow_id: str) -> Write:
        waits = [
            row.step for row in self._rows.calls.get(flow_id, {}).values() if row.status is Status.WAITING_FOR_SIGNAL
        ]
        if not waits:
            return self._wait(flow_id)
        unread = [
            signal.signal_id for signal in self._rows.signals.get(flow_id, {}).values() if signal.taken_by is None
        ]
        if not unread:
            return self._send(flow_id)
        draw = self._draw
        return SignalTaken(flow_id, draw(st.sampled_from(waits)), draw(st.sampled_from(unread)), "[1]", draw(small))

    def _return(self, flow_id: str) -> Write:
        taken = [signal for signal in self._rows.signals.get(flow_id, {}).values() if signal.taken_by is not None]
        if not taken:
            return self._take(flow_id)
        signal = self._draw(st.sampled_from(taken))
        return SignalReturned(flow_id, signal.taken_by or 0, signal.signal_id)

    def _fail_or_reopen(self, flow_id: str) -> Write:
        flow = self._rows.flows.get(flow_id)
        if flow is None:
            return self._start(flow_id)
        if flow.status is not FlowStatus.FAILED:
            return self._flow_changed(flow_id, FlowStatus.FAILED)
        steps = sorted(self._rows.calls.get(flow_id, {}))
        some = st.sets(st.sampled_from(steps), max_size=3) if steps else st.just(set[int]())
        archive = self._draw(some)
        restated = self._draw(some) - archive
        return Reopen(
            flow_id,
            flow.round,
            tuple(sorted(archive)),
            tuple(
                CallChanged(flow_id, step, self._draw(st.sampled_from(Status)), 1, 0, None, None, None, None, None)
                for step in sorted(restated)
            ),
            tuple(sorted(self._draw(some) & restated)),
            tuple(sorted(self._draw(some) & restated)),
        )

    def _nonsense(self, flow_id: str) -> Write:
        draw = self._draw
        step = draw(st.integers(1, 9))
        return draw(
            st.sampled_from(
                [
                    self._call(flow_id, step, Kind.TIMER, Status.PENDING),
                    self._change(flow_id, step),
                    self._flow_changed(flow_id, FlowStatus.RUNNING),
                    Send(SignalRow("s0", flow_id, "m", None, "[]", 0)),
                    SignalTaken(flow_id, step, draw(st.sampled_from(["s0", "s1"])), "[]", 1),
                    SignalReturned(flow_id, step, draw(st.sampled_from(["s0", "s1"]))),
                    Reopen(flow_id, draw(small), (step,), (), (), ()),
                    Readmit(flow_id),
                ]
            )
        )


@st.composite
def histories(draw: st.DrawFn) -> list[list[Write]]:
    """Writes in the batches in which they wait together; most begin with starting the flows."""
    author = _Author(draw)
    beginning = [author.start_running(flow_id) for flow_id in draw(st.permutations(FLOWS))[: draw(st.integers(1, 3))]]
    lengths = draw(st.lists(st.integers(1, 12), max_size=6))
    return [beginning, *([author.write() for _ in range(length)] for length in lengths)]


@st.composite
def histories_of_two_engines(draw: st.DrawFn) -> list[tuple[int, list[Write]]]:
    """Batches, each with the number of the engine that puts it."""
    author = _Author(draw)
    batches = [(author.engine, [author.start_running(flow_id) for flow_id in FLOWS])]
    for length in draw(st.lists(st.integers(1, 8), max_size=8)):
        author.engine = draw(st.sampled_from(ENGINES))
        batches.append((author.engine, [author.write() for _ in range(length)]))
    return batches
