"""Ways in which the file of a log refuses, and what engines that are at work on it make of that."""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from persistasaurus import Engine, LogUnavailable, PersistasaurusError
from persistasaurus.sqlite_log import SqliteLog
from tests.crash.flows_trips import Ledger
from tests.faults.flows_works import Door
from tests.faults.flows_works_durable import DurableWorksFlow
from tests.faults.works import RESULT, TIMES, UNANSWERED, answer, ran_once, results, start, until

FLOWS: Final = 8
BEFORE: Final = FLOWS * UNANSWERED // 2
"""Bodies that end before the file refuses; the next ones end while it does."""
SHORT: Final = timedelta(milliseconds=250)
"""Longer than engines hold each other up."""
ROOT: Final = Path(__file__).parents[2]


class Connection(sqlite3.Connection):
    """A connection that is counted, and may be told to fail. Each log has a class of its own, see `connections`."""

    made = 0
    """An engine whose file refuses makes a new one for each try."""
    error: Exception = Exception()
    """What statements that fail raise."""
    fails: Callable[[str], bool] | None = None
    """Whether a statement fails before it has done anything."""
    fails_afterwards: Callable[[str], bool] | None = None
    """Whether a statement does what it should, and fails then."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        type(self).made += 1

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        kind = type(self)
        if kind.fails is not None and kind.fails(sql):
            raise kind.error
        cursor = super().execute(sql, parameters)
        if kind.fails_afterwards is not None and kind.fails_afterwards(sql):
            raise kind.error
        return cursor


def connections(count: int) -> list[type[Connection]]:
    """A class of connections for each of several logs."""
    return [type("Connection", (Connection,), {}) for _ in range(count)]


def no_fsync() -> sqlite3.OperationalError:
    """What SQLite raises when the disk does not confirm a write."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC
    error.sqlite_errorname = "SQLITE_IOERR_FSYNC"
    return error


# -- the ways ----------------------------------------

Refusal = Callable[[Path, Sequence[type[Connection]]], AbstractContextManager[Callable[[], None]]]
"""While it is entered the file refuses; what it gives is called when each engine was refused."""


def _nothing_further() -> None:
    """It goes on as it is."""


@contextmanager
def locked(path: Path, kinds: Sequence[type[Connection]]) -> Iterator[Callable[[], None]]:
    """Another program is in the middle of a transaction."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.faults.programs.lock", str(path)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "locked\n"
        yield _nothing_further
        process.stdin.close()
        assert process.wait(30) == 0


@contextmanager
def full(path: Path, kinds: Sequence[type[Connection]]) -> Iterator[Callable[[], None]]:
    """There is no room on the disk, which is small."""
    filling = path.with_name("filling")
    file = os.open(filling, os.O_WRONLY | os.O_CREAT)
    with suppress(OSError):
        while True:
            os.write(file, bytes(4096))
    os.close(file)
    yield _nothing_further
    filling.unlink()


@contextmanager
def limited(path: Path, kinds: Sequence[type[Connection]]) -> Iterator[Callable[[], None]]:
    """This process may not let files grow, and does not die of trying."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = path.with_name("log.db-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    yield _nothing_further
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def killed(path: Path, kinds: Sequence[type[Connection]]) -> Iterator[Callable[[], None]]:
    """This process may not let files grow, and is killed then."""
    with limited(path, kinds):
        yield lambda: os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def failing_fsync(path: Path, kinds: Sequence[type[Connection]]) -> Iterator[Callable[[], None]]:
    """The disk confirms nothing."""
    with _failing(kinds, no_fsync()):
        yield _nothing_further


@contextmanager
def read_only(path: Path, kinds: Sequence[type[Connection]]) -> Iterator[Callable[[], None]]:
    """The system takes nothing for the file, as when it has found its disk to be broken."""
    error = sqlite3.OperationalError("attempt to write a readonly database")
    error.sqlite_errorcode = sqlite3.SQLITE_READONLY
    with _failing(kinds, error):
        yield _nothing_further


