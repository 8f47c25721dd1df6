"""One batch of writes, made in one transaction: in one statement, in a few, or flow by flow once a row is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, get_args

import msgspec

from persistasaurus.errors import RowRefused
from persistasaurus.records import (
    FLOW_STEP,
    Answer,
    CallChanged,
    CallMade,
    Commit,
    FlowRow,
    FlowStatus,
    Question,
    Readmit,
    Reopen,
    Write,
    flow_of,
)
from persistasaurus.row_changes import change_of, flow_reopened
from persistasaurus.sqlite_log import rows
from persistasaurus.sqlite_log.evidence import has_happened, is_all_there
from persistasaurus.sqlite_log.fold import Fold, KnownFlows
from persistasaurus.sqlite_log.many_rows import WRITES, ManyRows

_INSERT_FLOWS: Final = ManyRows("insert_flows", 13)
_INSERT_SIGNALS: Final = ManyRows("insert_signals", 7)
_UPDATE_FLOWS: Final = ManyRows("update_flows", 7)
_WRITE_INVOCATIONS: Final = ManyRows("write_invocations", 19)
_GIVE_SIGNALS: Final = ManyRows("give_signals", 4)
_TAKE_SIGNALS: Final = ManyRows("take_signals", 3)
_RETURN_SIGNALS: Final = ManyRows("return_signals", 3)
_FLOWS_ASKED_ABOUT: Final = ManyRows("flows_asked_about", 1)
_FLOWS: Final = msgspec.json.Decoder(list[rows.FlowColumns])

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
    folds: list[Fold] = field(default_factory=list)
    reopened: list[Reopen] = field(default_factory=list)

    def commit(self, first: int, count: int) -> Commit:
        """What to tell of it, if its writes have the positions from `first` on."""
        answers = {first + index: answer for index, answer in self.answers.items()}
        return Commit(first + count - 1, self.refused, answers)

    def has_happened(self, connection: sqlite3.Connection) -> bool:
        """Whether it is in the file, asked after a COMMIT that failed."""
        return has_happened(connection, self.folds, self.reopened)


class OneStatement(Batch):
    """A batch of nothing but calls, as most are: one statement makes it and commits it.

    That spares the work of BEGIN and COMMIT, and the interpreter lock is let go and taken again once only.
    """

    def run(self, connection: sqlite3.Connection) -> bool:
        """Make it durable; False if a row is refused, and then nothing has happened.

        Raises:
            sqlite3.Error: The file refuses, and whether it has happened is unknown.
        """
        try:
            _WRITE_INVOCATIONS.run(connection, _calls(self.folds[0]))
        except _ROW_ERRORS:
            return False
        return True

    def has_happened(self, connection: sqlite3.Connection) -> bool:
        return is_all_there(connection, self.folds[0])


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
    fold = Fold({})
    return OneStatement(stopped, folds=[fold]) if fold.take(writes, 0) == len(writes) else None


def make(connection: sqlite3.Connection, writes: Sequence[Write], stopped: dict[str, Exception]) -> Batch:
    """Make the writes in a transaction, which is left open for COMMIT.

    Args:
        connection: In autocommit mode.
        writes: In the order in which they were put.
        stopped: The flows whose writes are dropped, with what stopped them.

    Raises:
        sqlite3.Error: The file refuses; the transaction is to be rolled back and nothing has happened.
    """
    connection.execute("BEGIN IMMEDIATE")
    if not (stopped and any(flow_of(write) in stopped for write in writes)):
        try:
            return _make_all(connection, writes, stopped)
        except _ROW_ERRORS:
            # Nothing of it may stay: the statements over many rows are not made whole or not at all.
            connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
    return _make_flow_by_flow(connection, writes, stopped)


def _make_all(connection: sqlite3.Connection, writes: Sequence[Write], stopped: dict[str, Exception]) -> Batch:
    batch = Batch(stopped=stopped)
    known = _flows_asked_about(connection, writes)
    index = 0
    while index < len(writes):
        write = writes[index]
        if isinstance(write, Reopen):
            batch.answers[index] = _reopen(connection, write, known)
            if batch.answers[index]:
                batch.reopened.append(write)
            index += 1
        else:
            fold = Fold(known)
            index = fold.take(writes, index)
            _write(connection, fold)
            batch.folds.append(fold)
            batch.answers.update(fold.answers)
    return batch


def _make_flow_by_flow(connection: sqlite3.Connection, writes: Sequence[Write], stopped: dict[str, Exception]) -> Batch:
    """Each flow in a savepoint of its own, so that a refused row costs its neighbours nothing (G1)."""
    by_flow: dict[str, list[int]] = {}
    for index, write in enumerate(writes):
        by_flow.setdefault(flow_of(write), []).append(index)
    batch = Batch(stopped=stopped.copy())
    for flow_id, indexes in by_flow.items():
        if flow_id in stopped or _try(connection, batch, writes, indexes) is not None:
            _make_one_by_one(connection, batch, flow_id, writes, indexes)
    return batch


def _make_one_by_one(
    connection: sqlite3.Connection, batch: Batch, flow_id: str, writes: Sequence[Write], indexes: Sequence[int]
) -> None:
    """Up to the write that is refused and no further, so that the flow's rows are a prefix without a hole (G1)."""
    for index in indexes:
        write = writes[index]
        stopped_by = batch.stopped.get(flow_id)
        if isinstance(write, Readmit):
            batch.stopped.pop(flow_id, None)
        elif stopped_by is not None:
            if isinstance(write, Question):
                batch.answers[index] = stopped_by
        else:
            cause = _try(connection, batch, writes, [index])
            if cause is not None:
                refusal = _refusal(write, cause)
                if isinstance(write, Question):
                    batch.answers[index] = refusal
                else:
                    batch.stopped[flow_id] = batch.refused[flow_id] = refusal


