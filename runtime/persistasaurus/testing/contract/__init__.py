"""The contract of an execution log, as tests that anyone who writes a log can run.

    class TestMyLog(ExecutionLogContract):
        def make_log(self) -> ExecutionLog:
            return MyLog(...)

        def beside(self, log: ExecutionLog) -> ExecutionLog:
            return MyLog(...)  # on the same rows

pytest collects the subclass like any test class; nothing but plain asserts is used. A log that keeps its rows outside
the object also overrides `reopened`.
"""

from persistasaurus.testing.contract.claims import ClaimsContract
from persistasaurus.testing.contract.lifecycle import LifecycleContract
from persistasaurus.testing.contract.reads import ReadsContract
from persistasaurus.testing.contract.refusals import RefusalsContract
from persistasaurus.testing.contract.rounds import RoundsContract
from persistasaurus.testing.contract.rows import RowsContract
from persistasaurus.testing.contract.signals import SignalsContract


class ExecutionLogContract(
    RowsContract,
    ReadsContract,
    SignalsContract,
    RefusalsContract,
    RoundsContract,
    LifecycleContract,
    ClaimsContract,
):
    """Every promise of `persistasaurus.log.ExecutionLog`, to be inherited by a test class that says `make_log`."""


__all__ = ["ExecutionLogContract"]
