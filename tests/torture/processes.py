"""Process torture: several engines on one log are killed, stopped and closed under a mixed load; the ledger is audited.

What must hold in the end: every flow that was said to be on record has come to its end; every body that ran is on
record, no more often than the record says; what was recorded as done was not done again; at-most-once steps ran once;
every signal was read once and in order; what flows returned is what bodies returned.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

from persistasaurus import Engine, FlowEnded, FlowStatus, UnknownFlow
from persistasaurus.generated import Durable

from .flows_mixed_durable import DurableMixedFlow, DurablePlainMixedFlow
from .ledger import Ledger

ROOT = Path(__file__).parents[2]
WORKERS = 3
LEASE = 1.0
"""Seconds; short, so that a stopped process loses its flows while the torture goes on."""
ROUND = 30.0
"""Seconds: what is audited again and again does not grow beyond measure."""
END_WITHIN = 120.0
"""Seconds in which all flows must have ended once nobody is killed any more."""


def torture(seconds: float, seed: int) -> list[str]:
    """Torture for so long, in rounds with a log of their own; returns what went wrong in the first that found it."""
    deadline = time.monotonic() + seconds
    trouble: list[str] = []
    while not trouble and (left := deadline - time.monotonic()) > 0:
        with tempfile.TemporaryDirectory(prefix="persistasaurus-torture-") as folder:
            round_ = _Torture(Path(folder), seed)
            with _quiet():
                trouble = asyncio.run(round_.run(min(left, ROUND)))
            print(round_, flush=True)
        seed += 1000
    return trouble


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Thousands of flows fail as they should; nobody reads of each."""
    log = logging.getLogger("persistasaurus")
    log.propagate, before = False, log.propagate
    log.addHandler(nothing := logging.NullHandler())
    try:
        yield
    finally:
        log.removeHandler(nothing)
        log.propagate = before


