"""On what kind of file system a log lies: on some, locks or the write-ahead log do not do what they must."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path
from typing import Final

from persistasaurus.errors import LogUnavailable

_log: Final = logging.getLogger("persistasaurus.log")

_MOUNTS: Final = "/proc/self/mountinfo"
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")

_NETWORK: Final = ("nfs", "cifs", "smb", "afs", "ceph", "glusterfs", "lustre")
"""Shared between machines: SQLite's write-ahead log needs memory that all who have the file open share."""

_PASSED_THROUGH: Final = ("9p", "virtiofs", "fuse")
"""Passed through from another system, whose programs may not see the locks of these."""


def locks_tell(path: str, mounts: str = _MOUNTS) -> bool:
    """Whether a lock on a file beside the log tells that its owner lives.

    Args:
        path: Of the log, absolute and without symbolic links.
        mounts: The table of mounted file systems; a system without one is taken to have local ones.

    Returns:
        False where only the lease of an engine tells; that is warned of.

    Raises:
        LogUnavailable: The log cannot be there at all.
    """
    kind = _kind(path, mounts)
    if kind.startswith(_NETWORK):
        raise LogUnavailable(
            f"{path} lies on a network file system ({kind}), where SQLite's write-ahead log does not work. "
            "Put the log on a disk of this machine"
        )
    if kind.startswith(_PASSED_THROUGH):
        _log.warning(
            "%s lies on a file system of kind %s, where locks may not be seen by everybody: after a crash, flows go on "
            "when the lease of their engine is over, not at once",
            path,
            kind,
        )
        return False
    return True


def _kind(path: str, mounts: str) -> str:
    try:
        table = Path(mounts).read_text("utf-8", "surrogateescape")
    except OSError:
        return ""
    longest, kind = "", ""
    for line in table.splitlines():
        place, _, file_system = line.partition(" - ")
        fields = place.split(" ")
        if len(fields) < 5 or not file_system:
            continue
        point = _ESCAPE.sub(lambda match: chr(int(match[1], 8)), fields[4])
        # Of two on one place the later covers the earlier.
        if len(point) >= len(longest) and os.path.join(path, "").startswith(os.path.join(point, "")):
            longest, kind = point, file_system.split(" ")[0]
    return kind
