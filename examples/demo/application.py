"""A program in a process of its own: shows what it prints while somebody waits for a certain line."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


class Application:
    """A Python module that runs as a process.

    Args:
        arguments: What stands behind `python -m`.
        folder: Its working directory.
        show: Gets each line that it prints.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, show: Callable[[str], None]) -> None:
        self._name = arguments[0]
        self._show = show
        self._process = subprocess.Popen(
            [sys.executable, "-m", *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip

    def read_until(self, beginning: str) -> str:
        """Wait for a line that begins so, and return the rest of it.

        Raises:
            RuntimeError: The process has ended without such a line.
        """
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._show(line.rstrip())
            if line.startswith(beginning):
                return line.removeprefix(beginning).strip()
        raise RuntimeError(f"{self._name} ended with {self._process.wait()} before a line {beginning!r}")

    def kill(self) -> None:
        """End the process as a power cut would: it gets no chance to do anything."""
        self._process.send_signal(signal.SIGKILL)
        self._process.communicate()

    def finish(self) -> None:
        """Wait for its end.

        Raises:
            RuntimeError: It did not end well.
        """
        output, _ = self._process.communicate()
        for line in output.splitlines():
            self._show(line)
        if self._process.returncode != 0:
            raise RuntimeError(f"{self._name} ended with {self._process.returncode}")
