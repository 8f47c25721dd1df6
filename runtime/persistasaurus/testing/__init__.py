"""For tests of flows and of execution logs: a clock that is moved by hand, and a log in memory that can crash."""

from persistasaurus.memory_log import InMemoryLog
from persistasaurus.testing.contract import ExecutionLogContract
from persistasaurus.testing.manual_clock import ManualClock

__all__ = ["ExecutionLogContract", "InMemoryLog", "ManualClock"]
