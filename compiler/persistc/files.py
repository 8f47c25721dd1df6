"""Generated files: what is there compared with what should be, and the one place that writes."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from persistc import disk
from persistc.cannot_run import CannotRun
from persistc.compiling import Output
from persistc.seal import seal_of
from persistc.sources import shown


class State(StrEnum):
    """What is the matter with a generated file."""

    MISSING = "missing"
    STALE = "stale"
    EDITED = "edited"
    """Somebody changed it by hand."""
    ORPHAN = "orphan"
    """What it was generated from is gone, or has no flow class any more."""
    FOREIGN = "foreign"
    """Not written by persistc, in the place of a generated file."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A generated file that is not as it should be."""

    path: str
    state: State
    present: str | None
    """Its text now; None when it is missing."""
    wanted: str | None
    """Its text as it should be; None when it should not be there."""
    is_intact: bool = True
    """Overwriting or removing it loses nothing that a person wrote."""


def differences(outputs: Sequence[Output], existing: Sequence[str]) -> tuple[Difference, ...]:
    """All files that are not as they should be, by path."""
    wanted = {output.path: output.text for output in outputs}
    found = (_difference(path, wanted.get(path)) for path in sorted({*wanted, *existing}))
    return tuple(difference for difference in found if difference is not None)


def write(changes: Sequence[Difference]) -> None:
    """Make the files as they should be. All texts are on disk before the first file is replaced, so that a full disk
    or a folder that may not be written leaves every file as it was. Raises `CannotRun`."""
    staged: list[tuple[str, str]] = []
    path = ""
    try:
        for change in changes:
            path = change.path
            if change.wanted is not None:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                staged.append((_temporary(path), path))
                _stage(staged[-1][0], change.wanted, path)
        for temporary, path in staged:
            os.replace(temporary, path)
        for change in changes:
            path = change.path
            if change.wanted is None:
                os.remove(path)
    except OSError as error:
        raise CannotRun(f"{shown(path)} cannot be written: {error.strerror}") from None
    finally:
        for temporary, _ in staged:
            _forget(temporary)


def overwrite(path: str, data: bytes) -> None:
    """Replace a file of the user at once, with the permissions it has. Raises `CannotRun`."""
    temporary = _temporary(path)
    try:
        with open(temporary, "wb") as stream:
            stream.write(data)
        os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    except OSError as error:
        raise CannotRun(f"{shown(path)} cannot be written: {error.strerror}") from None
    finally:
        _forget(temporary)


def _difference(path: str, wanted: str | None) -> Difference | None:
    present = _text(path)
    if present is None:
        return None if wanted is None else Difference(path, State.MISSING, None, wanted)
    if present == wanted:
        return None
    seal = seal_of(present)
    if wanted is None:
        # A user's own `something_durable.py` is nobody's business here.
        return None if seal is None else Difference(path, State.ORPHAN, present, None, seal.is_intact)
    if seal is None:
        return Difference(path, State.FOREIGN, present, wanted, is_intact=False)
    return Difference(path, State.STALE if seal.is_intact else State.EDITED, present, wanted, seal.is_intact)


def _text(path: str) -> str | None:
    """The text of a file with `\\n` at the end of lines, since git may have changed these; None if there is none."""
    try:
        text = disk.read_bytes(path).decode("utf-8", errors="replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CannotRun(f"{shown(path)} cannot be read: {error.strerror}") from None


def _temporary(path: str) -> str:
    """A name beside a file, so that moving it there is one atomic step."""
    folder, name = os.path.split(path)
    return os.path.join(folder, f".{name}.{os.getpid()}.tmp")


def _stage(temporary: str, text: str, path: str) -> None:
    """Write a text to a temporary file, with the permissions of the file it will replace."""
    with open(temporary, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
    if os.path.exists(path):
        os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))


def _forget(temporary: str) -> None:
    try:
        os.remove(temporary)
    except FileNotFoundError:
        return
