"""Every execution log keeps the same contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from persistasaurus.log import ExecutionLog
from persistasaurus.sqlite_log import SqliteLog
from persistasaurus.testing import ExecutionLogContract, InMemoryLog


class TestInMemoryLog(ExecutionLogContract):
    def make_log(self) -> ExecutionLog:
        return InMemoryLog()

    def beside(self, log: ExecutionLog) -> ExecutionLog:
        assert isinstance(log, InMemoryLog)
        return log.beside()


class TestSqliteLog(ExecutionLogContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path
        self.count = 0

    def make_log(self) -> ExecutionLog:
        self.count += 1
        return SqliteLog(self.folder / f"{self.count}.db", durability="process")

    def beside(self, log: ExecutionLog) -> ExecutionLog:
        return SqliteLog(self.folder / f"{self.count}.db", durability="process")

    def reopened(self, log: ExecutionLog) -> ExecutionLog:
        return SqliteLog(self.folder / f"{self.count}.db", durability="power")
