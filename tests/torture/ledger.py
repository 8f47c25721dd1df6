"""A file to which processes append what they do: it survives them, and is audited in the end."""

from __future__ import annotations

import os
from pathlib import Path


class Ledger:
    """An append-only file of lines `KIND WHAT`.

    Args:
        path: The file, made if it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def note(self, kind: str, what: str) -> None:
        """Append a line; it is in the hands of the operating system when this returns."""
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(file, f"{kind} {what}\n".encode())
        finally:
            os.close(file)

    def lines(self) -> list[tuple[str, str]]:
        """What was noted, in order."""
        return [(kind, what) for kind, _, what in (line.partition(" ") for line in self.path.read_text().splitlines())]

    def mend(self, flow_id: str) -> None:
        """What this flow needs is in order from now on."""
        self.path.with_suffix(f".{flow_id}").touch()

    def is_mended(self, flow_id: str) -> bool:
        """Whether what this flow needs is in order."""
        return self.path.with_suffix(f".{flow_id}").exists()
