"""The right of one engine to have a log open: a locked file beside it, let go by the system when its owner dies."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import weakref
from datetime import UTC, datetime
from typing import Final

from persistasaurus.errors import LogInUse, LogUnavailable

_held: Final[weakref.WeakSet[EngineLock]] = weakref.WeakSet()


class EngineLock:
    """The lock of one log file, held from construction to `release`.

    The file beside the log says who holds it, in JSON. It is the lock on it that counts, not that it is there: a killed
    engine leaves the file behind, unlocked.

    Args:
        log_path: The real path of the log, so that two names of one file are one lock.

    Raises:
        LogInUse: An engine of this process or another holds it.
        LogUnavailable: The file cannot be made.
    """

    def __init__(self, log_path: str) -> None:
        self._path = log_path + "-engine"
        try:
            self._fd = self._take(log_path)
        except OSError as error:
            raise LogUnavailable(
                f"{log_path}: an engine marks the log it has open with a file beside it, which cannot be written: "
                f"{self._path}: {error.strerror}. Give the engine a folder it may write to"
            ) from error
        owner = {"host": socket.gethostname(), "pid": os.getpid(), "started": _now()}
        os.truncate(self._fd, 0)
        os.write(self._fd, json.dumps(owner).encode() + b"\n")
        _held.add(self)

    def _take(self, log_path: str) -> int:
        while True:
            # Python opens files closed to programs that are executed; forked children see to it below.
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o644)
            if not _lock(fd):
                try:
                    raise LogInUse(f"{log_path} is open in another engine, in {_owner(fd)}. Close that engine first")
                finally:
                    os.close(fd)
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(fd), os.stat(self._path)):
                    return fd
            os.close(fd)  # its owner removed it between our open and our lock

    def release(self) -> None:
        """Let go of the lock and remove the file."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):  # Windows removes no open file
                os.unlink(self._path)
            self.forget()

    def forget(self) -> None:
        """Close the file: what a forked child does, whose open file would keep the lock of a dead parent."""
        _held.discard(self)
        os.close(self._fd)
        self._fd = -1


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


if sys.platform == "win32":
    import msvcrt

    _FAR: Final = 1 << 30  # a lock on Windows keeps others from reading, so it is taken where nothing is

    def _lock(fd: int) -> bool:
        os.lseek(fd, _FAR, os.SEEK_SET)
        try:
            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        finally:
            os.lseek(fd, 0, os.SEEK_SET)
        return True

else:
    import fcntl

    def _lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    os.register_at_fork(after_in_child=_forget_all)


def _owner(fd: int) -> str:
    try:
        owner = json.loads(os.read(fd, 10_000))
        process = "this process" if owner["pid"] == os.getpid() else "another process"
        return f"{process} (pid {owner['pid']}) on {owner['host']}, since {owner['started']}"
    except (OSError, ValueError, KeyError, TypeError):
        return "a process that has just opened it"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
