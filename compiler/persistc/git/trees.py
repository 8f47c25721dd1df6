"""Source trees: what a commit holds, written to a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from persistc.configuration import PYPROJECT
from persistc.git.repository import commit_of, git, top_of


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
    top = top_of(str(here), str(here))
    commit = commit_of(ref, top)
    inside = os.path.relpath(os.path.realpath(here), top)
    listed = git(top, "ls-tree", "-r", "-z", "--full-tree", commit)
    wanted = [entry for entry in _entries(listed) if entry[1].endswith(".py") or Path(entry[1]).name == PYPROJECT]
    blobs = git(top, "cat-file", "--batch", stdin="".join(f"{blob}\n" for blob, _ in wanted).encode())
    for path, data in zip((path for _, path in wanted), _contents(blobs), strict=True):
        file = target / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    folder = target / inside
    folder.mkdir(parents=True, exist_ok=True)
    return Checkout(target, folder)


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