def _try(
    connection: sqlite3.Connection, batch: Batch, writes: Sequence[Write], indexes: Sequence[int]
) -> Exception | None:
    """Make some of the writes, all or none; returns what was wrong with them."""
    connection.execute("SAVEPOINT part")
    try:
        part = _make_all(connection, [writes[index] for index in indexes], batch.stopped)
    except _ROW_ERRORS as error:
        connection.execute("ROLLBACK TO part")
        connection.execute("RELEASE part")
        return error
    connection.execute("RELEASE part")
    batch.folds += part.folds
    batch.reopened += part.reopened
    batch.answers.update((indexes[index], answer) for index, answer in part.answers.items())
    return None


def _refusal(write: Write, cause: Exception) -> RowRefused:
    step = getattr(write, "step", FLOW_STEP)
    error = RowRefused(f"flow {flow_of(write)!r}, step {step}: the log refused a {type(write).__name__}: {cause}")
    error.__cause__ = cause
    return error


def _flows_asked_about(connection: sqlite3.Connection, writes: Sequence[Write]) -> KnownFlows:
    known: KnownFlows = {flow_of(write): None for write in writes if type(write) in _QUESTIONS}
    if not known:
        return known
    for text, chunk in _FLOWS_ASKED_ABOUT.chunks(list(known)):
        for row in _FLOWS.decode(connection.execute(text, chunk).fetchall()[0][0]):
            known[row[0]] = FlowRow(*row)
    return known


def _write(connection: sqlite3.Connection, fold: Fold) -> None:
    """Make the changes of a fold. Rows come before what changes them, and a wait gets its signal before it changes."""
    if fold.flows_started:
        _INSERT_FLOWS.run(connection, rows.started_flows(fold.flows_started.values()))
    if fold.signals_sent:
        _INSERT_SIGNALS.run(connection, rows.sent_signals(fold.signals_sent.values()))
    if fold.signals_taken:
        _TAKE_SIGNALS.run(connection, rows.moved_signals(fold.signals_taken))
    if fold.signals_returned:
        _RETURN_SIGNALS.run(connection, rows.moved_signals(fold.signals_returned))
    if fold.waits_ended:
        _GIVE_SIGNALS.run(connection, rows.ended_waits(fold.waits_ended.values()))
    if fold.calls_made or fold.calls_changed:
        _WRITE_INVOCATIONS.run(connection, _calls(fold))
    if fold.flows_changed:
        _UPDATE_FLOWS.run(connection, rows.changed_flows(fold.flows_changed.values()))


def _calls(fold: Fold) -> list[rows.Cell]:
    return rows.made_calls(fold.calls_made, fold.calls_settled) + rows.changed_calls(fold.calls_changed.values())


def _reopen(connection: sqlite3.Connection, write: Reopen, known: KnownFlows) -> bool:
    found = known[write.flow_id]
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
    _WRITE_INVOCATIONS.run(connection, rows.changed_calls(write.restate))
    reopened = flow_reopened(found)
    for step in {change.step for change in write.restate}.intersection(write.reopened) | {FLOW_STEP}:
        run("move_to_round", step, reopened.round)
    _UPDATE_FLOWS.run(connection, rows.changed_flows([change_of(reopened)]))
    known[write.flow_id] = reopened
    return True
