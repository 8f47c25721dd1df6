"""One batch of writes, made in one transaction: in one statement, in a few, or flow by flow once a row is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

import msgspec

from persistasaurus.errors import ClaimLost, RowRefused
from persistasaurus.records import (
    FLOW_STEP,
    Answer,
    CallChanged,
    CallMade,
    Commit,
    Delete,
    Extend,
    FlowChanged,
    FlowRow,
    FlowStatus,
    Question,
    Readmit,
    Release,
    Reopen,
    Resume,
    Send,
    Start,
    Sweep,
    Write,
    flow_of,
)
from persistasaurus.row_changes import RUN_BY_NOBODY, change_of, flow_released, flow_reopened, is_free_of
from persistasaurus.sqlite_log import engines, rows
from persistasaurus.sqlite_log.evidence import is_all_there, was_counted
from persistasaurus.sqlite_log.fold import ALONE, Fold, Known
from persistasaurus.sqlite_log.many_rows import WRITES, ManyRows

_INSERT_FLOWS: Final = ManyRows("insert_flows", 16)
_INSERT_SIGNALS: Final = ManyRows("insert_signals", 8)
_UPDATE_FLOWS: Final = ManyRows("update_flows", 11)
_WRITE_INVOCATIONS: Final = ManyRows("write_invocations", 19)
_GIVE_SIGNALS: Final = ManyRows("give_signals", 4)
_TAKE_SIGNALS: Final = ManyRows("take_signals", 3)
_RETURN_SIGNALS: Final = ManyRows("return_signals", 3)
_FLOWS_ASKED_ABOUT: Final = ManyRows("flows_asked_about", 1)
_FLOWS: Final = msgspec.json.Decoder(list[rows.OwnedFlowColumns])

_QUESTIONS: Final = frozenset(get_args(Question))
_OF_CALLS: Final = frozenset((CallMade, CallChanged))

_ROW_ERRORS: Final = (
    RowRefused,
    sqlite3.IntegrityError,  # a constraint
    sqlite3.DataError,  # larger than SQLite takes
    sqlite3.InterfaceError,  # of a type SQLite does not take
    sqlite3.ProgrammingError,
    OverflowError,  # an integer of more than 64 bits
    ValueError,  # a lone surrogate
    TypeError,
    KeyError,
    AttributeError,
    msgspec.MsgspecError,  # a flow's row that cannot be read
)
"""What says that a row is refused. Every other error of SQLite says that the file refuses."""


@dataclass(slots=True)
class Batch:
    """What a transaction has done; true once its COMMIT has returned."""

    stopped: dict[str, Exception]
    """Every flow that is stopped after it, with what stopped it."""
    refused: dict[str, Exception] = field(default_factory=dict)
    answers: dict[int, Answer | Exception] = field(default_factory=dict)
    """By index in the batch."""
    count: int = 0
    """Which of its engine's transactions this is."""

    def commit(self, first: int, count: int) -> Commit:
        """What to tell of it, if its writes have the positions from `first` on."""
        answers = {first + index: answer for index, answer in self.answers.items()}
        return Commit(first + count - 1, self.refused, answers)

    def has_happened(self, connection: sqlite3.Connection, engine: int) -> bool:
        """Whether it is in the file, asked after a COMMIT that failed."""
        return was_counted(connection, engine, self.count)


@dataclass(slots=True)
class OneStatement(Batch):
    """A batch of nothing but calls, as most are: one statement makes it and commits it.

    That spares the work of BEGIN and COMMIT, and the interpreter lock is let go and taken again once only.
    """

    fold: Fold = field(default_factory=lambda: Fold(Known(0)))

    def run(self, connection: sqlite3.Connection, engine: int) -> bool:
        """Make it durable; False if a row or the engine is refused, and then nothing has happened.

        Raises:
            sqlite3.Error: The file refuses, and whether it has happened is unknown.
        """
        try:
            _WRITE_INVOCATIONS.run(connection, _calls(self.fold), engine)
        except _ROW_ERRORS:
            return False
        return True

    def has_happened(self, connection: sqlite3.Connection, engine: int) -> bool:
        return is_all_there(connection, self.fold)


def in_one_statement(writes: Sequence[Write], stopped: dict[str, Exception]) -> OneStatement | None:
    """The batch that these writes are, if it takes no more than one statement.

    Args:
        writes: In the order in which they were put.
        stopped: The flows whose writes are dropped, with what stopped them.
    """
    if len(writes) > _WRITE_INVOCATIONS.most or not _OF_CALLS.issuperset(map(type, writes)):
        return None
    if stopped and any(flow_of(write) in stopped for write in writes):
        return None
    fold = Fold(Known(0))
    return OneStatement(stopped, fold=fold) if fold.take(writes, 0) == len(writes) else None


