"""The reads of a log: short, in pages, of what is committed, waiting for no writer."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec

from persistasaurus.errors import CorruptRow, LogUnavailable
from persistasaurus.log import HEAD_START, Snapshot
from persistasaurus.records import FlowRow, FlowStatus, InvocationRow, SignalRow
from persistasaurus.sqlite_log import statements
from persistasaurus.sqlite_log.engines import KnownEngine, known
from persistasaurus.sqlite_log.opening import readable_errors
from persistasaurus.sqlite_log.rows import ArchivedColumns, FlowColumns, InvocationColumns, SignalColumns

_log: Final = logging.getLogger("persistasaurus.log")

_SQL: Final = statements.load("reads.sql")
_IN_ONE_ROW: Final = {name: statements.in_one_row(text) for name, text in _SQL.items()}

_FLOWS: Final = msgspec.json.Decoder(list[FlowColumns])
_INVOCATIONS: Final = msgspec.json.Decoder(list[InvocationColumns])
_ARCHIVED: Final = msgspec.json.Decoder(list[ArchivedColumns])
_SIGNALS: Final = msgspec.json.Decoder(list[SignalColumns])

T = TypeVar("T")

_BEFORE_ALL: Final = (-(2**63), "")
_ALL: Final = 2**62


class Reader:
    """A connection of its own for reading, usable from any thread."""

    def __init__(self, path: str, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._guard = threading.RLock()

    def close(self) -> None:
        with self._guard:
            self._connection.close()

    def engines(self) -> Sequence[KnownEngine]:
        """Every engine that has the log open, or had it."""
        with readable_errors(self._path), self._guard:
            return known(self._connection)

    def data_version(self) -> int:
        """A number that changes when anybody has written."""
        version: int = self._fetch("PRAGMA data_version", {})[0][0]
        return version

    def seed(self) -> bytes:
        """What random values of flow code are derived from."""
        found = self._fetch(_SQL["seed"], {})
        if len(found) != 1:
            raise LogUnavailable(
                f"{self._path} has lost its seed, from which flows draw random values: restore the table log_seed from "
                "a copy of the log; with another seed, flows that have drawn some would be parked"
            )
        seed: bytes = found[0][0]
        return seed

    def snapshot(self, flow_id: str) -> Snapshot | None:
        """All of one flow, in one transaction."""
        with readable_errors(self._path), self._guard:
            self._connection.execute("BEGIN")
            try:
                flow = self.flow(flow_id)
                if flow is None:
                    return None
                signals = self._of_flow("all_signals", _SIGNALS, {"flow_id": flow_id})
                return Snapshot(
                    flow,
                    tuple(self.invocations(flow_id, 0, _ALL)),
                    tuple(self.archived(flow_id, _ALL)),
                    tuple(SignalRow(*row) for row in signals),
                )
            finally:
                self._connection.execute("ROLLBACK")  # it has only read

    def flow(self, flow_id: str) -> FlowRow | None:
        found = self._of_flow("flow", _FLOWS, {"flow_id": flow_id})
        return FlowRow(*found[0]) if found else None

    def invocations(self, flow_id: str, after: int, limit: int) -> Sequence[InvocationRow]:
        found = self._of_flow("invocations", _INVOCATIONS, {"flow_id": flow_id, "after": after, "limit": limit})
        return [InvocationRow(*row) for row in found]

    def archived(self, flow_id: str, limit: int) -> Sequence[InvocationRow]:
        found = self._of_flow("archived", _ARCHIVED, {"flow_id": flow_id, "limit": limit})
        return [InvocationRow(*row) for row in found]

    def unread_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return [SignalRow(*row) for row in self._of_flow("unread_signals", _SIGNALS, {"flow_id": flow_id})]

    def taken_signals(self, flow_id: str) -> Sequence[SignalRow]:
        return [SignalRow(*row) for row in self._of_flow("taken_signals", _SIGNALS, {"flow_id": flow_id})]

    def flows(self, status: FlowStatus | None, after: tuple[int, str] | None, limit: int) -> Sequence[FlowRow]:
        timestamp, flow_id = after or _BEFORE_ALL
        parameters = {"after_timestamp": timestamp, "after_flow_id": flow_id, "limit": limit}
        if status is None:
            return self._of_many("flows", parameters)
        return self._of_many("flows_of_status", {**parameters, "status": str(status.value)})

    def available(
        self, now: int, names: Collection[str], engine: int, other: bool, after: tuple[int, str] | None, limit: int
    ) -> Sequence[FlowRow]:
        since, flow_id = after or _BEFORE_ALL
        parameters = {
            "now": now, "names": json.dumps(list(names)), "engine": engine, "other": other, "head_start": HEAD_START,
            "after_since": since, "after_flow_id": flow_id, "limit": limit,
        }  # fmt: skip
        return self._of_many("available", parameters)

    def ended(self, flow_ids: Collection[str]) -> Sequence[FlowRow]:
        return self._of_many("ended", {"flow_ids": json.dumps(list(flow_ids))})

    def last_signal(self) -> int:
        number: int = self._fetch(_SQL["last_signal"], {})[0][0]
        return number

    def signals_from_others(self, after: int, to: int, engine: int) -> Sequence[SignalRow]:
        found = self._fetch(_SQL["signals_from_others"], {"after": after, "to": to, "engine": engine})
        return [row for row in map(self._readable_signal, found) if row is not None]

    def next_due(self, after: int) -> int | None:
        found = self._fetch(_SQL["next_due"], {"after": after})
        return found[0][0] if found else None

    def _of_flow(self, name: str, decoder: msgspec.json.Decoder[list[T]], parameters: Mapping[str, Any]) -> list[T]:
        """Rows of one flow; CorruptRow if one of them cannot be read (G13)."""
        try:
            found = self._fetch(_IN_ONE_ROW[name], parameters)
            return decoder.decode(found[0][0])
        except UnicodeEncodeError:
            return []  # no flow has an id with a lone surrogate
        except sqlite3.DataError:
            # Together the rows are larger than SQLite lets one value be; one by one they are not.
            return msgspec.convert(
                [_decoded(row, "strict") for row in self._fetch(_SQL[name], parameters)], decoder.type
            )
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise CorruptRow(
                f"flow {parameters['flow_id']!r}: a row of it in {self._path} cannot be read: {error}. "
                "Other flows are not affected; repair the row, or delete the rows of this flow"
            ) from error

    def _of_many(self, name: str, parameters: Mapping[str, Any]) -> list[FlowRow]:
        """Rows of many flows. One that cannot be read keeps no other from being found (G13)."""
        try:
            return [FlowRow(*row) for row in _FLOWS.decode(self._fetch(_IN_ONE_ROW[name], parameters)[0][0])]
        except (msgspec.MsgspecError, UnicodeDecodeError, sqlite3.DataError):
            return [row for row in map(self._readable, self._fetch(_SQL[name], parameters)) if row is not None]

    def _readable_signal(self, row: Any) -> SignalRow | None:
        try:
            return SignalRow(*msgspec.convert(_decoded(row, "strict"), SignalColumns))
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return None  # its flow runs into it when it is brought back

    def _readable(self, row: Any) -> FlowRow | None:
        # Text that is damaged is replaced, for whoever opens that flow to run into; a status cannot be.
        columns = _decoded(row, "replace")
        try:
            return FlowRow(*msgspec.convert(columns, FlowColumns))
        except msgspec.MsgspecError as error:
            _log.warning("flow %r: its row in %s cannot be read and is left alone: %s", columns[0], self._path, error)
            return None

    def _fetch(self, text: str, parameters: Mapping[str, Any]) -> list[Any]:
        with readable_errors(self._path), self._guard:
            return self._connection.execute(text, parameters).fetchall()


def _decoded(row: Any, errors: str) -> list[Any]:
    return [cell.decode(errors=errors) if isinstance(cell, bytes) else cell for cell in row]
