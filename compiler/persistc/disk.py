"""What the compiler asks of the disk, and what it was told: all that a run's result depends on.

Every stage that reads asks here and nowhere else. While `recording` is on, each question is kept with its answer, also
those that were answered with no: a file that appears where an import has looked for one is a change like any other.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

PYTHON_ENDINGS = (".py", ".pyi")


@dataclass(frozen=True, slots=True)
class Listing:
    """What stands in a folder, as far as the compiler cares."""

    folders: tuple[str, ...] = ()
    """Neither hidden nor a link."""
    files: tuple[str, ...] = ()
    """Python files and stubs."""


@dataclass
class Record:
    """The questions of a run with their answers, by path."""

    files: dict[str, bool] = field(default_factory=dict)
    """Is it a file?"""
    folders: dict[str, bool] = field(default_factory=dict)
    """Is it a folder?"""
    listings: dict[str, Listing] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)
    """The digest of its bytes, or what the operating system said."""
    is_torn: bool = False
    """Something changed while it was recorded: one question had two answers."""

    def still_holds(self) -> bool:
        """Whether every question would be answered as it was."""
        return (
            not self.is_torn
            and all(os.path.isdir(path) is answer for path, answer in self.folders.items())
            and all(os.path.isfile(path) is answer for path, answer in self.files.items())
            and all(_listing(path) == answer for path, answer in self.listings.items())
            and all(_digest(path) == answer for path, answer in self.contents.items())
        )

    def marks(self) -> tuple[object, ...]:
        """What changes when an answer may have changed, without reading a file: cheap enough to be asked all day."""
        return (
            *map(os.path.isdir, self.folders),
            *map(os.path.isfile, self.files),
            *map(_listing, self.listings),
            *map(_mark, self.contents),
        )


_RECORD: ContextVar[Record | None] = ContextVar("record", default=None)


@contextmanager
def recording() -> Iterator[Record]:
    """Keep every question, and its answer, that is asked meanwhile."""
    record = Record()
    token = _RECORD.set(record)
    try:
        yield record
    finally:
        _RECORD.reset(token)


def is_file(path: str) -> bool:
    """Whether a file stands there, or a link to one."""
    answer = os.path.isfile(path)
    if (record := _RECORD.get()) is not None:
        record.is_torn |= record.files.setdefault(path, answer) is not answer
    return answer


def is_folder(path: str) -> bool:
    """Whether a folder stands there, or a link to one."""
    answer = os.path.isdir(path)
    if (record := _RECORD.get()) is not None:
        record.is_torn |= record.folders.setdefault(path, answer) is not answer
    return answer


def listing(path: str) -> Listing:
    """What stands in a folder, by name; nothing in one that may not be read."""
    answer = _listing(path)
    if (record := _RECORD.get()) is not None:
        record.is_torn |= record.listings.setdefault(path, answer) != answer
    return answer


def read_bytes(path: str) -> bytes:
    """The bytes of a file. Raises `OSError`."""
    record = _RECORD.get()
    try:
        data = _read(path)
    except OSError as error:
        if record is not None:
            record.is_torn |= record.contents.setdefault(path, _refusal(error)) != _refusal(error)
        raise
    if record is not None:
        digest = digest_of(data)
        record.is_torn |= record.contents.setdefault(path, digest) != digest
    return data


def digest_of(data: bytes) -> str:
    """A name for bytes that no others have."""
    return hashlib.sha256(data).hexdigest()


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _digest(path: str) -> str:
    try:
        return digest_of(_read(path))
    except OSError as error:
        return _refusal(error)


def _refusal(error: OSError) -> str:
    return f"errno {error.errno}"


def _mark(path: str) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _listing(path: str) -> Listing:
    folders: list[str] = []
    files: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.endswith(PYTHON_ENDINGS) and not entry.is_dir():
                    files.append(entry.name)
                elif not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    folders.append(entry.name)
    except OSError:
        return Listing()
    return Listing(tuple(sorted(folders)), tuple(sorted(files)))
