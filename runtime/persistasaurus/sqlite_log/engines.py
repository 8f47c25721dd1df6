"""Who has a log open: the table of engines, in which a lease counts and a missing row means that its writes do not."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import time
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from persistasaurus.records import Extend, Sweep
from persistasaurus.row_changes import refuse_no_lease
from persistasaurus.sqlite_log import statements

_SQL: Final = statements.load("engines.sql")
_COUNT_COMMIT: Final = _SQL["count_commit"]
_AT_ONCE: Final = 1000


class Fenced(Exception):
    """This engine was taken for dead and its claims went to others."""


class KnownEngine(Struct, frozen=True):
    """An engine that has the log open, or had it."""

    number: int
    name: str
    """Of its file beside the log."""
    is_over: bool
    """Whether its lease is."""
    is_fenced: bool
    """Whether it was found to be gone, and its claims are being taken."""


def enter(connection: sqlite3.Connection, name: str, lease: int) -> int:
    """Enter a new engine, in a transaction of its own.

    Args:
        connection: In autocommit mode.
        name: Of the file it holds a lock on.
        lease: Microseconds for which its claims count without word of it.

    Returns:
        Its number.
    """
    now = _now()
    parameters = {
        "name": name, "host": socket.gethostname(), "pid": os.getpid(), "now": now, "lease_until": now + lease,
    }  # fmt: skip
    return int(connection.execute(_SQL["enter"], parameters).fetchall()[0][0])


def begin(connection: sqlite3.Connection, engine: int, count: int) -> None:
    """Begin a transaction of an engine.

    Raises:
        Fenced: Its writes do not count any more; no transaction is left open.
    """
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute(_COUNT_COMMIT, (count, engine)).rowcount != 1:
        connection.execute("ROLLBACK")
        raise Fenced


def extend(connection: sqlite3.Connection, write: Extend, engine: int) -> None:
    """Renew a lease, within a transaction that has begun."""
    refuse_no_lease(write)
    connection.execute(_SQL["extend"], {"engine": engine, "lease_until": _now() + write.lease})


def sweep(connection: sqlite3.Connection, write: Sweep, engine: int) -> int:
    """Take the claims of engines that are gone, within a transaction; returns how many flows that freed."""
    parameters = {"engine": engine, "now": _now(), "dead": json.dumps(write.dead), "leases": write.leases}
    connection.execute(_SQL["fence"], parameters)
    freed = 0
    for number, _ in connection.execute(_SQL["gone"]).fetchall():
        if freed == write.limit:
            break
        freed += connection.execute(_SQL["free"], {"engine": number, "limit": write.limit - freed}).rowcount
        if freed < write.limit:
            connection.execute(_SQL["leave"], {"engine": number})
    return freed


def sweep_at_once(connection: sqlite3.Connection, write: Sweep, engine: int) -> None:
    """The same, in a transaction of its own."""
    connection.execute("BEGIN IMMEDIATE")
    sweep(connection, write, engine)
    connection.execute("COMMIT")


def leave(connection: sqlite3.Connection, engine: int) -> None:
    """Give back every claim of an engine that closes, a bounded number a transaction, and strike it off."""
    while connection.execute(_SQL["free"], {"engine": engine, "limit": _AT_ONCE}).rowcount == _AT_ONCE:
        pass
    connection.execute(_SQL["leave"], {"engine": engine})


def known(connection: sqlite3.Connection) -> Sequence[KnownEngine]:
    """Every engine, those included that are gone and whose claims are still being taken."""
    now = _now()
    found = connection.execute(_SQL["engines"]).fetchall()
    return [KnownEngine(number, name.decode(), until <= now, until == 0) for number, name, until in found]


def _now() -> int:
    # The time of the machine, whatever the clock of the flows says: others compare it with theirs.
    return time.time_ns() // 1000
