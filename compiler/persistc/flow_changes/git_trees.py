"""Source trees from git: what a commit holds, written to a folder. Nothing of the repository is changed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from persistc.cannot_run import CannotRun
from persistc.configuration import PYPROJECT


@dataclass(frozen=True, slots=True)
class Checkout:
    """A tree in a folder."""

    root: Path
    """Where the tree begins."""
    folder: Path
    """The folder in it that stands for the working directory."""


def write_tree(ref: str, here: Path, target: Path) -> Checkout:
    """Write the Python files and the settings of a commit to an empty folder.

    Args:
        ref: What git knows the commit by.
        here: A folder of the repository.
        target: Where to write.

    Raises:
        CannotRun: There is no git, no repository, or no such commit.
    """
    try:
        inside = os.fsdecode(_git(here, "rev-parse", "--show-prefix").rstrip(b"\r\n"))
    except _Refused as error:
        raise CannotRun(f"{here} is in no git repository, from which the earlier tree would be read: {error}") from None
    commit = _commit(ref, here)
    top = Path(os.fsdecode(_git(here, "rev-parse", "--show-toplevel").rstrip(b"\r\n")))
    listed = _git(top, "ls-tree", "-r", "-z", "--full-tree", commit)
    wanted = [entry for entry in _entries(listed) if entry[1].endswith(".py") or Path(entry[1]).name == PYPROJECT]
    blobs = _git(top, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob, _ in wanted).encode())
    for path, data in zip((path for _, path in wanted), _contents(blobs), strict=True):
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    folder = target / inside
    folder.mkdir(parents=True, exist_ok=True)
    return Checkout(target, folder)


class _Refused(CannotRun):
    """Git has refused a command."""


def _commit(ref: str, here: Path) -> str:
    try:
        return _git(here, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").decode().strip()
    except _Refused:
        raise CannotRun(
            f"git knows no commit `{ref}` here: name a branch, a tag or a commit, and fetch it first if it is elsewhere"
        ) from None


def _entries(listed: bytes) -> Iterator[tuple[str, str]]:
    """The files of a tree: the name of the blob, and the path. Links and submodules are left out."""
    for entry in filter(None, listed.split(b"\0")):
        meta, _, path = entry.partition(b"\t")
        mode, kind, blob = meta.decode().split()
        if kind == "blob" and mode != "120000":
            yield blob, os.fsdecode(path)


def _contents(batch: bytes) -> Iterator[bytes]:
    """What `git cat-file --batch` printed: for each blob a line with its size, its bytes, and a line break."""
    start = 0
    while start < len(batch):
        end = batch.index(b"\n", start)
        size = int(batch[start:end].split()[2])
        yield batch[end + 1 : end + 1 + size]
        start = end + size + 2


def _git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, input=stdin, capture_output=True, check=False)
    except FileNotFoundError:
        raise CannotRun("git is not installed, or not on the path: the earlier tree is read from it") from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().partition("\n")[0]
        raise _Refused(f"git {arguments[0]}: {said or 'failed and does not say why'}")
    return done.stdout