def make(
    connection: sqlite3.Connection, writes: Sequence[Write], stopped: dict[str, Exception], engine: int, count: int
) -> Batch:
    """Make the writes in a transaction, which is left open for COMMIT.

    Args:
        connection: In autocommit mode.
        writes: In the order in which they were put.
        stopped: The flows whose writes are dropped, with what stopped them.
        engine: Whose writes they are.
        count: Which of its transactions this is.

    Raises:
        Fenced: The engine's writes do not count any more.
        sqlite3.Error: The file refuses; the transaction is to be rolled back and nothing has happened.
    """
    engines.begin(connection, engine, count)
    if not (stopped and any(flow_of(write) in stopped for write in writes)):
        try:
            batch = _make_all(connection, writes, stopped, engine)
        except _ROW_ERRORS:
            # Nothing of it may stay: the statements over many rows are not made whole or not at all.
            connection.execute("ROLLBACK")
            engines.begin(connection, engine, count)
            batch = _make_flow_by_flow(connection, writes, stopped, engine)
    else:
        batch = _make_flow_by_flow(connection, writes, stopped, engine)
    batch.count = count
    return batch


def matters_to_others(write: Write) -> bool:
    """Whether other engines may have to act on a write, or wait for it."""
    match write:
        case FlowChanged():
            return write.status not in (FlowStatus.RUNNING, FlowStatus.WAITING)
        case Start():
            return not write.claim
        case Send() | Reopen() | Resume() | Release():
            return True
        case _:
            return False


def _make_all(
    connection: sqlite3.Connection, writes: Sequence[Write], stopped: dict[str, Exception], engine: int
) -> Batch:
    batch = Batch(stopped=stopped)
    known = _flows_asked_about(connection, writes, engine)
    index = 0
    while index < len(writes):
        write = writes[index]
        if isinstance(write, ALONE):
            answer = _make_alone(connection, write, known)
            if isinstance(write, Question):
                batch.answers[index] = answer
            index += 1
        else:
            fold = Fold(known)
            index = fold.take(writes, index)
            _write(connection, fold)
            batch.answers.update(fold.answers)
    return batch


def _make_flow_by_flow(
    connection: sqlite3.Connection, writes: Sequence[Write], stopped: dict[str, Exception], engine: int
) -> Batch:
    """Each flow in a savepoint of its own, so that a refused row costs its neighbours nothing (G1)."""
    by_flow: dict[str, list[int]] = {}
    for index, write in enumerate(writes):
        by_flow.setdefault(flow_of(write), []).append(index)
    batch = Batch(stopped=stopped.copy())
    for flow_id, indexes in by_flow.items():
        if flow_id in stopped or _try(connection, batch, writes, indexes, engine) is not None:
            _make_one_by_one(connection, batch, flow_id, writes, indexes, engine)
    return batch


def _make_one_by_one(
    connection: sqlite3.Connection,
    batch: Batch,
    flow_id: str,
    writes: Sequence[Write],
    indexes: Sequence[int],
    engine: int,
) -> None:
    """Up to the write that is refused and no further, so that the flow's rows are a prefix without a hole (G1)."""
    for index in indexes:
        write = writes[index]
        stopped_by = batch.stopped.get(flow_id)
        if isinstance(write, Readmit):
            batch.stopped.pop(flow_id, None)
        elif stopped_by is not None and not is_free_of(stopped_by, write):
            if isinstance(write, Question):
                batch.answers[index] = stopped_by
        else:
            cause = _try(connection, batch, writes, [index], engine)
            if cause is not None:
                refusal = _refusal(connection, write, cause)
                if isinstance(write, Question):
                    batch.answers[index] = refusal
                else:
                    batch.stopped[flow_id] = batch.refused[flow_id] = refusal


def _try(
    connection: sqlite3.Connection, batch: Batch, writes: Sequence[Write], indexes: Sequence[int], engine: int
) -> Exception | None:
    """Make some of the writes, all or none; returns what was wrong with them."""
    connection.execute("SAVEPOINT part")
    try:
        part = _make_all(connection, [writes[index] for index in indexes], batch.stopped, engine)
    except _ROW_ERRORS as error:
        connection.execute("ROLLBACK TO part")
        connection.execute("RELEASE part")
        return error
    connection.execute("RELEASE part")
    batch.answers.update((indexes[index], answer) for index, answer in part.answers.items())
    return None


def _refusal(connection: sqlite3.Connection, write: Write, cause: Exception) -> RowRefused:
    if isinstance(cause, ClaimLost):
        return cause
    if isinstance(write, FlowChanged | Release):
        found = connection.execute(WRITES["claims_of_flow"], {"flow_id": write.flow_id}).fetchall()
        if found and (found[0][0] != write.claims or isinstance(write, Release)):
            return ClaimLost(f"flow {write.flow_id!r} went to another engine, which goes on with it")
    step = getattr(write, "step", FLOW_STEP)
    of_flow = f"flow {flow_of(write)!r}, step {step}: " if flow_of(write) else ""
    error = RowRefused(f"{of_flow}the log refused a {type(write).__name__}: {cause}")
    error.__cause__ = cause
    return error