@contextmanager
def _failing(kinds: Sequence[type[Connection]], error: Exception) -> Iterator[None]:
    for kind in kinds:
        kind.error = error
        kind.fails = staticmethod(lambda sql: sql.startswith(("INSERT", "COMMIT")))
    yield
    for kind in kinds:
        kind.fails = None


# -- what becomes of it ----------------------------------------


class Told(logging.Handler):
    """What was said about the log."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())

    def __enter__(self) -> Told:
        logging.getLogger("persistasaurus.log").addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        logging.getLogger("persistasaurus.log").removeHandler(self)


class Company:
    """Engines on one log in a folder, at work.

    Args:
        folder: Where the log and the ledger are.
        count: How many engines.
    """

    def __init__(self, folder: Path, count: int) -> None:
        self.path = folder / "log.db"
        self.ledger = Ledger(folder / "ledger.txt")
        self.kinds = connections(count)
        self.door = Door(BEFORE)

    def engines(self) -> list[Engine]:
        """They, not yet open."""
        return [
            Engine(
                SqliteLog(self.path, busy_timeout=SHORT, close_within=SHORT, connection_class=kind),
                flows=[DurableWorksFlow(self.ledger, self.door)],
            )
            for kind in self.kinds
        ]

    async def survives(self, refusal: Refusal) -> list[str]:
        """While the file refuses nothing begins and nothing is acknowledged; then all goes on by itself.

        Returns:
            What was said of it.
        """
        with Told() as told:
            async with AsyncExitStack() as stack:
                company = [await stack.enter_async_context(engine) for engine in self.engines()]
                starting = asyncio.ensure_future(start(company, FLOWS))
                refusing, late = await self._refused_at_work(company, refusal)
                begun = self.ledger.lines()
                await self._refused(2)
                assert self.ledger.lines() == begun
                assert not any(future.done() for future in late)
                assert len(await company[-1].flows()) <= FLOWS  # to read is possible, and shows what is recorded
                await asyncio.to_thread(refusing.close)

                await asyncio.gather(*late)
                flow_ids = [*await starting, *(f"late{number}" for number in range(len(company)))]
                await answer(company[0], flow_ids)
                assert await results(company[-1], flow_ids) == [RESULT] * len(flow_ids)
        assert ran_once(self.ledger, flow_ids)
        return told.messages

    async def gives_up(self, refusal: Refusal) -> list[str]:
        """Closing the engines while the file refuses says what is not recorded.

        Returns:
            What each of them says.
        """
        company = self.engines()
        for engine in company:
            await engine.open()
        starting = asyncio.ensure_future(start(company, FLOWS))
        refusing, late = await self._refused_at_work(company, refusal)
        said: list[str] = []
        for engine in company:
            try:
                await engine.close()
            except LogUnavailable as error:
                said.append(str(error))
        not_acknowledged = await asyncio.gather(starting, *late, return_exceptions=True)
        assert all(isinstance(each, PersistasaurusError) for each in not_acknowledged[1:]), not_acknowledged
        await asyncio.to_thread(refusing.close)
        return said

    async def _refused_at_work(
        self, company: Sequence[Engine], refusal: Refusal
    ) -> tuple[ExitStack, list[asyncio.Task[None]]]:
        """Have the file refuse each engine; returns how it ends, and flows that are being started meanwhile."""
        await until(lambda: len(self.ledger.lines()) > BEFORE)
        refusing = ExitStack()
        go_further = await asyncio.to_thread(refusing.enter_context, refusal(self.path, self.kinds))
        late = [engine.get_flow(DurableWorksFlow, f"late{number}").works for number, engine in enumerate(company)]
        starting = [asyncio.ensure_future(flow.start(TIMES)) for flow in late]
        self.door.open()
        await self._refused(2)
        await asyncio.to_thread(go_further)
        await self._refused(1)
        return refusing, starting

    async def _refused(self, times: int) -> None:
        """Wait until the file has refused each engine so many times more."""
        until_made = [kind.made + times for kind in self.kinds]
        await until(lambda: all(kind.made >= made for kind, made in zip(self.kinds, until_made, strict=True)))