class _Torture:
    def __init__(self, folder: Path, seed: int) -> None:
        self.log = folder / "log.db"
        self.ledger = Ledger(folder / "ledger.txt")
        self.seed = seed
        self.chance = random.Random(seed)
        self.trouble: list[str] = []
        self.kills = self.stops = self.closes = 0
        self._workers: list[subprocess.Popen[bytes]] = []
        self._count = 0
        self._stopped_ever: set[int] = set()
        self._done_before: dict[str, int] = {}
        """Steps found recorded as done, with the length of the ledger then."""
        self._told: Counter[str] = Counter()

    def __str__(self) -> str:
        started = sum(kind == "started" for kind, _ in self.ledger.lines())
        return (
            f"processes, seed {self.seed}: {self.kills} killed, {self.stops} stopped, {self.closes} closed over "
            f"{started} flows, {len(self.trouble)} findings"
        )

    async def run(self, seconds: float) -> list[str]:
        flows: list[Durable[Any, Any]] = [DurableMixedFlow(self.ledger), DurablePlainMixedFlow(self.ledger)]
        async with Engine(
            self.log, flows=flows, durability="process", lease=timedelta(seconds=LEASE), max_concurrency=20
        ) as engine:
            try:
                self._workers = [self._spawn() for _ in range(WORKERS)]
                deadline = time.monotonic() + seconds
                telling = asyncio.create_task(self._tell(engine))
                while time.monotonic() < deadline and not self.trouble:
                    await asyncio.sleep(self.chance.uniform(0.05, 0.6))
                    await self._strike()
                telling.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await telling
            finally:
                for worker in self._workers:
                    worker.kill()
                    worker.wait()
            await self._end(engine)
        self._audit()
        return [f"processes, seed {self.seed}: {each}" for each in self.trouble]

    # -- the load -----------------------------------------------------------------------------------------------------

    def _spawn(self) -> subprocess.Popen[bytes]:
        self._count += 1
        arguments = map(str, (self.log, self.ledger.path, self.seed + self._count, LEASE))
        return subprocess.Popen([sys.executable, "-m", "tests.torture.worker", *arguments], cwd=ROOT)

    async def _strike(self) -> None:
        self._note_what_is_done()
        number = self.chance.randrange(WORKERS)
        worker = self._workers[number]
        fate = self.chance.random()
        if fate < 0.8:
            self.kills += 1
            worker.kill()
        elif fate < 0.9:
            self.stops += 1
            self._stopped_ever.add(worker.pid)
            worker.send_signal(signal.SIGSTOP)
            await asyncio.sleep(LEASE * self.chance.uniform(0.5, 2.5))
            worker.send_signal(signal.SIGCONT)
            return
        else:
            self.closes += 1
            worker.terminate()
        await asyncio.to_thread(worker.wait)
        if worker.returncode not in (-signal.SIGKILL, -signal.SIGTERM, 0):
            self.trouble.append(f"a worker ended with {worker.returncode}")
        self._workers[number] = self._spawn()

    def _note_what_is_done(self) -> None:
        with closing(sqlite3.connect(self.log)) as connection:
            rows = connection.execute(
                "SELECT flow_id, step FROM execution_log WHERE status = 'COMPLETE' AND kind IN ('STEP', 'SIGNAL')"
            ).fetchall()
        length = len(self.ledger.lines())
        for flow_id, step in rows:
            self._done_before.setdefault(f"{flow_id}/{step}", length)

    async def _tell(self, engine: Engine) -> None:
        """Send the signals that flows wait for, one after the other."""
        while True:
            await self._tell_all(engine)
            await asyncio.sleep(0.05)

    async def _tell_all(self, engine: Engine) -> None:
        for flow_id in [what for kind, what in self.ledger.lines() if kind == "started"]:
            if flow_id.startswith("approvals-"):
                size = int(flow_id.rpartition("-")[2])
                while self._told[flow_id] < size:
                    number = self._told[flow_id]
                    self._told[flow_id] += 1
                    await engine.get_flow(DurableMixedFlow, flow_id).approve.send(f"no{number}")
            elif flow_id.startswith("races-") and not self._told[flow_id]:
                self._told[flow_id] += 1
                with contextlib.suppress(FlowEnded):
                    await engine.get_flow(DurableMixedFlow, flow_id).approve.send("late")

    # -- the end ------------------------------------------------------------------------------------------------------

    async def _end(self, engine: Engine) -> None:
        """Let every flow come to its end."""
        for kind, what in self.ledger.lines():
            if kind == "started":
                try:
                    await engine.get_flow(DurableMixedFlow, what).status()
                except UnknownFlow:
                    self.trouble.append(f"{what} was on record and is not any more")
        for flow in await engine.flows(limit=10**6):
            if flow.flow_id.startswith("approvals-"):
                self.ledger.note("started", flow.flow_id)  # perhaps nobody lived to say so
        await self._tell_all(engine)
        deadline = time.monotonic() + END_WITHIN
        while under_way := await self._under_way(engine):
            if time.monotonic() > deadline:
                self.trouble += [f"{flow_id} does not end: it is {status}" for flow_id, status in under_way[:5]]
                return
            for flow_id, status in under_way:
                if status is FlowStatus.FAILED:
                    self.ledger.mend(flow_id)
                    size = int(flow_id.rpartition("-")[2])
                    await engine.get_flow(DurableMixedFlow, flow_id).breaks.start(size)
            await asyncio.sleep(0.05)

    async def _under_way(self, engine: Engine) -> list[tuple[str, FlowStatus]]:
        flows = await engine.flows(limit=10**6)
        return [(flow.flow_id, flow.status) for flow in flows if flow.status is not FlowStatus.COMPLETE]

    def _audit(self) -> None:
        lines = self.ledger.lines()
        with closing(sqlite3.connect(self.log)) as connection:
            rows = {
                f"{flow_id}/{step}": (status, attempts, value)
                for flow_id, step, status, attempts, value in connection.execute(
                    "SELECT flow_id, step, status, attempts, return_value FROM execution_log WHERE step > 0"
                )
            }
            results = dict(connection.execute("SELECT flow_id, return_value FROM execution_log WHERE step = 0"))
            problems = [row[0] for row in connection.execute("PRAGMA integrity_check")]
        if problems != ["ok"]:
            self.trouble.append(f"the file is damaged: {problems[:3]}")
        ended = {what for kind, what in lines if kind == "end"}
        begun: Counter[str] = Counter()
        for position, (kind, what) in enumerate(lines):
            if kind == "begin":
                self._audit_body(what, position, rows, begun)
        for place, (status, _, value) in rows.items():
            if (
                status == "COMPLETE"
                and value is not None
                and "/" in value
                and value.split()[-1].strip('"') not in ended
            ):
                self.trouble.append(f"{place} has the result {value}, which no body came to")
        for flow_id, text in results.items():
            self._audit_result(flow_id, json.loads(text), ended)

    def _audit_body(
        self, what: str, position: int, rows: dict[str, tuple[str, int, str | None]], begun: Counter[str]
    ) -> None:
        flow_id, step, name, attempt, pid = what.split("/")
        place = f"{flow_id}/{step}"
        begun[place] += 1
        if place not in rows:
            self.trouble.append(f"{what} ran and is not on record")
        elif begun[place] > rows[place][1]:
            self.trouble.append(f"{what} ran {begun[place]} times, on record are {rows[place][1]}")
        elif int(attempt) > rows[place][1]:
            self.trouble.append(f"{what} ran in an attempt of which the record knows nothing")
        # A process that was stopped just before it began a body begins it when it comes back: only the log is fenced.
        stopped = int(pid) in self._stopped_ever
        if name == "once" and begun[place] > 1:
            self.trouble.append(f"{what} may run at most once and ran again")
        if position >= self._done_before.get(place, position + 1) and not stopped:
            self.trouble.append(f"{what} was recorded as done, and was done again")

    def _audit_result(self, flow_id: str, result: list[str], ended: set[str]) -> None:
        for done in result:
            if done.split()[-1] not in ended:
                self.trouble.append(f"{flow_id} returned {done}, which no body came to")
        if flow_id.startswith("approvals-"):
            told = [done.split()[0] for done in result]
            if told != [f"no{number}" for number in range(len(told))]:
                self.trouble.append(f"{flow_id} was told {told}")