def _flows_asked_about(connection: sqlite3.Connection, writes: Sequence[Write], engine: int) -> Known:
    flow_ids = {flow_of(write): None for write in writes if type(write) in _QUESTIONS}
    if not flow_ids:
        return Known(engine)
    known = _flows(connection, flow_ids)
    known.engine = engine
    return known


def _flows(connection: sqlite3.Connection, flow_ids: Iterable[str]) -> Known:
    known = Known(0, dict.fromkeys(flow_ids))
    for text, chunk in _FLOWS_ASKED_ABOUT.chunks(list(known.rows)):
        for row in _FLOWS.decode(connection.execute(text, chunk).fetchall()[0][0]):
            known.rows[row[0]] = FlowRow(*row[:-1])
            known.owners[row[0]] = row[-1]
    return known


def _write(connection: sqlite3.Connection, fold: Fold) -> None:
    """Make the changes of a fold. Rows come before what changes them, and a wait gets its signal before it changes."""
    if fold.flows_started:
        _INSERT_FLOWS.run(connection, rows.started_flows(fold.flows_started.values(), fold.known.owners))
    if fold.signals_sent:
        _INSERT_SIGNALS.run(connection, rows.sent_signals(fold.signals_sent.values(), fold.known.engine))
    if fold.signals_taken:
        _TAKE_SIGNALS.run(connection, rows.moved_signals(fold.signals_taken))
    if fold.signals_returned:
        _RETURN_SIGNALS.run(connection, rows.moved_signals(fold.signals_returned))
    if fold.waits_ended:
        _GIVE_SIGNALS.run(connection, rows.ended_waits(fold.waits_ended.values()))
    if fold.calls_made or fold.calls_changed:
        _WRITE_INVOCATIONS.run(connection, _calls(fold), fold.known.engine)
    if fold.flows_changed:
        changes = fold.flows_changed.values()
        _UPDATE_FLOWS.run(connection, rows.changed_flows(changes, fold.known.engine, fold.known.owners, fold.claimed))


def _calls(fold: Fold) -> list[rows.Cell]:
    return rows.made_calls(fold.calls_made, fold.calls_settled) + rows.changed_calls(fold.calls_changed.values())


def _make_alone(
    connection: sqlite3.Connection, write: Reopen | Release | Delete | Extend | Sweep, known: Known
) -> Answer:
    match write:
        case Reopen():
            return _reopen(connection, write, known)
        case Release():
            _release(connection, write, known)
            return None
        case Delete():
            return _delete(connection, write.flow_id, known)
        case Extend():
            engines.extend(connection, write, known.engine)
            return True
        case Sweep():
            freed = engines.sweep(connection, write, known.engine)
            known.owners = _flows(connection, known.rows).owners
            return freed


def _release(connection: sqlite3.Connection, write: Release, known: Known) -> None:
    if connection.execute(WRITES["release_flow"], {"flow_id": write.flow_id, "claims": write.claims}).rowcount != 1:
        raise RowRefused("there is no such claim")
    row = known.rows.get(write.flow_id)
    if row is not None:
        known.rows[write.flow_id] = flow_released(row)
        known.owners[write.flow_id] = None


def _delete(connection: sqlite3.Connection, flow_id: str, known: Known) -> FlowRow | None:
    found = known.rows[flow_id]
    if found is not None and found.status in RUN_BY_NOBODY:
        for name in ("delete_invocations", "delete_archived", "delete_signals"):
            connection.execute(WRITES[name], {"flow_id": flow_id})
        known.rows[flow_id] = None
    return found


def _reopen(connection: sqlite3.Connection, write: Reopen, known: Known) -> bool:
    found = known.rows[write.flow_id]
    if found is None or found.status is not FlowStatus.FAILED or found.round != write.from_round:
        return False

    def run(name: str, step: int, round_: int) -> int:
        parameters = {"flow_id": write.flow_id, "step": step, "round": round_}
        return connection.execute(WRITES[name], parameters).rowcount

    for step in write.archive:
        if run("archive_invocation", step, write.from_round) != 1:
            raise RowRefused(f"step {step}, to be archived, is not there")
        run("delete_invocation", step, write.from_round)
    for step in (*write.archive, *write.unread):
        run("unread_signals_of_step", step, write.from_round)
    _WRITE_INVOCATIONS.run(connection, rows.changed_calls(write.restate), known.engine)
    reopened = flow_reopened(found)
    for step in {change.step for change in write.restate}.intersection(write.reopened) | {FLOW_STEP}:
        run("move_to_round", step, reopened.round)
    known.rows[write.flow_id] = reopened
    known.owners[write.flow_id] = None
    _UPDATE_FLOWS.run(connection, rows.changed_flows([change_of(reopened)], known.engine, known.owners, {}))
    return True
