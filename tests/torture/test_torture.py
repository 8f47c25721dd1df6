"""A short torture with fixed seeds, and proof that it finds what is wrong: bugs planted in the runtime are found."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

import msgspec
import pytest

from persistasaurus import attempts, reopening
from persistasaurus.attempts import Attempts
from persistasaurus.deliveries import Deliveries
from persistasaurus.flow_record import FlowRecord
from persistasaurus.open_call import OpenCall, State
from persistasaurus.records import CallChanged, InvocationRow, Kind, Reopen, Status, Write
from tests.runtime.simulation import world

from .__main__ import main
from .compiling import NotCompiled, compiled
from .findings import check_seeds, finding
from .grammar import Program, node, random_program
from .shrinking import shrink
from .source import class_source

PROGRAMS = 256
CHUNKS = 8
"""Each is compiled at once."""


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    """Thousands of flows fail as they should; writing down each of their tracebacks is most of the work."""
    for name in ("persistasaurus.flow", "asyncio"):
        caplog.set_level(logging.CRITICAL, name)


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_random_programs_hold_what_is_promised(chunk: int) -> None:
    size = PROGRAMS // CHUNKS
    checked = check_seeds(range(chunk * size, (chunk + 1) * size))
    assert checked.trouble == {}
    assert checked.programs == size
    assert checked.runs > 3 * size


def test_the_programs_use_the_whole_grammar() -> None:
    kinds = {each.kind for seed in range(PROGRAMS) for each in random_program(seed).root.walk()}
    assert kinds >= {
        "step", "sleep", "signal", "raise", "sequence", "branch", "loop", "attempt", "ensure", "parallel", "gather",
        "group", "wait", "background", "queue", "lock", "event", "barrier", "generator", "completed", "limit", "cancel",
        "stubborn", "split",
    }  # fmt: skip


def test_a_program_is_written_as_a_reader_would_write_it() -> None:
    work = node("step", name="s1", form="async", once=False, retry=0, delay=5, listed=True, fails=0, behaviour="obeys")
    loop = node("loop", node("limit", work, how="timeout", seconds=3), times=2, ends_early=True)
    written = """\
class LoopFlow:
    def __init__(self, new_trace: Callable[[], list[str]]) -> None:
        self.new_trace = new_trace

    @flow
    async def run(self) -> Json:
        seen = self.new_trace()  # persistc: allow[PST204] the world looks at it
        v1 = None
        for i1 in range(2):
            try:
                async with asyncio.timeout(3):
                    v3 = await self.work_delay5(f"s1.{i1}", 0, "obeys")
                    note(seen, f"s1 gave {v3!r}")
                    v2 = v3
            except TimeoutError:
                v2 = "too late"
            note(seen, f"timeout gave {v2!r}")
            v1 = v2
            if odd(v1):
                break
        return v1

    @step(delay=timedelta(seconds=5), raises=(Declined,))
    async def work_delay5(self, name: str, fails: int, behaviour: str) -> int:
        raise NotImplementedError("the simulated world says what bodies do")
