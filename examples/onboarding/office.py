"""The office that does the work, and the crash that can be ordered for any of its jobs."""

import os
import signal
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Employee:
    """A new colleague on record."""

    number: int
    name: str


class Office:
    """Does the jobs of an onboarding.

    Args:
        crash_at: The job in the middle of which the process is killed, none if left out.
    """

    JOBS: Final = ("create_record", "provision_laptop", "provision_access", "send_mail")

    def __init__(self, crash_at: str | None = None) -> None:
        self._crash_at = crash_at

    async def create_record(self, name: str) -> Employee:
        self._work("create_record", f"a record for {name}")
        return Employee(number=7, name=name)

    async def provision_laptop(self, employee: Employee) -> str:
        self._work("provision_laptop", f"a laptop for {employee.name}")
        return f"laptop-{employee.number}"

    async def provision_access(self, employee: Employee) -> list[str]:
        self._work("provision_access", f"keys for {employee.name}")
        return ["door", "wiki"]

    async def send_mail(self, employee: Employee, text: str) -> None:
        self._work("send_mail", f"mail to {employee.name}: {text}")

    def _work(self, job: str, what: str) -> None:
        if job == self._crash_at:
            print(f"crash in {job}", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        print(what)
