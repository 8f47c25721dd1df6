"""What an engine has in the folder beside the log: a locked file that says it lives, and a pipe that wakes it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import select
import socket
import sys
import threading
import time
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final

from persistasaurus.errors import LogInUse, LogUnavailable

_in_use: Final[weakref.WeakSet[EngineFiles]] = weakref.WeakSet()

_WAKE: Final = ".wake"
_HAS_PIPES: Final = hasattr(os, "mkfifo")

_TURN_WITHIN: Final = 1.0
"""Seconds after which an engine writes without its turn: the one that has it may have been stopped."""
_BETWEEN_TRIES: Final = 0.0002


class EngineFiles:
    """The files of one engine, from construction to `close`.

    The lock on its file is let go by the system when the process ends, however that happens; the file may stay behind.
    It says in JSON whose it is, for people.

    Args:
        log_path: The real path of the log, so that two names of one file have one folder.
        locks_tell: Whether a free lock means that its owner is gone.

    Raises:
        LogUnavailable: The files cannot be made.
    """

    def __init__(self, log_path: str, *, locks_tell: bool) -> None:
        self._folder = log_path + "-engines"
        self._locks_tell = locks_tell
        self._others: dict[str, int] = {}
        self._guard = threading.Lock()
        self._folder_fd = -1
        self._lock_fd = -1
        self._pipe = -1
        self._left: list[int] = []
        """What was open before a renewal: another thread may be waiting for it, so it is closed at the end."""
        self._turn_within = _TURN_WITHIN
        self._stopped = threading.Event()
        self.name = ""
        try:
            self.renew()
        except OSError as error:
            self.forget()
            raise LogUnavailable(
                f"{log_path}: an engine marks the log it has open with files beside it, which cannot be written: "
                f"{self._folder}: {error.strerror}. Give the engine a folder it may write to"
            ) from error
        _in_use.add(self)

    def renew(self) -> None:
        """Make the files, in place of those there were: the engine enters the log anew."""
        self._drop_own()
        while True:
            with contextlib.suppress(FileExistsError):
                os.mkdir(self._folder)
            try:
                self._make()
                return
            except FileNotFoundError:
                self._drop_own()  # the last engine to close removed the folder meanwhile

    def _make(self) -> None:
        self.name = f"{os.getpid()}-{secrets.token_hex(4)}"
        path = self._path(self.name)
        # Python opens files closed to programs that are executed; forked children see to it below.
        self._lock_fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        _lock(self._lock_fd)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        owner = {"host": socket.gethostname(), "pid": os.getpid(), "since": now}
        os.write(self._lock_fd, json.dumps(owner).encode() + b"\n")
        if _HAS_PIPES:
            with contextlib.suppress(OSError):  # a file system without pipes: then news comes by looking
                os.mkfifo(path + _WAKE, 0o644)
                # Both ends, so that it never is at its end; nobody waits for a reader.
                self._pipe = os.open(path + _WAKE, os.O_RDWR | os.O_NONBLOCK)
            self._folder_fd = os.open(self._folder, os.O_RDONLY)

    # -- the others ---------------------------------------------------------------------------------------------------

    def is_dead(self, name: str) -> bool:
        """Whether the process of another engine has ended, as far as its lock tells."""
        if not self._locks_tell:
            return False
        try:
            fd = os.open(self._path(name), os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            return _lock(fd)
        finally:
            os.close(fd)

    def remove(self, name: str) -> None:
        """Remove what a dead engine left."""
        _remove(self._path(name))
        _remove(self._path(name) + _WAKE)

    def know(self, names: Collection[str]) -> None:
        """These are the other engines."""
        with self._guard:
            for name in self._others.keys() - set(names):
                os.close(self._others.pop(name))
            for name in set(names) - self._others.keys() if _HAS_PIPES else ():
                with contextlib.suppress(OSError):
                    self._others[name] = os.open(self._path(name) + _WAKE, os.O_WRONLY | os.O_NONBLOCK)

    @property
    def alone(self) -> bool:
        """Whether no other engine is known that could be woken."""
        return not self._others

    def wake_others(self) -> None:
        """Tell the other engines that there are news."""
        with self._guard:
            for pipe in self._others.values():
                with contextlib.suppress(OSError):  # full: it has enough to wake up for; or without a reader
                    os.write(pipe, b".")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for this engine's turn to write; the others queue behind it.

        SQLite's own waiting is a lottery, in which an engine among four waits a hundred times as long at the worst.
        """
        if self._folder_fd < 0 or self.alone:
            yield
            return
        folder = self._folder_fd
        deadline = time.monotonic() + self._turn_within
        while not (has_it := _lock(folder)) and time.monotonic() < deadline:
            time.sleep(_BETWEEN_TRIES)
        self._turn_within = _TURN_WITHIN if has_it else 0.0  # who has it may be stopped for long
        try:
            yield
        finally:
            if has_it:
                _unlock(folder)

    # -- itself -------------------------------------------------------------------------------------------------------

    def wait(self, seconds: float) -> tuple[bool, bool]:
        """Wait until another engine has news or ends, or for so long.

        Returns:
            Whether there are news, and whether one has ended: nobody reads its pipe any more.
        """
        pipe = self._pipe
        if pipe < 0:
            self._stopped.wait(seconds)
            return False, False
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        with self._guard:
            for other in self._others.values():
                poll.register(other, 0)
        heard = [fd for fd, _ in poll.poll(seconds * 1000)]
        if pipe in heard:
            with contextlib.suppress(OSError):
                os.read(pipe, 65536)
        ended = [fd for fd in heard if fd != pipe]
        with self._guard:
            for name in [name for name, fd in self._others.items() if fd in ended]:
                os.close(self._others.pop(name))
        return pipe in heard, bool(ended)

    def stop_waiting(self) -> None:
        """End a wait."""
        self._stopped.set()
        if self._pipe >= 0:
            with contextlib.suppress(OSError):
                os.write(self._pipe, b".")

    def close(self) -> None:
        """Let go of the lock and remove the files, and the folder with the last of them."""
        self._drop_own()
        with contextlib.suppress(OSError):
            os.rmdir(self._folder)
        self.forget()

    def forget(self) -> None:
        """Close what is open: what a forked child does, whose open file would keep the lock of a dead parent."""
        _in_use.discard(self)
        self._left += [fd for fd in (self._lock_fd, self._pipe, self._folder_fd) if fd >= 0]
        self._lock_fd = self._pipe = self._folder_fd = -1
        for fd in self._left:
            os.close(fd)
        self._left = []
        for pipe in self._others.values():
            os.close(pipe)
        self._others = {}

    def _drop_own(self) -> None:
        if self.name:
            self.remove(self.name)
        self.name = ""
        self._left += [fd for fd in (self._lock_fd, self._pipe, self._folder_fd) if fd >= 0]
        self._lock_fd = self._pipe = self._folder_fd = -1

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, name)


def require_no_older_engine(log_path: str) -> None:
    """Make sure that no engine of the first version has a log open: it would know nothing of the claims of others.

    Raises:
        LogInUse: One has.
    """
    with contextlib.suppress(FileNotFoundError):
        fd = os.open(log_path + "-engine", os.O_RDWR)
        try:
            if not _lock(fd):
                raise LogInUse(
                    f"{log_path} is open in an engine of an earlier version, which shares it with nobody: "
                    f"{os.read(fd, 1000).decode(errors='replace').strip()}. Close that engine first"
                )
        finally:
            os.close(fd)


def _remove(path: str) -> None:
    with contextlib.suppress(OSError):  # gone already; and Windows removes no open file
        os.unlink(path)


def _forget_all() -> None:
    for files in list(_in_use):
        files.forget()


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

    def _unlock(fd: int) -> None:
        """Folders cannot be locked there."""

else:
    import fcntl

    def _lock(fd: int) -> bool:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise
        return True

    def _unlock(fd: int) -> None:
        fcntl.flock(fd, fcntl.LOCK_UN)

    os.register_at_fork(after_in_child=_forget_all)