"""
    assert class_source("LoopFlow", Program(loop, plain=False, calm=True)) == written


def test_a_program_that_persistc_refuses_is_told() -> None:
    wrong = node("step", name="s1", form="async", once=True, retry=3, delay=0, listed=True, fails=0, behaviour="obeys")
    with (
        pytest.raises(NotCompiled, match="at_most_once"),
        compiled({"WrongFlow": Program(wrong, plain=False, calm=True)}),
    ):
        pass


# -- planted bugs -----------------------------------------------------------------------------------------------------

Plant = Callable[[pytest.MonkeyPatch], None]


def forgets_cancelled_steps(patch: pytest.MonkeyPatch) -> None:
    """A record is not put."""
    put = FlowRecord.put

    def put_some(self: FlowRecord, write: Write) -> None:
        if not (isinstance(write, CallChanged) and write.status is Status.CANCELLED and write.delivery is None):
            put(self, write)

    patch.setattr(FlowRecord, "put", put_some)


def delivers_without_a_record(patch: pytest.MonkeyPatch) -> None:
    """Two outcomes change places between what is recorded and what the flow sees."""
    hand = Deliveries.deliver

    def later_first(self: Deliveries, call: OpenCall, status: Status, text: str | None, value: object) -> None:
        if self.inbox and isinstance(self.inbox[0][0], OpenCall) and status is Status.COMPLETE:
            other = self.inbox[0]
            if other[1] is Status.COMPLETE and isinstance(value, int) and isinstance(other[3], int):
                self.inbox[0] = (other[0], other[1], other[2], value)
                value = other[3]
        hand(self, call, status, text, value)

    patch.setattr(Deliveries, "deliver", later_first)


def starts_bodies_too_early(patch: pytest.MonkeyPatch) -> None:
    """A body runs before its record is durable (G1)."""

    def start(self: FlowRecord, call: OpenCall) -> None:
        call.durable()

    patch.setattr(FlowRecord, "when_durable", start)


def runs_everything_again(patch: pytest.MonkeyPatch) -> None:
    """A step that may run at most once does not (G2)."""
    patch.setattr(attempts, "_is_interrupted", lambda call: False)


def tells_another_time_at_replay(patch: pytest.MonkeyPatch) -> None:
    """The clock of a flow stands still in a replay (G4)."""
    hand = Deliveries.hand_recorded

    def hand_late(self: Deliveries, call: OpenCall, row: InvocationRow) -> None:
        hand(self, call, msgspec.structs.replace(row, delivered_at=(row.delivered_at or 0) + 1))

    patch.setattr(Deliveries, "hand_recorded", hand_late)


def runs_a_step_twice(patch: pytest.MonkeyPatch) -> None:
    """A body that has returned runs again (G2)."""
    returned = Attempts.returned

    def returned_at_last(self: Attempts, call: OpenCall, value: object) -> None:
        if call.kind is Kind.STEP and call.attempts == 1 and call.state == State.RUNNING:
            self.start(call)
        else:
            returned(self, call, value)

    patch.setattr(Attempts, "returned", returned_at_last)


def reopens_too_little(patch: pytest.MonkeyPatch) -> None:
    """What was cancelled because of a failure stays cancelled when the flow is retried (G7)."""

    def plan(*args: object) -> Reopen:
        found = reopening.plan_reopening(*args)  # type: ignore[arg-type]  # as they come
        kept = tuple(each for each in found.restate if each.step in found.reopened[:1])
        return msgspec.structs.replace(found, restate=kept, reopened=found.reopened[:1])

    patch.setattr(world, "plan_reopening", plan)


PLANTED: tuple[Plant, ...] = (
    forgets_cancelled_steps,
    delivers_without_a_record,
    starts_bodies_too_early,
    runs_everything_again,
    tells_another_time_at_replay,
    runs_a_step_twice,
    reopens_too_little,
)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert check_seeds(range(48)).trouble


def test_a_finding_is_a_small_program_and_how_to_run_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    runs_everything_again(monkeypatch)
    [seed, *_] = check_seeds(range(8)).trouble
    text = finding(seed)
    assert "ran twice" in text
    assert f"class Program{seed}:" in text
    assert text.count("await self.") <= 2 < sum(1 for _ in random_program(seed).root.walk())
    assert text.count("at_most_once=True") == 1
    assert f"again: python -m tests.torture --again {seed}\n" in text
    assert main(["--again", str(seed)]) == 1
    assert capsys.readouterr().out.strip() == text.strip()


def test_what_does_not_fail_is_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--again", "0"]) == 0
    assert capsys.readouterr().out == "seed 0: nothing found\n"


def test_shrinking_leaves_what_the_failure_needs() -> None:
    def fails(programs: Sequence[Program]) -> list[bool]:
        return ["step" in {each.kind for each in program.root.walk()} for program in programs]

    program = next(each for each in map(random_program, range(PROGRAMS)) if len(list(each.root.walk())) > 20)
    small = shrink(program, fails)
    assert [each.kind for each in small.root.walk()] == ["step"]
    assert (small.root["fails"], small.root["retry"], small.root["behaviour"]) == (0, 0, "obeys")
